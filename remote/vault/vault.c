/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/vault/vault.h"

#include <stdio.h>

#include "remote/base/cleanup.h"

static const char folder[] = "vault";

/* The vault's keystore, and the room for its name. */
struct place {
    struct keystore keystore;
    char name[KEYSTORE_NAME_SIZE];
};

static enum sca_status find_place(const struct vault *vault, struct place *ret_place)
{
    char name[IDENTITY_NAME_SIZE];

    enum sca_status st = identity_name(vault->identity, name);
    if (st != SCA_OK)
        return st;
    (void)snprintf(ret_place->name, sizeof(ret_place->name), "%.*s", KEYSTORE_NAME_SIZE - 1, name);
    ret_place->keystore =
        (struct keystore){.state_dir = vault->state_dir, .name = ret_place->name, .folder = folder};
    return SCA_OK;
}

void vault_contents_fini(struct vault_contents *contents)
{
    for (size_t i = 0; i < VAULT_ITEMS; i++)
        secret_freep(&contents->items[i]);
}

enum sca_status vault_create(const struct vault *vault, struct call *call, const struct secret *pin,
                             const struct vault_contents *contents, unsigned cost)
{
    static const uint8_t kinds[VAULT_ITEMS] = {VAULT_PASSWORD, VAULT_TOTP_SECRET,
                                               VAULT_SP_PASSWORD};
    struct keystore_object objects[VAULT_ITEMS];
    struct place place;
    size_t count = 0;

    /* An object's body is the number of the item, its key the secret: both are sealed. */
    for (size_t i = 0; i < VAULT_ITEMS; i++)
        if (contents->items[i])
            objects[count++] = (struct keystore_object){
                .is_private = true,
                .body = span_of(&kinds[i], 1),
                .key = secret_get(contents->items[i]),
            };
    enum sca_status st = find_place(vault, &place);
    return st == SCA_OK ? keystore_replace(&place.keystore, call, pin, cost, objects, count) : st;
}

enum sca_status vault_info(const struct vault *vault, struct vault_info *ret_info, const char **why)
{
    struct keystore_info info;
    struct place place;

    *why = NULL;
    enum sca_status st = find_place(vault, &place);
    if (st == SCA_OK)
        st = keystore_info(&place.keystore, &info, why);
    if (st != SCA_OK && st != SCA_NOT_FOUND)
        return st;
    *ret_info = (struct vault_info){.has_pin = false};
    if (st == SCA_OK)
        *ret_info =
            (struct vault_info){.has_pin = info.has_user_pin, .wrong_pins = info.wrong_user_pins};
    return SCA_OK;
}

static enum sca_status take_item(void *arg, const struct keystore_object *object)
{
    struct vault_contents *contents = arg;

    /* One of a later version is none of ours. */
    if (object->body.len != 1 || object->body.ptr[0] >= VAULT_ITEMS)
        return SCA_OK;
    struct secret **item = &contents->items[object->body.ptr[0]];
    secret_freep(item);
    return secret_new(object->key, item);
}

enum sca_status vault_open(const struct vault *vault, struct call *call, const struct secret *pin,
                           struct pin_memory *memory, struct vault_contents *ret_contents)
{
    AUTO(secret_freep) struct secret *master_key = NULL;
    AUTO(vault_contents_fini) struct vault_contents contents = {.items = {NULL}};
    const char *why = NULL;
    struct place place;

    enum sca_status st = find_place(vault, &place);
    if (st == SCA_OK)
        st = keystore_login(&place.keystore, call, KEYSTORE_USER, pin, memory, &master_key);
    if (st != SCA_OK)
        return st;
    st = keystore_read(&place.keystore, master_key, 0, take_item, &contents, &why);
    if (st != SCA_OK)
        return why ? call_fail(call, st, "the vault is damaged: %s; enter the secrets again", why)
                   : st;
    *ret_contents = contents;
    contents = (struct vault_contents){.items = {NULL}};
    return SCA_OK;
}

enum sca_status vault_set_pin(const struct vault *vault, struct call *call,
                              const struct secret *old_pin, const struct secret *new_pin,
                              struct pin_memory *memory, unsigned cost)
{
    struct place place;

    enum sca_status st = find_place(vault, &place);
    return st == SCA_OK ? keystore_set_pin(&place.keystore, call, KEYSTORE_USER, old_pin, new_pin,
                                           memory, cost)
                        : st;
}

enum sca_status vault_remove(const struct vault *vault)
{
    struct place place;

    enum sca_status st = find_place(vault, &place);
    return st == SCA_OK ? keystore_remove(&place.keystore) : st;
}
