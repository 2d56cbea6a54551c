/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <uuid.h>

enum { REPLY_MAX = 8192 };

#define PROVIDER                                                                                   \
    "\"sp_id\":\"4184-637127995547330633.apps.signserviceapi.com\","                               \
    "\"sp_password\":\"test-password\",\"user_id\":\"012345678901\","

struct bare {
    CURL *curl;
    struct curl_slist *headers;
    const struct bench *bench;
    char reply[REPLY_MAX];
    size_t reply_len;
};

static size_t keep(char *bytes, size_t size, size_t count, void *arg)
{
    struct bare *bare = arg;
    size_t len = size * count;

    if (bare->reply_len + len < sizeof(bare->reply)) {
        memcpy(bare->reply + bare->reply_len, bytes, len);
        bare->reply_len += len;
        bare->reply[bare->reply_len] = 0;
    }
    return len;
}

static void post(struct bare *bare, const char *path, const char *body)
{
    char url[256];
    long status = 0;

    bare->reply_len = 0;
    (void)snprintf(url, sizeof(url), "%s%s", bare->bench->service, path);
    curl_easy_setopt(bare->curl, CURLOPT_URL, url);
    curl_easy_setopt(bare->curl, CURLOPT_POSTFIELDS, body);
    CURLcode rc = curl_easy_perform(bare->curl);
    curl_easy_getinfo(bare->curl, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK || status != 200) {
        fprintf(stderr, "bench: bare libcurl: %s, HTTP %ld\n", curl_easy_strerror(rc), status);
        exit(1);
    }
}

static void build_sign(const struct bare *bare, const char *id, unsigned number, char *out,
                       size_t size)
{
    char person[128] = "";

    if (bare->bench->otp)
        (void)snprintf(person, sizeof(person), "\"password\":\"user-password\",\"otp\":\"%s\",",
                       bare->bench->otp);
    (void)snprintf(out, size,
                   "{" PROVIDER "%s\"transaction_id\":\"%s\",\"transaction_desc\":\"bench\","
                   "\"serial_number\":\"%s\",\"time_stamp\":\"20260101000000Z\",\"sign_files\":["
                   "{\"data_to_be_signed\":\"%064x\",\"doc_id\":\"d-1\",\"file_type\":\"pdf\","
                   "\"sign_type\":\"hash\"}]}",
                   person, id, bare->bench->serial, number);
}

static void confirm(struct bare *bare, const char *id)
{
    static const char key[] = "\"sad\":\"";
    char body[REPLY_MAX + 512];
    const char *sad = strstr(bare->reply, key);

    sad = sad ? sad + sizeof(key) - 1 : "";
    (void)snprintf(body, sizeof(body),
                   "{" PROVIDER "\"password\":\"user-password\",\"sad\":\"%.*s\","
                   "\"transaction_id\":\"%s\"}",
                   (int)strcspn(sad, "\""), sad, id);
    post(bare, "/v2/signatures/confirm", body);
}

static void bare_sign(struct bare *bare, unsigned number)
{
    uuid_t id;
    char text[37];
    char body[1024];
    char path[96];

    uuid_generate_random(id);
    uuid_unparse_lower(id, text);
    build_sign(bare, text, number, body, sizeof(body));
    post(bare, bare->bench->otp ? "/v2/signatures/sign" : "/v1/signatures/sign", body);
    if (bare->bench->otp) {
        confirm(bare, text);
        return;
    }
    (void)snprintf(path, sizeof(path), "/v1/signatures/sign/%s/status", text);
    post(bare, path, "{}");
}

static struct bare *bare_make(const struct bench *bench)
{
    struct bare *bare = calloc(1, sizeof(*bare));

    if (!bare)
        exit(1);
    *bare = (struct bare){.curl = curl_easy_init(), .bench = bench};
    bare->headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(bare->curl, CURLOPT_HTTPHEADER, bare->headers);
    curl_easy_setopt(bare->curl, CURLOPT_CAINFO, bench->ca_file);
    curl_easy_setopt(bare->curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(bare->curl, CURLOPT_WRITEDATA, bare);
    return bare;
}

static void bare_free(struct bare *bare)
{
    if (!bare)
        return;
    curl_easy_cleanup(bare->curl);
    curl_slist_free_all(bare->headers);
    free(bare);
}

extern const struct bare_ops bare_ops;
__attribute__((visibility("default")))
const struct bare_ops bare_ops = {bare_make, bare_sign, bare_free};
