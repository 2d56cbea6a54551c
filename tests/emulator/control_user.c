/* SPDX-License-Identifier: Apache-2.0 */
/* POST /control/user: users come, people and certificates change. */
#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

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

/* Everything that is said of the person. Call with the lock. */
static const char *change_person_locked(struct user *user, const cJSON *json)
{
    const char *password = field_text(json, "password");
    const char *secret = field_text(json, "totp_secret");
    unsigned period_s = user->otp.period_s;
    bool is_business = user->is_business;
    if (cJSON_HasObjectItem(json, "password") && (!password || strlen(password) >= USER_TEXT_MAX))
        return "password is a short text";
    if (field_bool(json, "business", &is_business) != SCA_OK)
        return "business is true or false";
    if (field_unsigned(json, "totp_period", &period_s) != SCA_OK || period_s < 1 ||
        period_s > OTP_PERIOD_MAX)
        return "totp_period is a number of seconds from 1 to 3600";
    if (cJSON_HasObjectItem(json, "totp_secret") && !(secret && otp_set_secret(&user->otp, secret)))
        return "totp_secret is base64 of 1 to 128 bytes";
    if (password)
        (void)snprintf(user->password, sizeof(user->password), "%s", password);
    user->is_business = is_business;
    otp_set_period(&user->otp, period_s);
    return NULL;
}

static const char *change_person(struct emulator *emulator, const char *user_id, const cJSON *json)
{
    emulator_lock(emulator);
    struct user *user = emulator_find_user(emulator, user_id);
    const char *why = user ? change_person_locked(user, json) : "no such user";
    emulator_unlock(emulator);
    return why;
}

/* A listed certificate whose time is over, or is not, other than the stage says; NULL: none. */
static const struct certificate *find_misdated(const struct user *user, bool is_over)
{
    for (const struct certificate *c = user->certificates; c; c = c->next)
        if (!c->is_replaced && (X509_cmp_current_time(X509_get0_notAfter(c->x509)) < 0) != is_over)
            return c;
    return NULL;
}

/* Time cannot be set: certificates of an expired stage make room for ones that are past theirs. */
static const char *set_dates(struct emulator *emulator, const char *user_id, bool is_over)
{
    struct pki_leaf past = {.from_days = -1095, .to_days = -1};
    struct pki_leaf standard = {.from_days = 0};
    for (;;) {
        char serial[sizeof(((struct certificate *)0)->serial)] = "";
        emulator_lock(emulator);
        const struct certificate *c = find_misdated(emulator_find_user(emulator, user_id), is_over);
        if (c)
            memcpy(serial, c->serial, sizeof(serial));
        emulator_unlock(emulator);
        if (serial[0] == '\0')
            return NULL;
        if (emulator_replace_certificate(emulator, user_id, serial, is_over ? past : standard,
                                         false) != SCA_OK)
            return "the certificate cannot be made";
    }
}

static const char *set_stage(struct emulator *emulator, const char *user_id, const cJSON *json)
{
    const char *name = field_text(json, "stage");
    enum stage stage = STAGE_ACTIVE;
    if (!name || !user_stage_parse(name, &stage))
        return "stage is requested, account_created, package_chosen, paid, contract_signed, "
               "approved, issued, active, visible, expired, revoked or package_used_up";
    const char *why = set_dates(emulator, user_id, stage == STAGE_EXPIRED);
    if (why)
        return why;
    emulator_lock(emulator);
    user_set_stage(emulator_find_user(emulator, user_id), stage);
    emulator_unlock(emulator);
    return NULL;
}

static bool names_certificate(const cJSON *json)
{
    bool is_named = cJSON_HasObjectItem(json, "serial_number") ||
                    cJSON_HasObjectItem(json, "status") ||
                    cJSON_HasObjectItem(json, "package_used_up");
    for (size_t i = 0; i < ARRAY_LEN(text_members); i++)
        is_named = is_named || cJSON_HasObjectItem(json, text_members[i].name);
    return is_named;
}

/* Adds, replaces, sets the stage, then changes: whatever of that json asks for. */
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
    if (!why)
        why = change_person(emulator, user_id, json);
    if (!why && cJSON_HasObjectItem(json, "stage"))
        why = set_stage(emulator, user_id, json);
    if (!why && names_certificate(json))
        why = change(emulator, user_id, json);
    return why;
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
