/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/econtract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/tick.h"

enum { STANDARD_USERS = 25, TEMPLATE_USER = 3, TOKEN_LIFE_S = 86400 };

static const char *const standard_companies[] = {"VNPT IT2", "VNPT Hà Nội"};

static const struct econtract_account standard_accounts[ECONTRACT_ACCOUNTS] = {
    {ECONTRACT_ADMIN, "admin", "econtract-password", true},
    {2, "solo", "solo-password", false},
};

/* Family, middle and given names: their products are different for the first 245 users. */
static const char *const families[] = {"Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đặng", "Bùi"};
static const char *const middles[] = {"Văn", "Thị", "Đức", "Ngọc", "Minh"};
static const char *const givens[] = {"Ánh", "Bé", "Cường", "Dũng", "Hạnh", "Quỳnh", "Tuấn"};

static void free_users(struct econtract *econtract)
{
    for (size_t i = 0; i < econtract->user_count; i++) {
        while (econtract->users[i].certificates) {
            struct econtract_certificate *next = econtract->users[i].certificates->next;
            free(econtract->users[i].certificates);
            econtract->users[i].certificates = next;
        }
    }
    free(econtract->users);
    econtract->users = NULL;
    econtract->user_count = 0;
}

void econtract_fini(struct econtract *econtract)
{
    free_users(econtract);
}

static void fill_user(struct econtract_user *user, size_t index)
{
    user->id = (int)index + 1;
    (void)snprintf(user->code, sizeof(user->code), "NV%03d", user->id);
    (void)snprintf(user->name, sizeof(user->name), "%s %s %s",
                   families[index % ARRAY_LEN(families)], middles[index % ARRAY_LEN(middles)],
                   givens[(index + index / ARRAY_LEN(families)) % ARRAY_LEN(givens)]);
    (void)snprintf(user->signature_text, sizeof(user->signature_text), "%s",
                   user->id == TEMPLATE_USER ? "{{SubjectDN.CN}}" : "");
}

enum sca_status econtract_make_users(struct econtract *econtract, size_t count)
{
    struct econtract_user *users = calloc(count ? count : 1, sizeof(*users));
    if (!users || count > ECONTRACT_USERS_MAX) {
        free(users);
        return users ? SCA_INVALID : SCA_NOMEM;
    }
    for (size_t i = 0; i < count; i++)
        fill_user(&users[i], i);
    free_users(econtract);
    econtract->users = users;
    econtract->user_count = count;
    return SCA_OK;
}

enum sca_status econtract_reset(struct econtract *econtract)
{
    free_users(econtract);
    *econtract = (struct econtract){.otp = "123456", .next_certificate_id = 101};
    memcpy(econtract->accounts, standard_accounts, sizeof(standard_accounts));
    for (size_t i = 0; i < ARRAY_LEN(standard_companies); i++)
        (void)snprintf(econtract->companies[i], ECONTRACT_TEXT_MAX, "%s", standard_companies[i]);
    econtract->company_count = ARRAY_LEN(standard_companies);
    return econtract_make_users(econtract, STANDARD_USERS);
}

struct econtract_user *econtract_find_user(struct econtract *econtract, int id)
{
    bool is_known = id >= 1 && (size_t)id <= econtract->user_count;
    return is_known ? &econtract->users[id - 1] : NULL;
}

struct econtract_certificate *econtract_find_certificate(struct econtract_user *user, int id)
{
    struct econtract_certificate *found = user->certificates;
    while (found && found->id != id)
        found = found->next;
    return found;
}

const struct econtract_token *econtract_find_token(const struct econtract *econtract,
                                                   const char *text)
{
    unsigned long count = econtract->token_count;
    for (size_t i = 0; i < ECONTRACT_TOKENS_MAX && i < count; i++)
        if (strcmp(econtract->tokens[i].text, text) == 0)
            return &econtract->tokens[i];
    return NULL;
}

bool econtract_is_in(const struct econtract *econtract, const struct econtract_account *account,
                     int company_id)
{
    size_t count = account->is_in_all_companies ? econtract->company_count : 1;
    return company_id >= 1 && (size_t)company_id <= count;
}

const struct econtract_token *econtract_log_in(struct econtract *econtract,
                                               const struct econtract_account *account,
                                               int company_id, int64_t now)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    char claims[160];
    struct econtract_token *token =
        &econtract->tokens[econtract->token_count++ % ECONTRACT_TOKENS_MAX];
    *token = (struct econtract_token){
        .made_ms = tick_ms(), .account_id = account->id, .company_id = company_id};
    (void)snprintf(claims, sizeof(claims),
                   "{\"sub\":\"%d\",\"companyId\":%d,\"iat\":%lld,\"exp\":%lld}", account->id,
                   company_id, (long long)now, (long long)now + TOKEN_LIFE_S);
    jwt_make(header, claims, token->text);
    return token;
}

static void write_now(char out[32])
{
    struct tm parts;
    time_t now = time(NULL);
    if (!gmtime_r(&now, &parts) || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        out[0] = '\0';
}

enum sca_status econtract_add_certificate(struct econtract *econtract, struct econtract_user *user,
                                          const struct user *identity,
                                          const struct certificate *certificate, int created_by)
{
    struct econtract_certificate **end = &user->certificates;
    for (; *end; end = &(*end)->next)
        if ((*end)->certificate == certificate)
            return SCA_OK;
    struct econtract_certificate *fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return SCA_NOMEM;
    fresh->id = econtract->next_certificate_id++;
    fresh->identity = identity;
    fresh->certificate = certificate;
    fresh->created_by = created_by;
    (void)snprintf(fresh->name, sizeof(fresh->name), "%s", identity->name);
    write_now(fresh->created);
    *end = fresh;
    if (user->default_id == 0)
        user->default_id = fresh->id;
    return SCA_OK;
}

void econtract_remove_certificate(struct econtract_user *user, int id)
{
    struct econtract_certificate **at = &user->certificates;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    if (!*at)
        return;
    struct econtract_certificate *gone = *at;
    *at = gone->next;
    free(gone);
    if (user->default_id == id)
        user->default_id = user->certificates ? user->certificates->id : 0;
}
