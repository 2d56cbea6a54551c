/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/credentials/get_certificate, and the same of version 2 */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/field.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/sign_request.h"
#include "tests/emulator/v1.h"

static void add_base64(cJSON *object, const char *name, struct span bytes, int form)
{
    AUTO(freep) char *text = reply_base64(bytes, (enum base64_form)form);
    if (text)
        (void)cJSON_AddStringToObject(object, name, text);
}

static cJSON *chain_json(struct exchange *x)
{
    int form = x->behaviour.certificate_base64;
    cJSON *chain = cJSON_CreateObject();
    add_base64(chain, "ca_cert", pki_ca(x->emulator->pki), form);
    if (x->behaviour.has_root_cert)
        add_base64(chain, "root_cert", pki_root(x->emulator->pki), form);
    else
        (void)cJSON_AddNullToObject(chain, "root_cert");
    return chain;
}

static cJSON *certificate_json(struct exchange *x, const struct certificate *certificate,
                               const char *transaction_id)
{
    cJSON *item = cJSON_CreateObject();
    if (!x->behaviour.is_certificate_reduced) {
        (void)cJSON_AddStringToObject(item, "service_type", certificate->service_type);
        (void)cJSON_AddStringToObject(item, "service_name", certificate->service_name);
        (void)cJSON_AddStringToObject(item, "cert_status", certificate->cert_status);
        if (x->behaviour.has_cert_status_code)
            (void)cJSON_AddStringToObject(item, "cert_status_code", certificate->cert_status_code);
        (void)cJSON_AddStringToObject(item, "cert_subject", certificate->subject);
        (void)cJSON_AddStringToObject(item, "cert_valid_from", certificate->valid_from);
        (void)cJSON_AddStringToObject(item, "cert_valid_to", certificate->valid_to);
    }
    (void)cJSON_AddStringToObject(item, "cert_id", certificate->cert_id);
    (void)cJSON_AddStringToObject(item, "serial_number", certificate->serial);
    add_base64(item, "cert_data", span_of(certificate->der, certificate->der_len),
               x->behaviour.certificate_base64);
    (void)cJSON_AddItemToObject(item, "chain_data", chain_json(x));
    (void)cJSON_AddStringToObject(item, "transaction_id", transaction_id);
    return item;
}

/* Call with the lock. An unknown user has no certificates, too. */
static void add_certificates(struct exchange *x, const struct user *user, const cJSON *json,
                             cJSON *list)
{
    const char *serial = field_text(json, "serial_number");
    bool is_all = !serial || serial[0] == '\0';
    const struct certificate *c = user && user_shows(user) ? user->certificates : NULL;
    for (; c; c = c->next)
        if (!c->is_replaced && (is_all || strcmp(serial, c->serial) == 0))
            (void)cJSON_AddItemToArray(list,
                                       certificate_json(x, c, field_text(json, "transaction_id")));
}

/* Call with the lock. */
static struct refusal check_user(const struct exchange *x, struct user *user)
{
    const struct certificate *first = user ? user_find_shown(user, "") : NULL;
    if (!user && x->behaviour.unknown_user == UNKNOWN_USER_ERROR)
        return (struct refusal){MHD_HTTP_UNAUTHORIZED, "SP_CREDENTIAL_INVALID: user not found"};
    if (first && first->is_used_up && x->behaviour.refuses_list_when_used_up)
        return (struct refusal){CODE_USED_UP, text_used_up};
    return (struct refusal){0, NULL};
}

static void answer_user(struct exchange *x, const cJSON *json)
{
    cJSON *list = cJSON_CreateArray();
    emulator_lock(x->emulator);
    struct user *user = emulator_find_account(x->emulator, field_text(json, "user_id"));
    struct refusal refusal = check_user(x, user);
    if (refusal.code == 0)
        add_certificates(x, user, json, list);
    emulator_unlock(x->emulator);
    if (refusal.code != 0) {
        cJSON_Delete(list);
        reply_service(x, refusal.code, refusal.message, NULL);
        return;
    }
    cJSON *data = cJSON_CreateObject();
    (void)cJSON_AddItemToObject(data, "user_certificates", list);
    reply_service(x, x->behaviour.code_success, x->behaviour.text_certificates, data);
}

static void answer(struct exchange *x, const cJSON *json)
{
    static const char *const required[] = {"sp_id", "sp_password", "user_id", "transaction_id"};
    const cJSON *serial_item = cJSON_GetObjectItemCaseSensitive(json, "serial_number");
    const char *serial = cJSON_GetStringValue(serial_item);
    if (!v1_has_fields(x, json, required, ARRAY_LEN(required)))
        return;
    if (serial_item && !serial && !cJSON_IsNull(serial_item)) {
        x->entry.body_ok = false;
        reply_service(x, MHD_HTTP_BAD_REQUEST, "BAD_REQUEST: serial_number is a string", NULL);
        return;
    }
    v1_note_transaction(x, json);
    if (v1_is_provider(x, json))
        answer_user(x, json);
}

void v1_certificates(struct exchange *x)
{
    cJSON *json = exchange_json(x);
    if (json)
        answer(x, json);
    cJSON_Delete(json);
}
