/* SPDX-License-Identifier: Apache-2.0 */
/* /control/econtract: what eContract has in it. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/control.h"
#include "tests/emulator/econtract_api.h"
#include "tests/emulator/field.h"
#include "tests/emulator/reply.h"

static const char no_memory[] = "out of memory";

/* "companies": 1 to 16 names; the administrator is in all of them, solo in the first. */
static const char *set_companies(struct econtract *econtract, const cJSON *json)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "companies");
    const cJSON *item = NULL;
    int count = cJSON_GetArraySize(list);
    if (!list)
        return NULL;
    bool is_good = cJSON_IsArray(list) && count >= 1 && count <= ECONTRACT_COMPANIES_MAX;
    cJSON_ArrayForEach(item, list) is_good =
        is_good && cJSON_IsString(item) && strlen(item->valuestring) < ECONTRACT_TEXT_MAX;
    if (!is_good)
        return "companies is an array of 1 to 16 short names";
    econtract->company_count = 0;
    cJSON_ArrayForEach(item, list)(void) snprintf(econtract->companies[econtract->company_count++],
                                                  ECONTRACT_TEXT_MAX, "%s", item->valuestring);
    return NULL;
}

static const char *set_users(struct econtract *econtract, const cJSON *json)
{
    unsigned count = 0;
    if (!cJSON_HasObjectItem(json, "users"))
        return NULL;
    if (field_unsigned(json, "users", &count) != SCA_OK || count > ECONTRACT_USERS_MAX)
        return "users is a number up to 1000";
    return econtract_make_users(econtract, count) == SCA_OK ? NULL : no_memory;
}

/* A short text into its place; absent: as it is. */
static bool set_text(const cJSON *json, const char *name, char *out, size_t room)
{
    const char *text = field_text(json, name);
    if (!cJSON_HasObjectItem(json, name))
        return true;
    if (!text || strlen(text) >= room)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

/* "signature_text" of the user "user_id". */
static const char *set_signature_text(struct econtract *econtract, const cJSON *json)
{
    int id = 0;
    if (!cJSON_HasObjectItem(json, "signature_text"))
        return NULL;
    struct econtract_user *user =
        field_int(json, "user_id", &id) == SCA_OK ? econtract_find_user(econtract, id) : NULL;
    if (!user ||
        !set_text(json, "signature_text", user->signature_text, sizeof(user->signature_text)))
        return "signature_text is a short text, and user_id the number of its user";
    return NULL;
}

static const char *set_locked(struct econtract *econtract, const cJSON *json)
{
    struct econtract_account *admin = &econtract->accounts[0];
    bool forgets = false;
    const char *why = set_companies(econtract, json);
    if (!why)
        why = set_users(econtract, json);
    if (!why)
        why = set_signature_text(econtract, json);
    if (!why && (!set_text(json, "otp", econtract->otp, sizeof(econtract->otp)) ||
                 !set_text(json, "password", admin->password, sizeof(admin->password)) ||
                 field_bool(json, "forget_tokens", &forgets) != SCA_OK))
        why = "otp and password are short texts, forget_tokens is true or false";
    if (!why && forgets)
        econtract->token_count = 0;
    return why;
}

static void set(struct exchange *x, const cJSON *json)
{
    static const char *const names[] = {"companies", "users",    "user_id",      "signature_text",
                                        "otp",       "password", "forget_tokens"};
    if (!control_has_only(x, json, names, ARRAY_LEN(names)))
        return;
    emulator_lock(x->emulator);
    const char *why = set_locked(&x->emulator->econtract, json);
    emulator_unlock(x->emulator);
    if (why)
        reply_refusal(x, MHD_HTTP_BAD_REQUEST, why);
    else
        control_get_econtract(x);
}

void control_set_econtract(struct exchange *x)
{
    control_with_json(x, set);
}

static cJSON *companies_json(const struct econtract *econtract)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < econtract->company_count; i++)
        (void)cJSON_AddItemToArray(list, cJSON_CreateString(econtract->companies[i]));
    return list;
}

static cJSON *accounts_json(const struct econtract *econtract)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < ECONTRACT_ACCOUNTS; i++) {
        cJSON *item = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(item, "username", econtract->accounts[i].username);
        (void)cJSON_AddStringToObject(item, "password", econtract->accounts[i].password);
        (void)cJSON_AddItemToArray(list, item);
    }
    return list;
}

void control_get_econtract(struct exchange *x)
{
    const struct econtract *econtract = &x->emulator->econtract;
    cJSON *json = cJSON_CreateObject();
    emulator_lock(x->emulator);
    (void)cJSON_AddItemToObject(json, "companies", companies_json(econtract));
    (void)cJSON_AddItemToObject(json, "accounts", accounts_json(econtract));
    (void)cJSON_AddStringToObject(json, "otp", econtract->otp);
    (void)cJSON_AddNumberToObject(json, "tokens", (double)econtract->token_count);
    cJSON *users = cJSON_AddArrayToObject(json, "users");
    for (size_t i = 0; i < econtract->user_count; i++)
        (void)cJSON_AddItemToArray(users, econtract_user_json(&econtract->users[i]));
    emulator_unlock(x->emulator);
    reply_json(x, MHD_HTTP_OK, json);
}
