/* SPDX-License-Identifier: Apache-2.0 */
/* What a slot wants before it signs: nothing, a PIN, a PIN and six digits, or its own keys. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/pin_input.h"
#include "remote/cli/secret_input.h"
#include "remote/cli/sign_slot.h"
#include "remote/cli/vault_access.h"

enum { PROMPT_SIZE = 160 };

static bool ask_pin(const struct cli *cli, const struct sign_slot *slot, struct secret **ret_pin,
                    struct trouble *trouble)
{
    char prompt[PROMPT_SIZE];

    (void)snprintf(prompt, sizeof(prompt), _("PIN of %s"), slot->label);
    const struct pin_question question = {
        .path = cli->pin_file, .option = "--pin-file", .prompt = prompt};
    return pin_ask(&question, ret_pin, trouble);
}

/* They are good for half a minute: never in a file. */
static bool ask_otp(const struct sign_slot *slot, struct secret **ret_otp, struct trouble *trouble)
{
    char prompt[PROMPT_SIZE];

    (void)snprintf(prompt, sizeof(prompt), _("One-time password of %s, six digits"), slot->label);
    return secret_input(prompt, ret_otp) == SCA_OK ||
           trouble_say(trouble, "invalid", _("give it at a terminal, or by a pipe"), "%s",
                       _("there is no one-time password"));
}

static bool join(const struct secret *pin, const struct secret *otp, struct secret **ret_joined,
                 struct trouble *trouble)
{
    AUTO(buf_fini) struct buf bytes;

    buf_init(&bytes, SECRET_MAX, true);
    return (buf_append(&bytes, secret_get(pin)) == SCA_OK &&
            buf_append(&bytes, secret_get(otp)) == SCA_OK &&
            secret_new(buf_span(&bytes), ret_joined) == SCA_OK) ||
           trouble_no_memory(trouble);
}

/* An account with typed one-time passwords; it may have a vault, and with it a PIN, besides. */
static bool ask_both(const struct cli *cli, struct sign_slot *slot, struct secret **ret_pin,
                     struct trouble *trouble)
{
    AUTO(secret_freep) struct secret *pin = NULL;
    AUTO(secret_freep) struct secret *otp = NULL;

    if (vault_is_needed(slot->account) && !ask_pin(cli, slot, &pin, trouble))
        return false;
    if (!ask_otp(slot, &otp, trouble))
        return false;
    if (slot->account->otp_login_context) {
        if (secret_new(secret_get(otp), &slot->each_secret) != SCA_OK)
            return trouble_no_memory(trouble);
        *ret_pin = pin ? TAKE(pin) : TAKE(otp);
        return true;
    }
    if (pin)
        return join(pin, otp, ret_pin, trouble);
    *ret_pin = TAKE(otp);
    return true;
}

/* The PIN is typed at the token. */
static bool login_at_token(struct sign_slot *slot, struct trouble *trouble)
{
    (void)fprintf(stderr, _("Enter the PIN of %s at the token.\n"), slot->label);
    CK_RV rv = slot->token.p11->C_Login(slot->token.session, CKU_USER, NULL, 0);
    if (rv != CKR_OK)
        return trouble_module(trouble, _("the PIN was not taken"), rv);
    slot->token.is_logged_in = true;
    return true;
}

static bool login(const struct cli *cli, struct sign_slot *slot, struct secret **ret_pin,
                  struct trouble *trouble)
{
    if (slot->has_pinpad && !cli->pin_file)
        return login_at_token(slot, trouble);
    bool is_otp = slot->account && slot->account->confirm == CONFIRM_OTP;
    bool is_known =
        is_otp ? ask_both(cli, slot, ret_pin, trouble) : ask_pin(cli, slot, ret_pin, trouble);
    return is_known && token_login(&slot->token, CKU_USER, *ret_pin, trouble);
}

static bool wants_each_time(struct sign_slot *slot)
{
    AUTO(buf_fini) struct buf value;

    return token_read(&slot->token, slot->key, CKA_ALWAYS_AUTHENTICATE, &value) && value.len == 1 &&
           value.ptr[0] == CK_TRUE;
}

bool sign_slot_login(const struct cli *cli, struct sign_slot *slot, struct trouble *trouble)
{
    AUTO(secret_freep) struct secret *pin = NULL;

    if (slot->needs_login && !login(cli, slot, &pin, trouble))
        return false;
    slot->key =
        token_find_one(&slot->token, CKO_PRIVATE_KEY, span_of(slot->key_id, slot->key_id_len));
    if (slot->key == CK_INVALID_HANDLE)
        return trouble_say(trouble, "not_found", _("smartca doctor tells more"),
                           _("slot %s has no private key for its certificate"), slot->label);
    if (!wants_each_time(slot)) {
        secret_free(slot->each_secret);
        slot->each_secret = NULL;
    } else if (!slot->each_secret) {
        slot->each_secret = TAKE(pin);
    }
    return true;
}
