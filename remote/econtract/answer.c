/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/econtract/answer.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"
#include "remote/econtract/member.h"

enum { HTTP_OK_FIRST = 200, HTTP_OK_LAST = 299 };

/* Adds text to messages, with what divides two, as far as there is room. What a terminal would
 * obey is shown as a blank. */
static void add_message(struct econtract_verdict *verdict, const char *text)
{
    size_t len = strlen(verdict->messages);
    const char *divider = len ? "; " : "";
    size_t divider_len = strlen(divider);

    if (!text || !*text || sizeof(verdict->messages) - len <= divider_len + 1)
        return;
    char *end = verdict->messages + len;
    memcpy(end, divider, divider_len);
    end += divider_len;
    size_t fits = utf8_cut(text, sizeof(verdict->messages) - len - divider_len - 1);
    memcpy(end, text, fits);
    end[fits] = 0;
    for (; *end; end++)
        if ((unsigned char)*end < ' ' || *end == 0x7f)
            *end = ' ';
    text_make_printable(verdict->messages);
}

/* An array of texts, as documented, or one text. */
static void read_messages(const cJSON *envelope, struct econtract_verdict *verdict)
{
    const cJSON *item = NULL;

    cJSON_ArrayForEach(item, json_array(envelope, "messages"))
        add_message(verdict, cJSON_GetStringValue(item));
    add_message(verdict, json_text(envelope, "messages"));
    add_message(verdict, json_text(envelope, "message"));
}

enum sca_status answer_parse(struct span body, long http_status, struct answer *ret_answer,
                             const char **why)
{
    AUTO(json_deletep) cJSON *json = NULL;
    struct answer answer = {.verdict = {.http_status = http_status}};
    int64_t code = 0;

    *ret_answer = answer;
    enum sca_status st = json_parse(body, &json, why);
    if (st != SCA_OK)
        return st;
    bool is_flag = cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(json, "success"));
    bool has_code = member_number(json, "code", &code);
    if (!cJSON_IsObject(json) || (!is_flag && !has_code)) {
        *why = wording("no envelope");
        return SCA_PROTOCOL;
    }
    answer.verdict.success = is_flag ? member_flag(json, "success") : code == ECONTRACT_OK;
    answer.verdict.code = (long)code;
    read_messages(json, &answer.verdict);
    answer.data = cJSON_GetObjectItemCaseSensitive(json, "data");
    if (cJSON_IsNull(answer.data))
        answer.data = NULL;
    answer.json = TAKE(json);
    *ret_answer = answer;
    return SCA_OK;
}

void answer_fini(struct answer *answer)
{
    cJSON_Delete(answer->json);
    *answer = (struct answer){.json = NULL};
}

bool answer_is_good(const struct answer *answer)
{
    const struct econtract_verdict *verdict = &answer->verdict;

    /* "OTP confirmation required" comes with success in some answers. */
    return verdict->success && verdict->code != ECONTRACT_OTP_NEEDED &&
           verdict->http_status >= HTTP_OK_FIRST && verdict->http_status <= HTTP_OK_LAST;
}

/* Moved out of the JSON, which is not wiped when it is freed. */
static enum sca_status take_token(char *text, struct secret **ret_token, const char **why)
{
    size_t len = strlen(text);
    bool fits = len > 0 && len <= SECRET_MAX;

    *why = fits ? NULL : wording("a token that is empty or too long");
    for (size_t i = 0; fits && i < len; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            *why = wording("a token that is none");
    enum sca_status st = *why ? SCA_PROTOCOL : secret_new(span_of(text, len), ret_token);
    secret_wipe(text, len);
    return st;
}

static enum sca_status read_companies(const cJSON *items, struct econtract_companies *companies)
{
    static const char *const id_names[] = {"id", "companyId", "comId", NULL};
    static const char *const name_names[] = {"name", "companyName", "comName", NULL};
    const cJSON *item = NULL;

    cJSON_ArrayForEach(item, items)
    {
        struct econtract_company *company = &companies->items[companies->count];
        enum sca_status st = member_any_text(item, id_names, &company->id);
        if (st == SCA_OK)
            st = member_any_text(item, name_names, &company->name);
        companies->count++;
        if (st != SCA_OK)
            return st;
        if (*company->id)
            continue;
        free(company->id);
        free(company->name);
        *company = (struct econtract_company){.id = NULL};
        companies->count--;
    }
    return SCA_OK;
}

static enum sca_status take_companies(const cJSON *items, struct econtract_companies *ret_companies,
                                      const char **why)
{
    struct econtract_companies companies = {.count = 0};
    size_t count = (size_t)cJSON_GetArraySize(items);

    *why = wording("companies without an id, or too many");
    if (count == 0 || count > ANSWER_COMPANIES_MAX)
        return SCA_PROTOCOL;
    companies.items = calloc(count, sizeof(*companies.items));
    if (!companies.items)
        return SCA_NOMEM;
    enum sca_status st = read_companies(items, &companies);
    if (st == SCA_OK && companies.count == 0)
        st = SCA_PROTOCOL;
    if (st != SCA_OK) {
        econtract_companies_fini(&companies);
        return st;
    }
    *ret_companies = companies;
    *why = NULL;
    return SCA_OK;
}

enum sca_status answer_take_login(struct answer *answer, struct secret **ret_token,
                                  struct econtract_companies *ret_companies, const char **why)
{
    static const char *const token_names[] = {"token", "accessToken"};
    static const char *const list_names[] = {"companies", "items"};
    char *text = cJSON_GetStringValue(answer->data);
    const cJSON *list = cJSON_IsArray(answer->data) ? answer->data : NULL;

    for (size_t i = 0; !text && i < ARRAY_LEN(token_names); i++)
        text = cJSON_GetStringValue(cJSON_IsObject(answer->data) ? cJSON_GetObjectItemCaseSensitive(
                                                                       answer->data, token_names[i])
                                                                 : NULL);
    for (size_t i = 0; !list && i < ARRAY_LEN(list_names); i++)
        list = json_array(answer->data, list_names[i]);
    if (text)
        return take_token(text, ret_token, why);
    if (list)
        return take_companies(list, ret_companies, why);
    *why = wording("neither a token nor companies");
    return SCA_PROTOCOL;
}

static enum sca_status read_certificate(const cJSON *item,
                                        struct econtract_certificate *certificate)
{
    const struct {
        const char *name;
        char **text;
    } texts[] = {
        {"name", &certificate->name},
        {"commonName", &certificate->common_name},
        {"uid", &certificate->uid},
        {"serialNumber", &certificate->serial_number},
        {"subjectDN", &certificate->subject_dn},
        {"validFrom", &certificate->valid_from},
        {"validTo", &certificate->valid_to},
        {"smartCaUsername", &certificate->smart_ca_username},
    };
    enum sca_status st = SCA_OK;
    int64_t status = 0;

    certificate->is_valid = member_flag(item, "isValid");
    certificate->is_business = member_flag(item, "isBusinessSmartCaAccount");
    if (member_coded(item, "status", "value", &status))
        certificate->status = (long)status;
    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(texts); i++)
        st = member_text(item, texts[i].name, texts[i].text);
    return st;
}

static enum sca_status read_certificates(const cJSON *items, struct econtract_user *user,
                                         const char **why)
{
    size_t count = (size_t)cJSON_GetArraySize(items);
    const cJSON *item = NULL;
    enum sca_status st = SCA_OK;

    if (!items)
        return SCA_OK;
    if (count > ANSWER_CERTIFICATES_MAX) {
        *why = wording("too many certificates");
        return SCA_PROTOCOL;
    }
    user->certificates = calloc(count + 1, sizeof(*user->certificates));
    if (!user->certificates)
        return SCA_NOMEM;
    cJSON_ArrayForEach(item, items)
    {
        struct econtract_certificate *certificate = &user->certificates[user->certificate_count];
        if (st != SCA_OK || !member_number(item, "id", &certificate->id))
            continue;
        user->certificate_count++;
        st = read_certificate(item, certificate);
    }
    return st;
}

/* Left in a state that econtract_user_fini takes, also on failure. */
static enum sca_status read_user(const cJSON *item, struct econtract_user *user, const char **why)
{
    const struct {
        const char *name;
        char **text;
    } texts[] = {
        {"code", &user->code},
        {"name", &user->name},
        {"email", &user->email},
        {"signatureText", &user->signature_text},
    };
    enum sca_status st = SCA_OK;

    if (!member_coded(item, "defaultSmartCa", "id", &user->default_id))
        (void)member_number(item, "smartCaId", &user->default_id); /* in lists; 0: there is none */
    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(texts); i++)
        st = member_text(item, texts[i].name, texts[i].text);
    return st == SCA_OK ? read_certificates(json_array(item, "userCertificates"), user, why) : st;
}

static enum sca_status read_users(const cJSON *items, struct econtract_users *users,
                                  const char **why)
{
    size_t count = (size_t)cJSON_GetArraySize(items);
    const cJSON *item = NULL;
    enum sca_status st = SCA_OK;

    if (count > ANSWER_USERS_MAX) {
        *why = wording("too many users");
        return SCA_PROTOCOL;
    }
    users->items = calloc(count + 1, sizeof(*users->items));
    if (!users->items)
        return SCA_NOMEM;
    cJSON_ArrayForEach(item, items)
    {
        struct econtract_user *user = &users->items[users->count];
        if (st != SCA_OK || !member_number(item, "id", &user->id))
            continue;
        users->count++;
        st = read_user(item, user, why);
    }
    return st;
}

enum sca_status answer_users(const struct answer *answer, struct econtract_users *ret_users,
                             const char **why)
{
    struct econtract_users users = {.count = 0};
    int64_t total = 0;

    const cJSON *items =
        cJSON_IsArray(answer->data) ? answer->data : json_array(answer->data, "items");
    if (!items) {
        *why = wording("no list of users");
        return SCA_PROTOCOL;
    }
    enum sca_status st = read_users(items, &users, why);
    if (st != SCA_OK) {
        econtract_users_fini(&users);
        return st;
    }
    users.has_next = member_flag(answer->data, "hasNextPage");
    bool has_total = member_number(answer->data, "totalCount", &total) && total >= 0;
    users.total = has_total ? (size_t)total : users.count;
    *ret_users = users;
    return SCA_OK;
}

enum sca_status answer_user(const struct answer *answer, struct econtract_user *ret_user,
                            const char **why)
{
    struct econtract_user user = {.id = 0};

    if (!member_number(answer->data, "id", &user.id)) {
        *ret_user = (struct econtract_user){.id = 0};
        return SCA_OK;
    }
    enum sca_status st = read_user(answer->data, &user, why);
    if (st != SCA_OK) {
        econtract_user_fini(&user);
        return st;
    }
    *ret_user = user;
    return SCA_OK;
}
