/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/service.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <uuid.h>

#include "remote/base/cleanup.h"
#include "remote/base/secret.h"

enum {
    URL_SIZE = 1024,
};

void service_answer_init(struct answer *answer)
{
    *answer = (struct answer){.verdict = VERDICT_TROUBLE};
    http_response_init(&answer->response);
}

void service_answer_fini(struct answer *answer)
{
    codec_certificates_fini(&answer->list);
    http_response_fini(&answer->response);
}

/* uuid_generate_random would end the program where its thread's variables find no memory, and makes
 * do with guessable numbers where the system gives no others. */
enum sca_status service_new_id(struct call *call, char out[static SERVICE_ID_SIZE])
{
    uuid_t id;

    if (getrandom(id, sizeof(id), 0) != sizeof(id))
        return call_fail(call, SCA_IO, "the system gives no random bytes for a transaction's id");
    id[6] = (id[6] & 0x0f) | 0x40; /* RFC 4122 section 4.4: version and variant */
    id[8] = (id[8] & 0x3f) | 0x80;
    uuid_unparse_lower(id, out);
    return SCA_OK;
}

/* A question may be repeated on a fresh connection when a kept one proves dead; a sign may not. */
enum kind { QUESTION, SUBMISSION };

static enum sca_status post(struct smartca_client *client, struct call *call, enum kind kind,
                            const char *path, struct span body, struct http_response *response)
{
    char url[URL_SIZE];
    int len = snprintf(url, sizeof(url), "%s%s", client->account->service.url, path);

    if (len < 0 || (size_t)len >= sizeof(url))
        return call_fail(call, SCA_INVALID, "url of account %s is too long", client->account->name);
    const struct http_request request = {
        .url = url, .body = body, .is_repeatable = kind == QUESTION};
    return client->transport->send(client->transport, call, &request, response);
}

/* The service's own code where there is one, else the HTTP status. */
static void note_code(struct call *call, const struct answer *answer)
{
    bool has_code = answer->reply && answer->reply->status_code != CODEC_NO_STATUS;
    long code = has_code ? answer->reply->status_code : answer->response.status;

    call->device_error = code < 0 ? 0 : (unsigned long)code;
}

/* SCA_NOMEM, or SCA_OK with or without an envelope. */
static enum sca_status read_reply(struct answer *answer)
{
    const char *why = NULL;
    enum sca_status st =
        codec_parse_reply(buf_span(&answer->response.body), &answer->list.reply, &why);

    answer->reply = st == SCA_OK ? &answer->list.reply : NULL;
    return st == SCA_NOMEM ? st : SCA_OK;
}

/* Who asks. sp_password is what a login opened, else it is fetched, for this one request. */
struct asker {
    struct codec_identity who;
    struct secret *fetched;
};

static void asker_fini(struct asker *asker)
{
    secret_freep(&asker->fetched);
}

static enum sca_status asker_init(struct asker *asker, const struct smartca_client *client,
                                  struct call *call, const struct remote_credentials *credentials)
{
    const struct account_config *account = client->account;
    char place[SECRET_PLACE_SIZE];
    const char *why = NULL;

    *asker = (struct asker){.who = {.sp_id = account->service.sp_id,
                                    .sp_password = credentials->sp_password,
                                    .user_id = account->user_id}};
    if (credentials->sp_password)
        return SCA_OK;
    enum sca_status st = secret_ref_fetch(&account->service.sp_password, &asker->fetched, &why);
    asker->who.sp_password = asker->fetched;
    if (st != SCA_OK && st != SCA_NOMEM)
        return call_fail(call, st == SCA_NOT_FOUND ? SCA_INVALID : st,
                         "sp_password of account %s: %s%s", account->name,
                         why ? why : sca_status_name(st),
                         secret_ref_place(&account->service.sp_password, place));
    return st;
}

/* The service may repeat in its message what it was sent, and messages go into the log. */
static void hide(struct answer *answer, const struct secret *secret)
{
    if (answer->reply)
        secret_hide(answer->reply->message, secret);
}

enum sca_status service_ask_certificates(struct smartca_client *client, struct call *call,
                                         const struct remote_credentials *credentials,
                                         struct answer *answer)
{
    AUTO(asker_fini) struct asker asker = {.fetched = NULL};
    char id[SERVICE_ID_SIZE];
    const char *why = NULL;
    struct buf body;

    enum sca_status st = asker_init(&asker, client, call, credentials);
    if (st != SCA_OK)
        return st;
    st = service_new_id(call, id);
    if (st != SCA_OK)
        return st;
    st = codec_build_get_certificate(&asker.who, id, &body);
    if (st != SCA_OK)
        return call_fail(call, st, "the question for certificates cannot be built");
    st = post(client, call, QUESTION, "/v1/credentials/get_certificate", buf_span(&body),
              &answer->response);
    buf_fini(&body);
    if (st != SCA_OK)
        return st;

    st = codec_parse_certificates(buf_span(&answer->response.body), &answer->list, &answer->skipped,
                                  &why);
    answer->reply = st == SCA_OK ? &answer->list.reply : NULL;
    answer->verdict = verdict_of_certificates(answer->response.status, answer->reply);
    hide(answer, asker.who.sp_password);
    note_code(call, answer);
    return st == SCA_NOMEM ? st : SCA_OK;
}

/* Sends a body, which is gone then, and reads the answer's envelope. */
static enum sca_status submit(struct smartca_client *client, struct call *call, const char *path,
                              struct buf *body, struct answer *answer)
{
    enum sca_status st = post(client, call, SUBMISSION, path, buf_span(body), &answer->response);

    buf_fini(body);
    if (st == SCA_OK)
        st = read_reply(answer);
    if (st == SCA_OK)
        note_code(call, answer);
    return st;
}

enum sca_status service_ask_sign(struct smartca_client *client, struct call *call,
                                 const struct remote_credentials *credentials,
                                 const struct codec_sign_request *request, struct answer *answer)
{
    AUTO(asker_fini) struct asker asker = {.fetched = NULL};
    bool is_v2 = request->otp != NULL;
    struct buf body;

    enum sca_status st = asker_init(&asker, client, call, credentials);
    if (st != SCA_OK)
        return st;
    st = codec_build_sign(&asker.who, request, &body);
    if (st != SCA_OK)
        return call_fail(call, st, "the signing request cannot be built");
    st = submit(client, call, is_v2 ? "/v2/signatures/sign" : "/v1/signatures/sign", &body, answer);
    if (st == SCA_OK)
        answer->verdict = is_v2 ? verdict_of_sign2(answer->response.status, answer->reply)
                                : verdict_of_sign(answer->response.status, answer->reply);
    hide(answer, asker.who.sp_password);
    hide(answer, request->password);
    hide(answer, request->otp);
    return st;
}

enum sca_status service_ask_confirm(struct smartca_client *client, struct call *call,
                                    const struct remote_credentials *credentials,
                                    const struct codec_confirm_request *request,
                                    struct answer *answer)
{
    AUTO(asker_fini) struct asker asker = {.fetched = NULL};
    struct buf body;

    enum sca_status st = asker_init(&asker, client, call, credentials);
    if (st != SCA_OK)
        return st;
    st = codec_build_confirm(&asker.who, request, &body);
    if (st != SCA_OK)
        return call_fail(call, st, "the confirmation cannot be built");
    st = submit(client, call, "/v2/signatures/confirm", &body, answer);
    if (st == SCA_OK)
        answer->verdict = verdict_of_confirm(answer->response.status, answer->reply);
    hide(answer, asker.who.sp_password);
    hide(answer, request->password);
    hide(answer, request->sad);
    return st;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* RFC 3986 section 2.1: tran_code is the service's text, and must not become another path. */
static void encode_id(const char *id, char out[static 3 * CODEC_ID_SIZE])
{
    for (; *id; id++) {
        if (is_unreserved(*id))
            *out++ = *id;
        else
            out += snprintf(out, 4, "%%%02X", (unsigned char)*id);
    }
    *out = 0;
}

enum sca_status service_ask_status(struct smartca_client *client, struct call *call, const char *id,
                                   struct answer *answer)
{
    char encoded[3 * CODEC_ID_SIZE];
    char path[sizeof(encoded) + 40];

    encode_id(id, encoded);
    (void)snprintf(path, sizeof(path), "/v1/signatures/sign/%s/status", encoded);
    /* Its samples send no credentials with this call; "{}" is accepted wherever an empty body is.
     */
    enum sca_status st = post(client, call, QUESTION, path, span_text("{}"), &answer->response);
    if (st == SCA_OK)
        st = read_reply(answer);
    if (st != SCA_OK)
        return st;
    answer->verdict = verdict_of_status(answer->response.status, answer->reply);
    note_code(call, answer);
    return SCA_OK;
}
