/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/signatures/sign */
#include <stdio.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/field.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/sign_request.h"
#include "tests/emulator/tick.h"
#include "tests/emulator/v1.h"

/* Call with the lock. Code 0: entered, and pushed to the phone. */
static struct refusal enter(struct exchange *x, const char *user_id, const char *serial,
                            struct transaction *transaction)
{
    struct emulator *emulator = x->emulator;
    struct user *user = emulator_find_account(emulator, user_id);
    if (!user)
        return (struct refusal){MHD_HTTP_UNAUTHORIZED, "SP_CREDENTIAL_INVALID: user not found"};
    struct certificate *certificate = user_find_shown(user, serial);
    struct refusal refusal = sign_request_permit(certificate);
    if (refusal.code != 0)
        return refusal;
    transaction->user = user;
    transaction->certificate = certificate;
    transaction->created_ms = tick_ms();
    enum sca_status status = transaction_table_add(&emulator->transactions, transaction);
    if (status == SCA_INVALID)
        return (struct refusal){x->behaviour.code_exists, x->behaviour.text_exists};
    if (status != SCA_OK)
        return (struct refusal){MHD_HTTP_INTERNAL_SERVER_ERROR, "SERVAR_INTERNAL_ERROR"};
    sign_request_push(x, user, transaction);
    return (struct refusal){0, NULL};
}

static void answer_accepted(struct exchange *x, struct transaction *transaction)
{
    cJSON *data = sign_request_data(x, transaction);
    if (x->behaviour.has_expired_in_sign)
        (void)cJSON_AddNumberToObject(data, "expired_in", x->behaviour.lifetime_s);
    (void)snprintf(x->retry_after, sizeof(x->retry_after), "%s", x->behaviour.retry_after);
    reply_service(x, x->behaviour.code_success, x->behaviour.text_sign, data);
}

static void answer(struct exchange *x, const cJSON *json)
{
    static const char *const required[] = {"sp_id", "sp_password", "user_id", "transaction_id"};
    if (!v1_has_fields(x, json, required, ARRAY_LEN(required)))
        return;
    v1_note_transaction(x, json);
    if (!v1_is_provider(x, json))
        return;
    struct transaction *transaction = sign_request_parse(x, json);
    if (!transaction)
        return;
    const char *serial = field_text(json, "serial_number");
    emulator_lock(x->emulator);
    struct refusal refusal =
        enter(x, field_text(json, "user_id"), serial ? serial : "", transaction);
    emulator_unlock(x->emulator);
    if (refusal.code == 0)
        answer_accepted(x, transaction);
    else
        reply_service(x, refusal.code, refusal.message, NULL);
    emulator_lock(x->emulator);
    transaction_unref(transaction);
    emulator_unlock(x->emulator);
}

void v1_sign(struct exchange *x)
{
    cJSON *json = exchange_json(x);
    if (json)
        answer(x, json);
    cJSON_Delete(json);
}
