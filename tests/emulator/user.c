/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"

static const struct uid_kind {
    const char *prefix;
    bool is_organisation;
} uid_kinds[] = {{"CCCD:", false}, {"CMND:", false}, {"HC:", false}, {"MST:", true}};

enum { UID_CCCD = 0, UID_MST = 3 };

static const struct state_row {
    const char *name;
    const char *text; /* the service answers in Vietnamese */
    const char *code;
} states[] = {
    [CERTIFICATE_ACTIVE] = {"active", "Đang hoạt động", "VALID"},
    [CERTIFICATE_REVOKED] = {"revoked", "Đã thu hồi", "REVOKED"},
    [CERTIFICATE_NOT_ACTIVATED] = {"not_activated", "Chưa kích hoạt", "NOT_ACTIVATED"},
    [CERTIFICATE_EXPIRED] = {"expired", "Hết hạn", "EXPIRED"},
};

static const struct stage_row {
    const char *name;
    bool is_shown;
    bool is_used_up;
    enum certificate_state state;
} stages[] = {
    [STAGE_REQUESTED] = {"requested", false, false, CERTIFICATE_NOT_ACTIVATED},
    [STAGE_ACCOUNT_CREATED] = {"account_created", false, false, CERTIFICATE_NOT_ACTIVATED},
    [STAGE_PACKAGE_CHOSEN] = {"package_chosen", false, false, CERTIFICATE_NOT_ACTIVATED},
    [STAGE_PAID] = {"paid", false, false, CERTIFICATE_NOT_ACTIVATED},
    [STAGE_CONTRACT_SIGNED] = {"contract_signed", false, false, CERTIFICATE_NOT_ACTIVATED},
    [STAGE_APPROVED] = {"approved", false, false, CERTIFICATE_NOT_ACTIVATED},
    [STAGE_ISSUED] = {"issued", true, false, CERTIFICATE_NOT_ACTIVATED},
    [STAGE_ACTIVE] = {"active", true, false, CERTIFICATE_ACTIVE},
    [STAGE_VISIBLE] = {"visible", true, false, CERTIFICATE_ACTIVE},
    [STAGE_EXPIRED] = {"expired", true, false, CERTIFICATE_EXPIRED},
    [STAGE_REVOKED] = {"revoked", true, false, CERTIFICATE_REVOKED},
    [STAGE_PACKAGE_USED_UP] = {"package_used_up", true, true, CERTIFICATE_ACTIVE},
};

static const char standard_password[] = "user-password";

static const struct uid_kind *uid_kind_of(const char **text)
{
    for (size_t i = 0; i < ARRAY_LEN(uid_kinds); i++) {
        size_t len = strlen(uid_kinds[i].prefix);
        if (strncmp(*text, uid_kinds[i].prefix, len) == 0) {
            *text += len;
            return &uid_kinds[i];
        }
    }
    size_t digits = strspn(*text, "0123456789");
    bool is_tax_code = (*text)[digits] == '\0' && (digits == 10 || digits == 13);
    return &uid_kinds[is_tax_code ? UID_MST : UID_CCCD];
}

static bool is_good_id(const char *id)
{
    static const char allowed[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
    size_t len = strlen(id);
    return len > 0 && len <= USER_ID_MAX && strspn(id, allowed) == len; /* it names a file, too */
}

/* 64 characters are the upper bound of a common name (RFC 5280 appendix A.1). */
static bool is_good_name(const char *name)
{
    size_t characters = 0;
    for (const char *c = name; *c; c++)
        characters += ((unsigned char)*c & 0xc0) != 0x80;
    return characters > 0 && characters <= 64 && strlen(name) <= USER_NAME_MAX &&
           utf8_is_valid(span_text(name));
}

enum sca_status user_new(const char *text, const char *name, struct user **ret_user)
{
    const struct uid_kind *kind = uid_kind_of(&text);
    if (!is_good_id(text) || !is_good_name(name))
        return SCA_INVALID;
    struct user *user = calloc(1, sizeof(*user));
    if (!user)
        return SCA_NOMEM;
    (void)snprintf(user->id, sizeof(user->id), "%s", text);
    (void)snprintf(user->uid, sizeof(user->uid), "%s%s", kind->prefix, text);
    (void)snprintf(user->name, sizeof(user->name), "%s", name);
    user->is_organisation = kind->is_organisation;
    user_reset(user);
    *ret_user = user;
    return SCA_OK;
}

void user_free(struct user *user)
{
    if (!user)
        return;
    while (user->certificates) {
        struct certificate *next = user->certificates->next;
        certificate_free(user->certificates);
        user->certificates = next;
    }
    free(user);
}

void user_add_certificate(struct user *user, struct certificate *take_certificate)
{
    struct certificate **end = &user->certificates;
    while (*end)
        end = &(*end)->next;
    *end = take_certificate;
    if (take_certificate->number > user->certificate_count)
        user->certificate_count = take_certificate->number;
}

struct certificate *user_find_certificate(struct user *user, const char *serial)
{
    for (struct certificate *c = user->certificates; c; c = c->next)
        if (!c->is_replaced && (serial[0] == '\0' || strcmp(c->serial, serial) == 0))
            return c;
    return NULL;
}

void user_reset(struct user *user)
{
    memset(&user->phone, 0, sizeof(user->phone));
    memcpy(user->password, standard_password, sizeof(standard_password));
    otp_reset(&user->otp, user->id);
    user->is_business = user->is_organisation;
    user_set_stage(user, STAGE_ACTIVE);
}

bool user_shows(const struct user *user)
{
    return stages[user->stage].is_shown;
}

struct certificate *user_find_shown(struct user *user, const char *serial)
{
    return user_shows(user) ? user_find_certificate(user, serial) : NULL;
}

void user_set_stage(struct user *user, enum stage stage)
{
    user->stage = stage;
    for (struct certificate *c = user->certificates; c; c = c->next) {
        c->is_used_up = stages[stage].is_used_up;
        certificate_set_state(c, stages[stage].state);
    }
}

bool user_stage_parse(const char *name, enum stage *ret_stage)
{
    for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
        if (strcmp(stages[i].name, name) == 0) {
            *ret_stage = (enum stage)i;
            return true;
        }
    }
    return false;
}

const char *user_stage_name(enum stage stage)
{
    return stages[stage].name;
}

void certificate_set_state(struct certificate *certificate, enum certificate_state state)
{
    certificate->state = state;
    (void)snprintf(certificate->cert_status, sizeof(certificate->cert_status), "%s",
                   states[state].text);
    (void)snprintf(certificate->cert_status_code, sizeof(certificate->cert_status_code), "%s",
                   states[state].code);
}

bool certificate_state_parse(const char *name, enum certificate_state *ret_state)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (strcmp(states[i].name, name) == 0) {
            *ret_state = (enum certificate_state)i;
            return true;
        }
    }
    return false;
}

const char *certificate_state_name(enum certificate_state state)
{
    return states[state].name;
}
