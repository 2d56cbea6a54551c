/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C_Sign against the same two requests (sign, status) made with bare libcurl on a kept-alive
 * connection: no JSON taken apart, nothing verified, nothing journalled.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <uuid.h>

#include "tests/bench/bench.h"

enum { SIGNS_PER_ROUND = 60 };

struct bare {
    CURL *curl;
    const char *service;
    char serial[128];
};

static size_t ignore(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * count;
}

static void post(struct bare *bare, const char *path, const char *body)
{
    char url[256];
    long status = 0;
    (void)snprintf(url, sizeof(url), "%s%s", bare->service, path);
    curl_easy_setopt(bare->curl, CURLOPT_URL, url);
    curl_easy_setopt(bare->curl, CURLOPT_POSTFIELDS, body);
    CURLcode rc = curl_easy_perform(bare->curl);
    curl_easy_getinfo(bare->curl, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK || status != 200) {
        fprintf(stderr, "bench: bare libcurl: %s, HTTP %ld\n", curl_easy_strerror(rc), status);
        exit(1);
    }
}

static void bare_sign(struct bare *bare, unsigned number)
{
    uuid_t id;
    char text[37];
    char body[1024];
    char path[96];

    uuid_generate_random(id);
    uuid_unparse_lower(id, text);
    (void)snprintf(
        body, sizeof(body),
        "{\"sp_id\":\"4184-637127995547330633.apps.signserviceapi.com\","
        "\"sp_password\":\"test-password\",\"user_id\":\"012345678901\","
        "\"transaction_id\":\"%s\",\"transaction_desc\":\"bench\",\"serial_number\":\"%s\","
        "\"time_stamp\":\"20260101000000Z\",\"sign_files\":[{\"data_to_be_signed\":"
        "\"%064x\",\"doc_id\":\"d-1\",\"file_type\":\"pdf\",\"sign_type\":\"hash\"}]}",
        text, bare->serial, number);
    (void)snprintf(path, sizeof(path), "/v1/signatures/sign/%s/status", text);
    post(bare, "/v1/signatures/sign", body);
    post(bare, path, "{}");
}

static void module_sign(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                        unsigned number)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[512];
    CK_ULONG len = sizeof(signature);
    CK_BYTE data[sizeof(number)];
    memcpy(data, &number, sizeof(number));
    bench_check(p11->C_SignInit(session, &mechanism, key), "C_SignInit");
    bench_check(p11->C_Sign(session, data, sizeof(data), signature, &len), "C_Sign");
}

static CK_SESSION_HANDLE open_session(CK_FUNCTION_LIST *p11, CK_OBJECT_HANDLE *ret_key)
{
    CK_SLOT_ID slots[4];
    CK_ULONG count = 4;
    CK_SESSION_HANDLE session;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};

    bench_check(p11->C_Initialize(NULL), "C_Initialize");
    bench_check(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    bench_check(p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &session),
                "C_OpenSession");
    bench_check(p11->C_FindObjectsInit(session, template, 1), "C_FindObjectsInit");
    bench_check(p11->C_FindObjects(session, ret_key, 1, &count), "C_FindObjects");
    bench_check(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    return session;
}

static void bare_start(struct bare *bare, const char *service, const char *ca_file)
{
    static struct curl_slist *headers;
    const char *serial = getenv("BENCH_SERIAL");

    *bare = (struct bare){.curl = curl_easy_init(), .service = service};
    (void)snprintf(bare->serial, sizeof(bare->serial), "%s", serial ? serial : "");
    headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(bare->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(bare->curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(bare->curl, CURLOPT_WRITEFUNCTION, ignore);
}

/* What performance.md asks for at that delay. */
static const struct {
    const char *delay;
    const char *ratio;
    const char *cpu;
} targets[] = {{"0", "ratio", "<= 35"},
               {"1", "<= 1.05", "us"},
               {"5", "<= 1.03", "us"},
               {"20", "<= 1.01", "us"}};

static void name_series(const char *delay, struct series *ratio, struct series *cpu)
{
    const char *ratio_target = "ratio";
    const char *cpu_target = "us";
    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++)
        if (strcmp(targets[i].delay, delay) == 0) {
            ratio_target = targets[i].ratio;
            cpu_target = targets[i].cpu;
        }
    series_init(ratio, "P5", ratio_target, "C_Sign over bare libcurl at %s ms: time", delay);
    series_init(cpu, "P6", cpu_target, "C_Sign over bare libcurl at %s ms: CPU us more", delay);
}

/* What count signatures take this thread. */
struct lanes {
    CK_FUNCTION_LIST *p11;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    struct bare bare;
    unsigned number;
};

static struct stopwatch time_bare(struct lanes *lanes, unsigned count)
{
    struct stopwatch watch = stopwatch_start();
    for (unsigned i = 0; i < count; i++)
        bare_sign(&lanes->bare, lanes->number++);
    return stopwatch_stop(&watch);
}

static struct stopwatch time_module(struct lanes *lanes, unsigned count)
{
    struct stopwatch watch = stopwatch_start();
    for (unsigned i = 0; i < count; i++)
        module_sign(lanes->p11, lanes->session, lanes->key, lanes->number++);
    return stopwatch_stop(&watch);
}

void bench_remote(const char *ours, const char *service, const char *ca_file, const char *delay)
{
    struct series ratio;
    struct series cpu;
    struct lanes lanes = {.p11 = bench_load(ours)};

    lanes.session = open_session(lanes.p11, &lanes.key);
    name_series(delay, &ratio, &cpu);
    bare_start(&lanes.bare, service, ca_file);
    (void)time_module(&lanes, 1); /* connections are open from here on */
    (void)time_bare(&lanes, 1);
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        bench_wait_for_calm();
        struct stopwatch bare = time_bare(&lanes, SIGNS_PER_ROUND);
        struct stopwatch module = time_module(&lanes, SIGNS_PER_ROUND);
        series_add(&ratio, (double)module.wall / (double)bare.wall);
        series_add(&cpu, ((double)module.cpu - (double)bare.cpu) / SIGNS_PER_ROUND / 1000);
    }
    series_print(&ratio);
    series_print(&cpu);
    bench_check(lanes.p11->C_Finalize(NULL), "C_Finalize");
    curl_easy_cleanup(lanes.bare.curl);
}
