/* SPDX-License-Identifier: Apache-2.0 */
/* POST /control/user: users come, certificates change. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/control.h"
#include "tests/emulator/field.h"
#include "tests/emulator/reply.h"

/* The texts of a certificate that a test may set as it likes. */
static const struct text_member {
    const char *name;
    size_t offset;
} text_members[] = {
    {"service_type", offsetof(struct certificate, service_type)},
    {"service_name", offsetof(struct certificate, service_name)},
    {"cert_status", offsetof(struct certificate, cert_status)},
    {"cert_status_code", offsetof(struct certificate, cert_status_code)},
};

static bool is_acceptable_text(const cJSON *item)
{
    return !item || (cJSON_IsString(item) && strlen(item->valuestring) < USER_TEXT_MAX);
}

/* Call with the lock. The state comes first: the texts it brings may be replaced then. */
static const char *change_locked(struct certificate *certificate, const cJSON *json)
{
    const char *state_name = field_text(json, "status");
    enum certificate_state state = certificate->state;
    bool is_used_up = certificate->is_used_up;
    if (state_name && !certificate_state_parse(state_name, &state))
        return "status is active, revoked, not_activated or expired";
    if (field_bool(json, "package_used_up", &is_used_up) != SCA_OK)
        return "package_used_up is true or false";
    for (size_t i = 0; i < ARRAY_LEN(text_members); i++)
        if (!is_acceptable_text(cJSON_GetObjectItemCaseSensitive(json, text_members[i].name)))
            return "a text is too long, or none";
    certificate->is_used_up = is_used_up;
    if (state_name)
        certificate_set_state(certificate, state);
    for (size_t i = 0; i < ARRAY_LEN(text_members); i++) {
        const char *text = field_text(json, text_members[i].name);
        if (text)
            (void)snprintf((char *)certificate + text_members[i].offset, USER_TEXT_MAX, "%s", text);
    }
    return NULL;
}

static const char *change(struct emulator *emulator, const char *user_id, const cJSON *json)
{
    const char *serial = field_text(json, "serial_number");
    emulator_lock(emulator);
    struct user *user = emulator_find_user(emulator, user_id);
    struct certificate *certificate =
        user ? user_find_certificate(user, serial ? serial : "") : NULL;
    const char *why = certificate ? change_locked(certificate, json) : "no such certificate";
    emulator_unlock(emulator);
    return why;
}

/* "replace": "renewed" (the same key) or "new_key", with "from_days" and "to_days" from now. */
static const char *replace(struct emulator *emulator, const char *user_id, const cJSON *json)
{
    const char *how = field_text(json, "replace");
    const char *serial = field_text(json, "serial_number");
    struct pki_leaf dates = {.from_days = 0};
    if (!how || (strcmp(how, "renewed") != 0 && strcmp(how, "new_key") != 0))
        return "replace is renewed or new_key";
    if (field_int(json, "from_days", &dates.from_days) != SCA_OK ||
        field_int(json, "to_days", &dates.to_days) != SCA_OK || dates.to_days < dates.from_days)
        return "from_days and to_days are numbers of days from now, in this order";
    enum sca_status status = emulator_replace_certificate(emulator, user_id, serial ? serial : "",
                                                          dates, strcmp(how, "new_key") == 0);
    if (status == SCA_OK)
        return NULL;
    return status == SCA_NOT_FOUND ? "no such certificate" : "the certificate cannot be made";
}

static const char *add(struct emulator *emulator, const char *user_id, const cJSON *json)
{
    const char *name = field_text(json, "name");
    unsigned count = 1;
    if (field_unsigned(json, "add_certificates", &count) != SCA_OK || count > 100)
        return "add_certificates is a number up to 100";
    enum sca_status status =
        emulator_add_user(emulator, user_id, name ? name : "Nguyễn Văn Ánh", count);
    if (status == SCA_OK)
        return NULL;
    return status == SCA_INVALID ? "user_id or name is not acceptable" : "no key can be made";
}

static bool is_known(struct emulator *emulator, const char *user_id)
{
    emulator_lock(emulator);
    bool is_found = emulator_find_user(emulator, user_id) != NULL;
    emulator_unlock(emulator);
    return is_found;
}

/* Adds, then replaces, then changes: whatever of that json asks for. */
static const char *set_user(struct emulator *emulator, const cJSON *json)
{
    const char *user_id = field_text(json, "user_id");
    const char *why = NULL;
    if (!user_id)
        return "user_id is missing";
    if (cJSON_HasObjectItem(json, "add_certificates") || !is_known(emulator, user_id))
        why = add(emulator, user_id, json);
    const char *colon =
        strchr(user_id, ':'); /* "MST:..." makes a user who is called what follows */
    user_id = colon ? colon + 1 : user_id;
    if (!why && cJSON_HasObjectItem(json, "replace"))
        why = replace(emulator, user_id, json);
    return why ? why : change(emulator, user_id, json);
}

void control_set_user(struct exchange *x)
{
    cJSON *json = exchange_json(x);
    if (!json)
        return;
    const char *why = set_user(x->emulator, json);
    cJSON_Delete(json);
    if (why)
        reply_refusal(x, MHD_HTTP_BAD_REQUEST, why);
    else
        control_get_users(x);
}
