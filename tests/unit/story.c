/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "remote/base/crypto.h"
#include "remote/smartca/transaction.h"
#include "tests/lib/folder.h"

/* Made once: it takes longer than all the tests. */
static EVP_PKEY *shared_key;

static struct story *story_of_clock(const struct clock *clock)
{
    return (struct story *)(uintptr_t)clock; /* clock is the first member */
}

static uint64_t fake_now(const struct clock *clock)
{
    return story_of_clock(clock)->now_ms;
}

static int64_t fake_wall(const struct clock *clock)
{
    const struct story *story = story_of_clock(clock);

    return STORY_BEGIN_S + ((int64_t)story->now_ms - STORY_BEGIN_MS) / 1000 + story->wall_shift_s;
}

static void fake_wait(const struct clock *clock, struct call *call, uint64_t ms)
{
    if (!call_is_cancelled(call))
        story_of_clock(clock)->now_ms += ms;
}

char *story_text_of(const char *json_body, const char *name)
{
    cJSON *json = cJSON_Parse(json_body);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    char *copy = text ? strdup(text) : NULL;

    cJSON_Delete(json);
    return copy;
}

static void record(struct story *story, const struct http_request *request)
{
    assert_true(story->request_count < STORY_REQUESTS_MAX);
    struct story_request *into = &story->requests[story->request_count++];

    (void)snprintf(into->url, sizeof(into->url), "%s", request->url);
    into->body = strndup((const char *)request->body.ptr, request->body.len);
    into->at_ms = story->now_ms;
    char *id = story_text_of(into->body, "transaction_id");
    if (id)
        (void)snprintf(into->id, sizeof(into->id), "%s", id);
    else
        (void)sscanf(strstr(into->url, "/sign/"), "/sign/%63[^/]", into->id);
    free(id);
}

static const char *last_posted(const struct story *story)
{
    for (size_t i = story->request_count; i-- > 0;)
        if (strstr(story->requests[i].body, "sign_files"))
            return story->requests[i].body;
    return NULL;
}

void story_signature(const struct story *story, struct span digest,
                     uint8_t out[static STORY_SIGNATURE])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(story->pkey, NULL);
    size_t len = STORY_SIGNATURE;

    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
    assert_int_equal(EVP_PKEY_sign(ctx, out, &len, digest.ptr, digest.len), 1);
    EVP_PKEY_CTX_free(ctx);
}

bool story_is_signed(const struct story *story, const struct remote_document *document)
{
    uint8_t expected[STORY_SIGNATURE];

    story_signature(story, document->digest, expected);
    return document->status == SCA_OK &&
           memcmp(expected, document->signature, sizeof(expected)) == 0;
}

static void add_signature(const struct story *story, cJSON *list, const cJSON *file,
                          const cJSON *signed_file, bool has_doc_id)
{
    uint8_t digest[32];
    uint8_t signature[STORY_SIGNATURE];
    unsigned char text[2 * STORY_SIGNATURE];
    size_t len = 0;
    const char *hex =
        cJSON_GetObjectItemCaseSensitive(signed_file, "data_to_be_signed")->valuestring;
    cJSON *item = cJSON_CreateObject();

    assert_int_equal(hex_decode(hex, digest, sizeof(digest), &len), SCA_OK);
    story_signature(story, span_of(digest, len), signature);
    (void)EVP_EncodeBlock(text, signature, STORY_SIGNATURE);
    if (has_doc_id)
        cJSON_AddStringToObject(item, "doc_id",
                                cJSON_GetObjectItemCaseSensitive(file, "doc_id")->valuestring);
    cJSON_AddStringToObject(item, "signature_value", (const char *)text);
    cJSON_AddNullToObject(item, "timestamp_signature");
    cJSON_AddItemToArray(list, item);
}

char *story_signed_body(const struct story *story, const char *request_body, const char *kind)
{
    cJSON *request = cJSON_Parse(request_body);
    cJSON *files = cJSON_GetObjectItemCaseSensitive(request, "sign_files");
    cJSON *reply = cJSON_CreateObject();
    bool is_twisted = strcmp(kind, SIGNED_TWISTED) == 0;

    cJSON_AddNumberToObject(reply, "status_code", 200);
    cJSON_AddStringToObject(reply, "message", "SUCCESS");
    cJSON *data = cJSON_AddObjectToObject(reply, "data");
    cJSON_AddStringToObject(data, "transaction_id", "not the same");
    cJSON *list = cJSON_AddArrayToObject(data, "signatures");
    for (const cJSON *file = files->child; file; file = file->next) {
        add_signature(story, list, file, is_twisted ? files->child : file,
                      strcmp(kind, SIGNED_NAMELESS) != 0);
        if (strcmp(kind, SIGNED_PARTLY) == 0)
            break;
    }
    char *body = cJSON_PrintUnformatted(reply);
    cJSON_Delete(reply);
    cJSON_Delete(request);
    return body;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);

    return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

static const struct line *next_line(struct story *story)
{
    if (story->line_at == story->line_count)
        fail_msg("the story has no line for request %zu", story->request_count);
    const struct line *line = &story->lines[story->line_at];
    if (++story->line_used >= (line->times ? line->times : 1)) {
        story->line_at++;
        story->line_used = 0;
    }
    return line;
}

static enum sca_status answer(struct story *story, const struct line *line,
                              struct http_response *response)
{
    char *made = line->says && line->says[0] == '@'
                     ? story_signed_body(story, last_posted(story), line->says)
                     : NULL;
    const char *body = made ? made : line->says ? line->says : "";

    response->status = line->http ? line->http : 200;
    response->retry_after_ms = line->retry_after_ms;
    response->was_sent = true;
    if (line->clock_ahead_s)
        response->date = story->clock.wall_s(&story->clock) + line->clock_ahead_s;
    assert_int_equal(buf_append(&response->body, span_text(body)), SCA_OK);
    cJSON_free(made);
    return SCA_OK;
}

static enum sca_status scripted_send(struct transport *transport, struct call *call,
                                     const struct http_request *request,
                                     struct http_response *response)
{
    struct story *story =
        (struct story *)(uintptr_t)((char *)transport - offsetof(struct story, transport));
    const struct line *line = next_line(story);

    record(story, request);
    if (!ends_with(request->url, line->to))
        fail_msg("%s was asked for, not %s", request->url, line->to);
    uint64_t left = call_left_ms(call);
    story->now_ms += line->takes_ms < left ? line->takes_ms : left;
    switch (line->fate) {
    case ANSWERED:
        if (line->takes_ms > left) {
            response->was_sent = true;
            return call_fail(call, SCA_NETWORK, "timed out");
        }
        return answer(story, line, response);
    case LOST:
        response->was_sent = true;
        call->device_error = HTTP_DEVICE_ERROR + 56;
        return call_fail(call, SCA_NETWORK, "connection reset");
    case UNSENT:
        call->device_error = HTTP_DEVICE_ERROR + 7;
        return call_fail(call, SCA_NETWORK, "connection refused");
    case GIVEN_UP:
        response->was_sent = true;
        call_cancel(call);
        return SCA_CANCELLED;
    }
    return SCA_INVALID;
}

void story_tell(struct story *story, const struct line *lines, size_t count)
{
    for (size_t i = 0; i < story->request_count; i++)
        free(story->requests[i].body);
    memset(story->requests, 0, sizeof(story->requests));
    story->request_count = 0;
    free((void *)(uintptr_t)story->lines);
    struct line *copy = calloc(count ? count : 1, sizeof(*copy));
    assert_non_null(copy);
    if (count)
        memcpy(copy, lines, count * sizeof(*copy));
    story->lines = copy;
    story->line_count = count;
    story->line_at = 0;
    story->line_used = 0;
}

void story_new_client(struct story *story)
{
    client_free(story->client);
    story->client = NULL;
    assert_int_equal(
        client_new_over(&story->transport, &story->account, story->dir, &story->client), SCA_OK);
}

int story_begin(void **state)
{
    static char url[] = STORY_URL;
    static char sp_id[] = "4184-637127995547330633.apps.signserviceapi.com";
    static char password[] = "test-password";
    static char user[] = STORY_USER;
    static char name[] = "work";
    struct story *story = calloc(1, sizeof(*story));
    int spki_len = 0;

    story->clock = (struct clock){.now_ms = fake_now, .wall_s = fake_wall, .wait = fake_wait};
    story->now_ms = STORY_BEGIN_MS;
    story->transport.send = scripted_send;
    (void)strcpy(story->dir, "/tmp/story.XXXXXX");
    assert_non_null(mkdtemp(story->dir));
    story->account = (struct account_config){
        .name = name,
        .user_id = user,
        .service = {.url = url,
                    .sp_id = sp_id,
                    .sp_password = {.kind = SECRET_LITERAL, .text = password},
                    .connect_timeout_ms = 10000,
                    .request_timeout_ms = 30000,
                    .confirm_timeout_ms = STORY_BUDGET_MS,
                    .poll_interval_ms = 2000,
                    .batch_max = 50},
    };
    if (!shared_key)
        shared_key = EVP_RSA_gen(8 * STORY_SIGNATURE);
    assert_non_null(shared_key);
    story->pkey = shared_key;
    spki_len = i2d_PUBKEY(story->pkey, &story->spki);
    assert_true(spki_len > 0);
    story->key = (struct remote_key){.service_serial = STORY_SERIAL,
                                     .spki = span_of(story->spki, (size_t)spki_len),
                                     .signature_len = STORY_SIGNATURE};
    story->host.libctx = crypto_libctx();
    client_attach(&story->host);
    story_new_client(story);
    *state = story;
    return 0;
}

int story_end(void **state)
{
    struct story *story = *state;

    story_tell(story, NULL, 0);
    free((void *)(uintptr_t)story->lines);
    client_free(story->client);
    OPENSSL_free(story->spki);
    (void)folder_remove(story->dir);
    free(story);
    return 0;
}

void story_call(struct story *story, struct call *call, uint64_t budget_ms)
{
    call_init(call, &story->clock, budget_ms);
}

enum sca_status story_sign_with(struct story *story, const struct remote_credentials *credentials,
                                struct remote_document *documents, size_t count, char *note)
{
    struct call call;

    story_call(story, &call, STORY_BUDGET_MS);
    enum sca_status st =
        transaction_sign(story->client, &call, credentials, &story->key, documents, count);
    if (note)
        memcpy(note, call.note, STORY_NOTE_SIZE);
    call_fini(&call);
    return st;
}

enum sca_status story_sign(struct story *story, struct remote_document *documents, size_t count)
{
    return story_sign_with(story, &no_credentials, documents, count, NULL);
}

struct remote_document story_document(struct story_document *document, uint8_t seed)
{
    memset(document->digest, seed, sizeof(document->digest));
    memset(document->signature, 0, sizeof(document->signature));
    return (struct remote_document){.digest = span_of(document->digest, sizeof(document->digest)),
                                    .signature = document->signature,
                                    .status = SCA_STATUS_COUNT};
}

void story_alone(struct lone *lone)
{
    lone->document = story_document(&lone->made, 1);
}

enum sca_status story_sign_alone(struct story *story, struct lone *lone)
{
    story_alone(lone);
    return story_sign(story, &lone->document, 1);
}

uint64_t story_time(const struct story *story, size_t index)
{
    assert_true(index < story->request_count);
    return story->requests[index].at_ms;
}

static size_t read_journal(const struct story *story, char *out, size_t size)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/journal/transactions", story->dir);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(out, 1, size - 1, file) : 0;
    if (file)
        (void)fclose(file);
    assert_true(len < size - 1);
    while (len > 0 && out[len - 1] == '\n')
        len--;
    out[len] = 0;
    return len;
}

size_t story_journal_size(const struct story *story)
{
    char lines[64 * 1024];

    return read_journal(story, lines, sizeof(lines));
}

bool story_journal_holds(const struct story *story, const char *text)
{
    char lines[64 * 1024];

    (void)read_journal(story, lines, sizeof(lines));
    return strstr(lines, text) != NULL;
}

size_t story_count(const struct story *story, const char *endpoint)
{
    size_t count = 0;

    for (size_t i = 0; i < story->request_count; i++)
        count += ends_with(story->requests[i].url, endpoint);
    return count;
}

size_t story_count_ids(const struct story *story, const char *endpoint)
{
    size_t count = 0;

    for (size_t i = 0; i < story->request_count; i++) {
        bool is_new = ends_with(story->requests[i].url, endpoint);
        for (size_t j = 0; j < i && is_new; j++)
            is_new = !ends_with(story->requests[j].url, endpoint) ||
                     strcmp(story->requests[i].id, story->requests[j].id) != 0;
        count += is_new;
    }
    return count;
}
