/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/service.h"

#include <stdio.h>
#include <string.h>

#include <uuid.h>

#include "remote/base/cleanup.h"
#include "remote/base/secret.h"

enum {
    URL_SIZE = 1024,
    WORDS_MAX = 100, /* of the service, in a note */
    MASKED_MIN = 6,  /* a shorter user_id would hide ordinary words */
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

void service_new_id(char out[static SERVICE_ID_SIZE])
{
    uuid_t id;

    uuid_generate_random(id);
    uuid_unparse_lower(id, out);
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

/* sp_password lives for the building of one request only. */
static enum sca_status fetch_password(const struct smartca_client *client, struct call *call,
                                      struct secret **ret_password)
{
    const char *why = NULL;
    enum sca_status st =
        secret_ref_fetch(&client->account->service.sp_password, ret_password, &why);

    if (st != SCA_OK && st != SCA_NOMEM)
        return call_fail(call, st, "sp_password of account %s: %s", client->account->name,
                         why ? why : sca_status_name(st));
    return st;
}

enum sca_status service_ask_certificates(struct smartca_client *client, struct call *call,
                                         struct answer *answer)
{
    AUTO(secret_freep) struct secret *password = NULL;
    char id[SERVICE_ID_SIZE];
    const char *why = NULL;
    struct buf body;

    enum sca_status st = fetch_password(client, call, &password);
    if (st != SCA_OK)
        return st;
    const struct codec_identity who = {.sp_id = client->account->service.sp_id,
                                       .sp_password = password,
                                       .user_id = client->account->user_id};
    service_new_id(id);
    st = codec_build_get_certificate(&who, id, &body);
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
    note_code(call, answer);
    return st == SCA_NOMEM ? st : SCA_OK;
}

enum sca_status service_ask_sign(struct smartca_client *client, struct call *call,
                                 const struct codec_sign_request *request, struct answer *answer)
{
    AUTO(secret_freep) struct secret *password = NULL;
    struct buf body;

    enum sca_status st = fetch_password(client, call, &password);
    if (st != SCA_OK)
        return st;
    const struct codec_identity who = {.sp_id = client->account->service.sp_id,
                                       .sp_password = password,
                                       .user_id = client->account->user_id};
    st = codec_build_sign(&who, request, &body);
    if (st != SCA_OK)
        return call_fail(call, st, "the signing request cannot be built");
    st = post(client, call, SUBMISSION, "/v1/signatures/sign", buf_span(&body), &answer->response);
    buf_fini(&body);
    if (st == SCA_OK)
        st = read_reply(answer);
    if (st != SCA_OK)
        return st;
    answer->verdict = verdict_of_sign(answer->response.status, answer->reply);
    note_code(call, answer);
    return SCA_OK;
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

/* What a verdict is to the caller, and the next step. */
static const struct {
    enum sca_status status;
    const char *advice;
} refusals[] = {
    [VERDICT_SIGNED] = {SCA_NETWORK, ""},
    [VERDICT_ACCEPTED] = {SCA_NETWORK, ""},
    [VERDICT_WAITING] = {SCA_NETWORK, ""},
    [VERDICT_REJECTED] = {SCA_REJECTED, "rejected on the phone; sign again if that was a mistake"},
    [VERDICT_EXPIRED] = {SCA_UNCONFIRMED,
                         "expired at the service; sign again and confirm on the phone in time"},
    [VERDICT_UNKNOWN_ID] = {SCA_PROTOCOL, "the service does not know this; check url"},
    [VERDICT_EXISTS] = {SCA_NETWORK, ""},
    [VERDICT_SERVICE_AUTH] = {SCA_SERVICE_AUTH,
                              "sp_id or sp_password refused; check both with the service provider"},
    [VERDICT_NOT_PERMITTED] = {SCA_NOT_PERMITTED,
                               "certificate revoked, expired or not activated; see smartca slots"},
    [VERDICT_EXHAUSTED] = {SCA_EXHAUSTED, "signing package used up; buy or renew it at VNPT"},
    [VERDICT_BUSY] = {SCA_NETWORK, "the service has too many requests; try again later"},
    [VERDICT_TROUBLE] = {SCA_NETWORK, "the service has trouble; try again later"},
    [VERDICT_FAILED] = {SCA_PROTOCOL, "refused by the service; see its message"},
};

static const char user_refused[] = "user_id refused; check it in the account's section";

/* The service's message with the identity number it may repeat hidden (design.md promise 7). The
 * mask is never longer than the number. */
static void quote_words(const struct smartca_client *client, const struct answer *answer,
                        char out[static CODEC_MESSAGE_SIZE])
{
    const char *from = answer->reply ? answer->reply->message : "no readable answer";
    const char *user_id = client->account->user_id;
    size_t id_len = strlen(user_id);
    char masked[LOG_MASK_SIZE];

    (void)log_mask(user_id, masked);
    while (*from) {
        bool is_id = id_len >= MASKED_MIN && strncmp(from, user_id, id_len) == 0;
        if (is_id)
            out = stpcpy(out, masked);
        else
            *out++ = *from;
        from += is_id ? id_len : 1;
    }
    *out = 0;
}

enum sca_status service_refusal(const struct smartca_client *client, struct call *call,
                                const struct answer *answer)
{
    char words[CODEC_MESSAGE_SIZE];
    bool is_users = answer->verdict == VERDICT_SERVICE_AUTH && answer->reply &&
                    verdict_blames_user(answer->reply);

    quote_words(client, answer, words);
    words[utf8_cut(words, WORDS_MAX)] = 0;
    return call_fail(call, refusals[answer->verdict].status, "account %s: %s (code %lu: %s)",
                     client->account->name,
                     is_users ? user_refused : refusals[answer->verdict].advice, call->device_error,
                     words);
}
