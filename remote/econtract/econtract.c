/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/econtract/econtract.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/file.h"
#include "remote/base/log.h"
#include "remote/econtract/answer.h"
#include "remote/econtract/complaint.h"
#include "remote/econtract/question.h"
#include "remote/econtract/ticket.h"

struct econtract {
    const struct econtract_config *config;
    char *state_dir;
    struct transport *transport;
    bool owns_transport;
    struct secret *password; /* given, or fetched at its first use */
    struct ticket ticket;    /* token NULL: none that holds */
    enum sca_status kept;    /* could the last token be written? */
    struct econtract_verdict verdict;
};

static enum sca_status make_transport(struct econtract *econtract)
{
    const struct econtract_config *config = econtract->config;
    const struct http_settings settings = {
        .ca_file = config->ca_file,
        .pinned_public_key = config->pinned_public_key,
        .proxy = config->proxy,
        .connect_timeout_ms = config->connect_timeout_ms,
        .request_timeout_ms = config->request_timeout_ms,
    };

    enum sca_status st = http_transport_new(&settings, crypto_libctx(), &econtract->transport);
    econtract->owns_transport = st == SCA_OK;
    return st;
}

enum sca_status econtract_new(const struct econtract_config *config, const char *state_dir,
                              struct transport *transport, struct econtract **ret_econtract)
{
    if (!config->url || !config->username)
        return SCA_INVALID;
    AUTO(econtract_freep) struct econtract *econtract = calloc(1, sizeof(*econtract));
    if (!econtract)
        return SCA_NOMEM;

    econtract->config = config;
    econtract->transport = transport;
    econtract->state_dir = strdup(state_dir);
    if (!econtract->state_dir)
        return SCA_NOMEM;
    enum sca_status st = transport ? SCA_OK : make_transport(econtract);
    if (st == SCA_OK)
        *ret_econtract = TAKE(econtract);
    return st;
}

void econtract_use_password(struct econtract *econtract, struct secret *take_password)
{
    secret_free(econtract->password);
    econtract->password = take_password;
}

void econtract_free(struct econtract *econtract)
{
    if (!econtract)
        return;
    if (econtract->owns_transport)
        http_transport_free(econtract->transport);
    ticket_fini(&econtract->ticket);
    secret_free(econtract->password);
    free(econtract->state_dir);
    free(econtract);
}

void econtract_freep(struct econtract **econtract)
{
    econtract_free(*econtract);
    *econtract = NULL;
}

const struct econtract_verdict *econtract_verdict(const struct econtract *econtract)
{
    return &econtract->verdict;
}

static enum sca_status need_password(struct econtract *econtract, struct call *call)
{
    char place[SECRET_PLACE_SIZE];
    const char *why = NULL;

    if (econtract->password)
        return SCA_OK;
    enum sca_status st = secret_ref_fetch(&econtract->config->password, &econtract->password, &why);
    /* SCA_NOT_FOUND and SCA_USER_AUTH are the service's words here. */
    return st == SCA_OK ? SCA_OK
                        : call_fail(call, st == SCA_IO || st == SCA_NOMEM ? st : SCA_INVALID,
                                    "eContract: password: %s%s: give it in [econtract], or with "
                                    "--password-file",
                                    why, secret_ref_place(&econtract->config->password, place));
}

static struct ticket_owner owner_of(const struct econtract *econtract)
{
    return (struct ticket_owner){
        .state_dir = econtract->state_dir,
        .url = econtract->config->url,
        .username = econtract->config->username,
        .password = econtract->password,
    };
}

/* What the service repeats of what it was sent is shown to a person, and goes into the log. */
static void hide(struct econtract *econtract, struct answer *answer, const struct secret *secret)
{
    secret_hide(answer->verdict.messages, secret);
    econtract->verdict = answer->verdict;
}

/* One request and its answer, of whatever verdict. The caller answer_fini()s ret_answer. */
static enum sca_status exchange(struct econtract *econtract, struct call *call,
                                const struct http_request *request, struct answer *ret_answer)
{
    AUTO(http_response_fini) struct http_response response;
    const char *why = NULL;

    http_response_init(&response);
    econtract->verdict = (struct econtract_verdict){.http_status = 0};
    enum sca_status st = econtract->transport->send(econtract->transport, call, request, &response);
    if (st != SCA_OK)
        return st;
    st = answer_parse(buf_span(&response.body), response.status, ret_answer, &why);
    hide(econtract, ret_answer, econtract->password);
    hide(econtract, ret_answer, request->bearer);
    return st == SCA_OK ? SCA_OK : complaint_unreadable(&econtract->verdict, call, st, why);
}

static enum sca_status post_login(struct econtract *econtract, struct call *call,
                                  const char *company_id, const struct secret *otp,
                                  struct answer *ret_answer)
{
    AUTO(freep) char *url = path_join(econtract->config->url, "api/auth/password-login");
    AUTO(buf_fini) struct buf body;
    const struct question_login login = {
        .username = econtract->config->username,
        .password = econtract->password,
        .company_id = company_id,
        .otp = otp,
    };

    enum sca_status st = question_login(&login, &body);
    if (st == SCA_OK && !url)
        st = SCA_NOMEM;
    if (st != SCA_OK)
        return call_fail(call, st, "eContract: user name, password or OTP cannot be sent: no text");
    const struct http_request request = {
        .method = HTTP_POST,
        .url = url,
        .body = buf_span(&body),
        .is_repeatable = !otp, /* an OTP is good for once */
    };
    st = exchange(econtract, call, &request, ret_answer);
    hide(econtract, ret_answer, otp);
    return st;
}

/* Keeps the token for later runs. SCA_INVALID: not with a company_id like that. */
static enum sca_status keep_token(struct econtract *econtract, struct call *call,
                                  const char *company_id, struct secret *take_token)
{
    struct ticket *ticket = &econtract->ticket;
    const struct ticket_owner owner = owner_of(econtract);
    size_t len = company_id ? strlen(company_id) : 0;

    ticket_fini(ticket);
    ticket->token = take_token;
    ticket->ends_at = call->clock->wall_s(call->clock) + TICKET_LIFE_S;
    if (len > TICKET_COMPANY_MAX)
        return SCA_INVALID;
    memcpy(ticket->company_id, company_id ? company_id : "", len);
    return ticket_save(&owner, ticket);
}

/* What came of a login: a token in ticket, or companies. */
static enum sca_status log_in(struct econtract *econtract, struct call *call,
                              const char *company_id, const struct secret *otp,
                              struct econtract_companies *ret_companies)
{
    AUTO(answer_fini) struct answer answer = {.json = NULL};
    struct secret *token = NULL;
    const char *why = NULL;

    enum sca_status st = need_password(econtract, call);
    if (st == SCA_OK)
        st = post_login(econtract, call, company_id, otp, &answer);
    if (st != SCA_OK)
        return st;
    if (!answer_is_good(&answer))
        return complaint_fail(&answer.verdict, call, COMPLAINT_OF_LOGIN);
    st = answer_take_login(&answer, &token, ret_companies, &why);
    if (st != SCA_OK)
        return complaint_unreadable(&answer.verdict, call, st, why);
    econtract->kept = token ? keep_token(econtract, call, company_id, token) : SCA_OK;
    return SCA_OK;
}

enum sca_status econtract_login(struct econtract *econtract, struct call *call,
                                const char *company_id, const struct secret *otp,
                                struct econtract_companies *ret_companies)
{
    struct econtract_companies companies = {.count = 0};

    if (!company_id)
        company_id = econtract->config->company_id;
    enum sca_status st = log_in(econtract, call, company_id, otp, &companies);
    if (st != SCA_OK)
        return st;
    if (econtract->kept != SCA_OK)
        return call_fail(call, econtract->kept,
                         "eContract: logged in, but %s/vault/econtract cannot be written: check "
                         "owner, permissions and free space",
                         econtract->state_dir);
    *ret_companies = companies;
    return SCA_OK;
}

/* Without anybody to ask. */
static enum sca_status log_in_alone(struct econtract *econtract, struct call *call)
{
    AUTO(econtract_companies_fini) struct econtract_companies companies = {.count = 0};
    char before[sizeof(econtract->ticket.company_id)]; /* the ticket is replaced meanwhile */
    const char *company_id = econtract->config->company_id;

    memcpy(before, econtract->ticket.company_id, sizeof(before));
    if (!company_id && before[0])
        company_id = before;
    enum sca_status st = log_in(econtract, call, company_id, NULL, &companies);
    if (st == SCA_OK && companies.count > 0)
        return call_fail(call, SCA_INVALID,
                         "eContract: the user belongs to several companies: put company_id into "
                         "[econtract], or run smartca econtract login --company ID");
    if (st == SCA_OK && econtract->kept != SCA_OK)
        log_line(LOG_LEVEL_WARNING, "%s/vault/econtract cannot be written: each run logs in anew",
                 econtract->state_dir);
    return st;
}

static bool is_alive(const struct ticket *ticket, int64_t now)
{
    return ticket->token && now < ticket->ends_at && ticket->ends_at - now <= TICKET_LIFE_S;
}

/* A token kept before, for the company that is asked for now. */
static enum sca_status recall(struct econtract *econtract, int64_t now)
{
    const char *wanted = econtract->config->company_id;
    const struct ticket_owner owner = owner_of(econtract);
    struct ticket ticket = {.token = NULL};

    enum sca_status st = ticket_load(&owner, &ticket);
    if (st != SCA_OK)
        return st;
    if (wanted && strcmp(wanted, ticket.company_id) != 0) {
        ticket_fini(&ticket);
        return SCA_NOT_FOUND;
    }
    /* One that has ended still tells the company. */
    ticket_fini(&econtract->ticket);
    econtract->ticket = ticket;
    return is_alive(&ticket, now) ? SCA_OK : SCA_NOT_FOUND;
}

/* ret_is_new: the service gave it just now. */
static enum sca_status need_token(struct econtract *econtract, struct call *call, bool *ret_is_new)
{
    int64_t now = call->clock->wall_s(call->clock);

    *ret_is_new = false;
    if (is_alive(&econtract->ticket, now))
        return SCA_OK;
    enum sca_status st = need_password(econtract, call);
    if (st != SCA_OK)
        return st;
    st = recall(econtract, now);
    if (st != SCA_NOT_FOUND)
        return st == SCA_OK ? SCA_OK : call_fail(call, st, "eContract: out of memory");
    *ret_is_new = true;
    return log_in_alone(econtract, call);
}

/* A request with the token; once more with a new one when the service does not take it. */
static enum sca_status ask(struct econtract *econtract, struct call *call,
                           struct http_request *request, struct answer *ret_answer)
{
    bool is_new = false;

    enum sca_status st = need_token(econtract, call, &is_new);
    if (st != SCA_OK)
        return st;
    request->bearer = econtract->ticket.token;
    st = exchange(econtract, call, request, ret_answer);
    if (complaint_is_unauthorised(&econtract->verdict) && !is_new) {
        answer_fini(ret_answer);
        /* What is kept in the file stays until there is a new one: it knows the company. */
        secret_freep(&econtract->ticket.token);
        st = log_in_alone(econtract, call);
        if (st != SCA_OK)
            return st;
        request->bearer = econtract->ticket.token;
        st = exchange(econtract, call, request, ret_answer);
    }
    if (st != SCA_OK)
        return st;
    return answer_is_good(ret_answer)
               ? SCA_OK
               : complaint_fail(&ret_answer->verdict, call, COMPLAINT_OF_REQUEST);
}

enum sca_status econtract_list_users(struct econtract *econtract, struct call *call,
                                     const char *search, unsigned page, unsigned page_size,
                                     struct econtract_users *ret_users)
{
    AUTO(answer_fini) struct answer answer = {.json = NULL};
    AUTO(buf_fini) struct buf address;
    const struct question_page wanted = {search, page, page_size};
    const char *why = NULL;

    enum sca_status st = question_users(econtract->config->url, &wanted, &address);
    if (st != SCA_OK)
        return call_fail(call, st, "eContract: the search cannot be sent: no text, or too long");
    struct http_request request = {
        .method = HTTP_GET,
        .url = (const char *)address.ptr,
        .is_repeatable = true,
    };
    st = ask(econtract, call, &request, &answer);
    if (st != SCA_OK)
        return st;
    st = answer_users(&answer, ret_users, &why);
    return st == SCA_OK ? SCA_OK : complaint_unreadable(&answer.verdict, call, st, why);
}

static enum sca_status cannot_send(struct call *call, enum sca_status st)
{
    return call_fail(call, st, "eContract: a value cannot be sent: no text, or too long");
}

/* One of the three that change a user. */
static enum sca_status change(struct econtract *econtract, struct call *call, const char *path,
                              struct buf *take_body, struct econtract_user *ret_user)
{
    AUTO(buf_fini) struct buf body = *take_body;
    AUTO(answer_fini) struct answer answer = {.json = NULL};
    AUTO(freep) char *url = path_join(econtract->config->url, path);
    const char *why = NULL;
    struct http_request request = {.method = HTTP_POST, .url = url, .body = buf_span(&body)};

    if (!url)
        return cannot_send(call, SCA_NOMEM);
    enum sca_status st = ask(econtract, call, &request, &answer);
    if (st != SCA_OK)
        return st;
    st = answer_user(&answer, ret_user, &why);
    return st == SCA_OK ? SCA_OK : complaint_unreadable(&answer.verdict, call, st, why);
}

enum sca_status econtract_add(struct econtract *econtract, struct call *call, int64_t user_id,
                              const char *user_name, const char *serial,
                              struct econtract_user *ret_user)
{
    struct buf body;

    enum sca_status st = question_add(user_id, user_name, serial, &body);
    return st == SCA_OK ? change(econtract, call, "api/users/smart-ca/add", &body, ret_user)
                        : cannot_send(call, st);
}

enum sca_status econtract_update(struct econtract *econtract, struct call *call,
                                 int64_t certificate_id, int64_t user_id, bool is_default,
                                 const char *name, struct econtract_user *ret_user)
{
    const struct question_update update = {certificate_id, user_id, is_default, name};
    struct buf body;

    enum sca_status st = question_update(&update, &body);
    return st == SCA_OK ? change(econtract, call, "api/users/smart-ca/update", &body, ret_user)
                        : cannot_send(call, st);
}

enum sca_status econtract_delete(struct econtract *econtract, struct call *call,
                                 int64_t certificate_id, int64_t user_id,
                                 struct econtract_user *ret_user)
{
    struct buf body;

    enum sca_status st = question_delete(certificate_id, user_id, &body);
    return st == SCA_OK ? change(econtract, call, "api/users/smart-ca/delete", &body, ret_user)
                        : cannot_send(call, st);
}
