/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/auth/password-login, and what a token is good for. */
#define _DEFAULT_SOURCE /* strncasecmp */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/emulator/econtract_api.h"
#include "tests/emulator/field.h"
#include "tests/emulator/reply.h"
#include "tests/emulator/tick.h"

enum { CODE_OK = 0, CODE_OTP_NEEDED = 100, CODE_UNAUTHENTICATED = 401 };

/* How a login ends; data counts for CODE_OK only. */
struct login_answer {
    int code;
    const char *message; /* NULL: success */
    cJSON *data;
};

void econtract_reply(struct exchange *x, cJSON *take_data)
{
    reply_econtract(x, MHD_HTTP_OK, CODE_OK, NULL, take_data);
}

void econtract_refuse(struct exchange *x, const char *message)
{
    bool is_http = x->behaviour.econtract_errors == ECONTRACT_ERRORS_HTTP;
    reply_econtract(x, is_http ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_OK, CODE_OK, message, NULL);
}

const struct econtract_token *econtract_bearer(struct exchange *x)
{
    static const char scheme[] = "Bearer ";
    const char *header =
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    size_t len = sizeof(scheme) - 1;
    bool is_bearer = header && strncasecmp(header, scheme, len) == 0;
    const struct econtract_token *token =
        is_bearer ? econtract_find_token(&x->emulator->econtract, header + len) : NULL;
    uint64_t lifetime_ms = (uint64_t)x->behaviour.econtract_token_s * 1000;
    if (token && tick_ms() - token->made_ms < lifetime_ms)
        return token;
    reply_econtract(x, MHD_HTTP_UNAUTHORIZED, CODE_UNAUTHENTICATED,
                    token ? "Phiên đăng nhập đã hết hạn" : "Unauthenticated", NULL);
    return NULL;
}

/* The number of companyId, which may also come as text; 0: absent or null; -1: none. */
static int company_of(const cJSON *json)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "companyId");
    int id = -1;
    if (!item || cJSON_IsNull(item))
        return 0;
    if (cJSON_IsString(item)) {
        char *end = NULL;
        long number = strtol(item->valuestring, &end, 10);
        bool is_number = end != item->valuestring && *end == '\0';
        return is_number && number > 0 && number <= ECONTRACT_COMPANIES_MAX ? (int)number : -1;
    }
    return field_int(json, "companyId", &id) == SCA_OK && id > 0 ? id : -1;
}

static const struct econtract_account *find_account(const struct econtract *econtract,
                                                    const cJSON *json)
{
    const char *username = field_text(json, "username");
    const char *password = field_text(json, "password");
    for (size_t i = 0; username && password && i < ECONTRACT_ACCOUNTS; i++)
        if (strcmp(econtract->accounts[i].username, username) == 0 &&
            strcmp(econtract->accounts[i].password, password) == 0)
            return &econtract->accounts[i];
    return NULL;
}

static cJSON *companies_json(const struct econtract *econtract)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < econtract->company_count; i++) {
        cJSON *item = cJSON_CreateObject();
        (void)cJSON_AddNumberToObject(item, "id", (double)i + 1);
        (void)cJSON_AddStringToObject(item, "name", econtract->companies[i]);
        (void)cJSON_AddItemToArray(list, item);
    }
    return list;
}

/* Call with the lock. First who it is, then the OTP, then which company. */
static struct login_answer log_in(const struct exchange *x, const cJSON *json)
{
    struct econtract *econtract = &x->emulator->econtract;
    const struct econtract_account *account = find_account(econtract, json);
    const char *otp = field_text(json, "otp");
    int company_id = company_of(json);
    if (!account)
        return (struct login_answer){CODE_UNAUTHENTICATED, "Tên đăng nhập hoặc mật khẩu không đúng",
                                     NULL};
    if (x->behaviour.needs_econtract_otp && (!otp || strcmp(otp, econtract->otp) != 0))
        return (struct login_answer){CODE_OTP_NEEDED,
                                     otp ? "Mã OTP không đúng" : "OTP confirmation required", NULL};
    if (company_id == 0 && account->is_in_all_companies && econtract->company_count > 1)
        return (struct login_answer){CODE_OK, NULL, companies_json(econtract)};
    company_id = company_id == 0 ? 1 : company_id;
    if (!econtract_is_in(econtract, account, company_id))
        return (struct login_answer){CODE_OK, "Tài khoản không thuộc công ty này", NULL};
    const struct econtract_token *token =
        econtract_log_in(econtract, account, company_id, behaviour_now(&x->behaviour));
    return (struct login_answer){CODE_OK, NULL, cJSON_CreateString(token->text)};
}

void econtract_password_login(struct exchange *x)
{
    cJSON *json = exchange_json(x);
    if (!json)
        return;
    emulator_lock(x->emulator);
    struct login_answer answer = log_in(x, json);
    emulator_unlock(x->emulator);
    cJSON_Delete(json);
    if (!answer.message)
        econtract_reply(x, answer.data);
    else if (answer.code == CODE_UNAUTHENTICATED)
        reply_econtract(x, MHD_HTTP_UNAUTHORIZED, answer.code, answer.message, NULL);
    else if (answer.code == CODE_OTP_NEEDED)
        reply_econtract(x, MHD_HTTP_OK, answer.code, answer.message, NULL);
    else
        econtract_refuse(x, answer.message);
}
