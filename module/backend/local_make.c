/* SPDX-License-Identifier: Apache-2.0 */
/* Local tokens being made: of the empty slot, and again of one that there is. */
#include "module/backend/local.h"

#include "remote/base/cleanup.h"
#include "remote/catalogue/catalogue.h"
#include "remote/keystore/turn.h"

/*
 * A token that got no slot: nobody can have used it. Its files first, and then the entry that
 * somebody may have made for them meanwhile, so that no other is made.
 */
static void remove_token(const struct keystore *keystore)
{
    (void)keystore_remove(keystore); /* what stays is a token without use */
    (void)catalogue_forget(keystore->state_dir, CATALOGUE_LOCAL, keystore->name);
}

/* An entry in the catalogue for the token that was just made. */
static enum sca_status enter(const struct keystore *keystore, struct call *call, uint32_t slot_id)
{
    bool has_adopted = false;

    enum sca_status st = catalogue_add_local(keystore->state_dir, keystore->name, slot_id);
    if (st == SCA_INVALID && local_adopt(keystore->state_dir, &has_adopted) == SCA_OK &&
        has_adopted) {
        /* The catalogue was damaged, and made anew with all tokens there are: this one, too. */
        return SCA_OK;
    }
    if (st == SCA_GONE)
        return call_fail(call, st,
                         "another program has just taken this empty slot; list the slots "
                         "again: there is a new one");
    if (st != SCA_OK)
        return call_fail(call, st,
                         "the token has no place in %s/catalogue: %s; smartca doctor "
                         "tells more",
                         keystore->state_dir, sca_status_name(st));
    return st;
}

static enum sca_status take_spare(struct local_token *token, struct call *call,
                                  const struct secret *so_pin, struct span label)
{
    char name[KEYSTORE_NAME_SIZE];
    const struct keystore keystore = {.state_dir = token->state_dir, .name = name};
    uint32_t slot_id = (uint32_t)token->base.slot_id;
    AUTO(turn_endp) int turn = -1;

    enum sca_status st = local_begin_making(token->state_dir, call, &turn);
    if (st != SCA_OK)
        return st;
    keystore_sweep(token->state_dir);
    st = keystore_new_name(name);
    if (st == SCA_OK)
        st = keystore_create(&keystore, call, so_pin, label, slot_id, KEYSTORE_COST);
    if (st != SCA_OK)
        return st;
    st = enter(&keystore, call, slot_id);
    if (st == SCA_OK)
        local_token_claim(&token->base, name);
    else
        remove_token(&keystore);
    return st;
}

/* In place of the token whose SO PIN this is, or whose file somebody has removed. */
static enum sca_status make_again(const struct local_token *token, struct call *call,
                                  const struct keystore *keystore, const struct secret *so_pin,
                                  struct span label)
{
    struct keystore_info info;
    const char *why = NULL;

    enum sca_status st = keystore_info(keystore, &info, &why);
    if (st == SCA_NOT_FOUND)
        return keystore_create(keystore, call, so_pin, label, (uint32_t)token->base.slot_id,
                               KEYSTORE_COST);
    if (st != SCA_OK)
        return why ? call_fail(call, st, "token %s: %s", keystore->name, why) : st;
    st = keystore_reset(keystore, call, so_pin, label, KEYSTORE_COST);
    if (st == SCA_USER_AUTH)
        return call_fail(call, st,
                         "token %s is initialised already: its SO PIN is needed, and "
                         "this is not it; each wrong one counts",
                         info.label);
    if (st == SCA_PIN_LOCKED)
        return call_fail(call, st, "the SO PIN of token %s is locked after %d wrong tries",
                         info.label, KEYSTORE_PIN_TRIES);
    return st;
}

enum sca_status local_init_token(struct token *base, struct call *call, const struct secret *so_pin,
                                 struct span label)
{
    struct local_token *token = (struct local_token *)base;
    struct keystore keystore;

    enum sca_status st = local_keystore(token, &keystore)
                             ? make_again(token, call, &keystore, so_pin, label)
                             : take_spare(token, call, so_pin, label);
    if (st == SCA_OK)
        local_logout(base); /* whoever was logged in was so in the token before */
    return local_fail(token, call, st);
}
