/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/users/smart-ca/add, update and delete */
#include <stdio.h>
#include <string.h>

#include "tests/emulator/econtract_api.h"
#include "tests/emulator/field.h"

/* What a call works on. */
struct change {
    const cJSON *json;
    const struct econtract_token *token;
    struct econtract_user *user;
};

/* Does the call, with the lock; why not, in a static text, or NULL. */
typedef const char *change_function(struct exchange *x, const struct change *change);

/* Whether the member is a whole number above 0. */
static bool read_id(const cJSON *json, const char *name, int *ret_id)
{
    int id = 0;
    if (field_int(json, name, &id) != SCA_OK || id < 1)
        return false;
    *ret_id = id;
    return true;
}

/* An optional text, which may be null: false when it is something else. */
static bool is_text_or_nothing(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return !item || cJSON_IsNull(item) || cJSON_IsString(item);
}

/* Call with the lock. NULL and *ret_data when it was done; NULL alone when 401 has been replied. */
static const char *act_locked(struct exchange *x, const cJSON *json, change_function *act,
                              cJSON **ret_data)
{
    struct change change = {.json = json, .token = econtract_bearer(x)};
    int id = 0;
    if (!change.token)
        return NULL;
    if (!read_id(json, "userId", &id))
        return "userId is required";
    change.user = econtract_find_user(&x->emulator->econtract, id);
    if (!change.user)
        return "Không tìm thấy người dùng";
    const char *why = act(x, &change);
    if (!why)
        *ret_data = econtract_user_json(change.user);
    return why;
}

static void run(struct exchange *x, change_function *act)
{
    cJSON *data = NULL;
    cJSON *json = exchange_json(x);
    if (!json)
        return;
    emulator_lock(x->emulator);
    const char *why = act_locked(x, json, act, &data);
    emulator_unlock(x->emulator);
    cJSON_Delete(json);
    if (data)
        econtract_reply(x, data);
    else if (why)
        econtract_refuse(x, why);
}

/* Adds the certificates of identity that are listed now, all or the one of that serial. */
static const char *add_listed(struct exchange *x, const struct change *change,
                              const struct user *identity, const char *serial)
{
    size_t found = 0;
    const struct certificate *c = user_shows(identity) ? identity->certificates : NULL;
    for (; c; c = c->next) {
        if (c->is_replaced || (serial[0] != '\0' && strcmp(serial, c->serial) != 0))
            continue;
        if (econtract_add_certificate(&x->emulator->econtract, change->user, identity, c,
                                      change->token->account_id) != SCA_OK)
            return "Internal error";
        found++;
    }
    return found > 0 ? NULL : "Không tìm thấy chứng thư số";
}

/* userName: the identity number, as SmartCA knows it or with CCCD: and the like before it. */
static const char *add(struct exchange *x, const struct change *change)
{
    const char *name = field_text(change->json, "userName");
    const char *serial = field_text(change->json, "serialNumber");
    if (!name || name[0] == '\0')
        return "userName is required";
    if (!is_text_or_nothing(change->json, "serialNumber"))
        return "serialNumber is a string";
    const char *colon = strchr(name, ':');
    const struct user *identity = emulator_find_account(x->emulator, colon ? colon + 1 : name);
    if (!identity)
        return "Không tìm thấy tài khoản SmartCA";
    return add_listed(x, change, identity, serial ? serial : "");
}

/* The certificate of the member id; NULL when the user has no such. */
static struct econtract_certificate *find(const struct change *change)
{
    int id = 0;
    return read_id(change->json, "id", &id) ? econtract_find_certificate(change->user, id) : NULL;
}

static const char *update(struct exchange *x, const struct change *change)
{
    const char *name = field_text(change->json, "name");
    struct econtract_certificate *entry = find(change);
    bool is_default = false;
    (void)x;
    if (!entry)
        return "Không tìm thấy chứng thư số";
    if (field_bool(change->json, "isSetDefault", &is_default) != SCA_OK)
        return "isSetDefault is a boolean";
    if (!is_text_or_nothing(change->json, "name") || (name && strlen(name) >= sizeof(entry->name)))
        return "name is a short string";
    if (name && name[0] != '\0')
        (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    if (is_default)
        change->user->default_id = entry->id;
    return NULL;
}

static const char *remove_one(struct exchange *x, const struct change *change)
{
    const struct econtract_certificate *entry = find(change);
    (void)x;
    if (!entry)
        return "Không tìm thấy chứng thư số";
    econtract_remove_certificate(change->user, entry->id);
    return NULL;
}

void econtract_smartca_add(struct exchange *x)
{
    run(x, add);
}

void econtract_smartca_update(struct exchange *x)
{
    run(x, update);
}

void econtract_smartca_delete(struct exchange *x)
{
    run(x, remove_one);
}
