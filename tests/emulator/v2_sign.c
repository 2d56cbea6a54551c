/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v2/signatures/sign */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/field.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/sign_request.h"
#include "tests/emulator/tick.h"
#include "tests/emulator/v1.h"
#include "tests/emulator/v2.h"

struct user *v2_find_user(struct exchange *x, const cJSON *json, const char **ret_why)
{
    struct user *user = emulator_find_account(x->emulator, field_text(json, "user_id"));
    bool is_right = user && strcmp(user->password, field_text(json, "password")) == 0;
    if (!is_right)
        *ret_why = user ? "user password invalid" : "SP_CREDENTIAL_INVALID: user not found";
    return is_right ? user : NULL;
}

/* Call with the lock. A good code is used up, whatever becomes of the rest of the request. */
static struct refusal check_otp(const struct exchange *x, struct user *user, const cJSON *json)
{
    static const char *const why[] = {[OTP_WRONG] = "otp invalid", [OTP_USED] = "otp already used"};
    const struct behaviour *b = &x->behaviour;
    enum otp_verdict verdict = otp_check(&user->otp, field_text(json, "otp"), behaviour_now(b),
                                         b->otp_steps, b->otp_reuse == OTP_REUSE_ALLOWED);
    if (verdict == OTP_GOOD)
        return (struct refusal){0, NULL};
    return (struct refusal){b->code_otp_wrong, why[verdict]};
}

/*
 * Call with the lock. The id was used before: an error, or, when that transaction is still waiting
 * and the documents are the same, another permission for it.
 */
static struct refusal repeat(struct exchange *x, struct transaction **asked)
{
    uint64_t now = tick_ms();
    struct transaction *known =
        transaction_table_find(&x->emulator->transactions, (*asked)->id, ID_TRANSACTION);
    if (known)
        transaction_settle(known, now, (uint64_t)x->behaviour.lifetime_s * 1000);
    if (!known || x->behaviour.exists_v2 == EXISTS_ERROR || !known->is_v2 ||
        known->state != TRANSACTION_WAITING || !transaction_is_same(known, *asked))
        return (struct refusal){x->behaviour.code_exists, x->behaviour.text_exists};
    transaction_permit(known, now);
    transaction_ref(known);
    transaction_unref(*asked);
    *asked = known;
    return (struct refusal){0, NULL};
}

/* Call with the lock. Code 0: entered, as *asked or as the transaction that takes its place. */
static struct refusal enter(struct exchange *x, struct user *user, struct transaction **asked)
{
    struct transaction *transaction = *asked;
    transaction->user = user;
    transaction->is_v2 = true;
    transaction->created_ms = tick_ms();
    enum sca_status status = transaction_table_add(&x->emulator->transactions, transaction);
    if (status == SCA_INVALID)
        return repeat(x, asked);
    if (status != SCA_OK)
        return (struct refusal){MHD_HTTP_INTERNAL_SERVER_ERROR, "SERVAR_INTERNAL_ERROR"};
    if (x->behaviour.is_v2_without_sad) {
        sign_request_push(x, user, transaction);
        return (struct refusal){0, NULL};
    }
    transaction->rule = (struct phone_rule){.action = PHONE_NEVER};
    transaction_permit(transaction, transaction->created_ms);
    return (struct refusal){0, NULL};
}

/* Call with the lock. First who asks, then for what. */
static struct refusal check(struct exchange *x, const cJSON *json, struct transaction **asked)
{
    const char *why = NULL;
    struct user *user = v2_find_user(x, json, &why);
    if (!user)
        return (struct refusal){MHD_HTTP_UNAUTHORIZED, why};
    struct refusal refusal = check_otp(x, user, json);
    if (refusal.code != 0)
        return refusal;
    struct certificate *certificate = user_find_shown(user, field_text(json, "serial_number"));
    refusal = sign_request_permit(certificate);
    if (refusal.code != 0)
        return refusal;
    (*asked)->certificate = certificate;
    return enter(x, user, asked);
}

/* sad: a copy, because another request may renew it meanwhile. */
static void answer_accepted(struct exchange *x, struct transaction *transaction, const char *sad)
{
    cJSON *data = sign_request_data(x, transaction);
    if (sad[0] != '\0') {
        (void)cJSON_AddStringToObject(data, "sad", sad);
        (void)cJSON_AddNumberToObject(data, "expired_in", x->behaviour.sad_lifetime_s);
    }
    reply_service(x, x->behaviour.code_success, x->behaviour.text_sign, data);
}

static void answer(struct exchange *x, const cJSON *json)
{
    static const char *const required[] = {"sp_id",          "sp_password",   "user_id", "password",
                                           "transaction_id", "serial_number", "otp"};
    char sad[JWT_MAX + 1];
    if (!v1_has_fields(x, json, required, ARRAY_LEN(required)))
        return;
    v1_note_transaction(x, json);
    if (!v1_is_provider(x, json))
        return;
    struct transaction *transaction = sign_request_parse(x, json);
    if (!transaction)
        return;
    emulator_lock(x->emulator);
    struct refusal refusal = check(x, json, &transaction);
    (void)snprintf(sad, sizeof(sad), "%s", transaction->sad);
    emulator_unlock(x->emulator);
    if (refusal.code == 0)
        answer_accepted(x, transaction, sad);
    else
        reply_service(x, refusal.code, refusal.message, NULL);
    emulator_lock(x->emulator);
    transaction_unref(transaction);
    emulator_unlock(x->emulator);
}

void v2_sign(struct exchange *x)
{
    cJSON *json = exchange_json(x);
    if (json)
        answer(x, json);
    cJSON_Delete(json);
}
