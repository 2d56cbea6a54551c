/* SPDX-License-Identifier: Apache-2.0 */
/* Users and certificates as eContract writes them. */
#include <stdio.h>

#include "tests/emulator/econtract_api.h"

static void add_text(cJSON *object, const char *name, const char *text)
{
    (void)cJSON_AddStringToObject(object, name, text);
}

static void add_number(cJSON *object, const char *name, int number)
{
    (void)cJSON_AddNumberToObject(object, name, number);
}

/* {"value", "description"}, as it writes everything that is one of several. */
static void add_choice(cJSON *object, const char *name, int value, const char *description)
{
    cJSON *choice = cJSON_AddObjectToObject(object, name);
    add_number(choice, "value", value);
    add_text(choice, "description", description);
}

static cJSON *certificate_json(const struct econtract_user *owner,
                               const struct econtract_certificate *entry)
{
    const struct certificate *certificate = entry->certificate;
    bool is_active = certificate->state == CERTIFICATE_ACTIVE && !certificate->is_replaced;
    cJSON *item = cJSON_CreateObject();
    add_number(item, "id", entry->id);
    add_text(item, "name", entry->name);
    add_text(item, "commonName", entry->identity->name);
    add_text(item, "uid", entry->identity->uid);
    add_text(item, "validFrom", certificate->valid_from);
    add_text(item, "validTo", certificate->valid_to);
    add_text(item, "serialNumber", certificate->serial);
    add_text(item, "subjectDN", certificate->subject);
    add_choice(item, "status", is_active ? 1 : -1, is_active ? "Active" : "Inactive");
    add_text(item, "smartCaServiceName", certificate->service_name);
    add_choice(item, "smartCaSignMethod", 1, "Normal");
    add_choice(item, "smartCaAccountType", 1, "Personal");
    add_text(item, "smartCaUsername", entry->identity->id);
    (void)cJSON_AddBoolToObject(item, "isValid", is_active);
    add_choice(item, "provider", 1, "VNPT SmartCA");
    add_text(item, "createdDate", entry->created);
    (void)cJSON_AddBoolToObject(item, "isBusinessSmartCaAccount", entry->identity->is_business);
    add_number(item, "ownerId", owner->id);
    add_number(item, "createdByUserId", entry->created_by);
    return item;
}

static cJSON *start_user(const struct econtract_user *user)
{
    char text[64];
    cJSON *item = cJSON_CreateObject();
    add_number(item, "id", user->id);
    add_text(item, "code", user->code);
    add_text(item, "name", user->name);
    (void)snprintf(text, sizeof(text), "09%08d", user->id);
    add_text(item, "phone", text);
    (void)snprintf(text, sizeof(text), "%s@vnpt.example", user->code);
    add_text(item, "email", text);
    add_number(item, "status", 1);
    return item;
}

cJSON *econtract_user_json(const struct econtract_user *user)
{
    cJSON *item = start_user(user);
    cJSON *standard = NULL;
    add_text(item, "signatureText", user->signature_text);
    cJSON *list = cJSON_AddArrayToObject(item, "userCertificates");
    for (const struct econtract_certificate *c = user->certificates; c; c = c->next) {
        (void)cJSON_AddItemToArray(list, certificate_json(user, c));
        if (c->id == user->default_id)
            standard = certificate_json(user, c);
    }
    (void)cJSON_AddItemToObject(item, "defaultSmartCa", standard ? standard : cJSON_CreateNull());
    return item;
}

cJSON *econtract_item_json(const struct econtract_user *user, int company_id)
{
    cJSON *item = start_user(user);
    add_number(item, "comId", company_id);
    (void)cJSON_AddNullToObject(item, "validFrom");
    (void)cJSON_AddNullToObject(item, "validTo");
    (void)cJSON_AddTrueToObject(item, "isValid");
    (void)cJSON_AddFalseToObject(item, "signConfirmationEnabled");
    (void)cJSON_AddFalseToObject(item, "isAccountLocked");
    add_choice(item, "signMethod", 2, "VNPT SmartCA");
    add_number(item, "receiveOtpMethod", 1);
    add_number(item, "receiveNotificationMethod", 0);
    (void)cJSON_AddNullToObject(item, "personalCertificateId");
    if (user->default_id != 0)
        add_number(item, "smartCaId", user->default_id);
    else
        (void)cJSON_AddNullToObject(item, "smartCaId");
    return item;
}
