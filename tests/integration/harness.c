/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/harness.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "tests/lib/folder.h"

#define USER_ID "012345678901"

uint64_t world_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* The emulator's one line: "listening 127.0.0.1:PORT". */
static void read_address(struct world *world, int out)
{
    char line[128];
    char address[48];
    size_t len = 0;
    while (len < sizeof(line) - 1 && read(out, line + len, 1) == 1 && line[len] != '\n')
        len++;
    line[len] = 0;
    assert_int_equal(sscanf(line, "listening %47s", address), 1);
    (void)snprintf(world->service, sizeof(world->service), "https://%s", address);
}

static void start_emulator(struct world *world, const char *const *options)
{
    enum { ARGS_MAX = 24 };
    static char program[] = SMARTCA_EMULATOR;
    static char dir_option[] = "--dir";
    char dir[80];
    char *args[ARGS_MAX] = {program, dir_option, dir};
    size_t count = 3;
    int in[2];
    int out[2];
    posix_spawn_file_actions_t actions;

    (void)snprintf(dir, sizeof(dir), "%s/service", world->folder);
    for (; options && *options && count < ARGS_MAX - 1; options++)
        args[count++] = (char *)(uintptr_t)*options;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&world->emulator, args[0], &actions, NULL, args, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    world->life = in[1];
    read_address(world, out[0]);
    close(out[0]);
}

void world_configure(const struct world *world, const char *smartca_lines)
{
    char path[96];
    char text[2048];

    (void)snprintf(path, sizeof(path), "%s/sp-password", world->folder);
    write_file(path, "test-password\n");
    int len =
        snprintf(text, sizeof(text),
                 "[module]\nstate_dir = %s/state\nlog = %s/log\nlog_level = debug\n"
                 "[smartca]\nurl = %s/sca/sp769\n"
                 "sp_id = 4184-637127995547330633.apps.signserviceapi.com\n"
                 "sp_password = file:%s\nca_file = %s/service/tls-ca.pem\n%s"
                 "[account work]\nuser_id = " USER_ID "\n",
                 world->folder, world->folder, world->service, path, world->folder, smartca_lines);
    assert_true(len > 0 && (size_t)len < sizeof(text));
    (void)snprintf(path, sizeof(path), "%s/conf", world->folder);
    write_file(path, text);
    setenv("SMARTCA_PKCS11_CONF", path, 1);
}

static void load_module(struct world *world)
{
    CK_RV (*get_list)(CK_FUNCTION_LIST **) = NULL;
    CK_RV (*get_interface)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS) = NULL;
    CK_INTERFACE *interface = NULL;
    CK_VERSION version = {3, 0};

    void *library = dlopen(SMARTCA_MODULE, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    *(void **)&get_interface = dlsym(library, "C_GetInterface");
    assert_int_equal(get_list(&world->p11), CKR_OK);
    assert_int_equal(get_interface(NULL, &version, &interface, 0), CKR_OK);
    world->p11_3 = interface->pFunctionList;
    version.minor = 2;
    assert_int_equal(get_interface(NULL, &version, &interface, 0), CKR_OK);
    world->p11_32 = interface->pFunctionList;
}

void world_prepare(struct world *world, const char *const *options, const char *smartca_lines)
{
    *world = (struct world){.folder = "/tmp/smartca-test-XXXXXX"};
    assert_non_null(mkdtemp(world->folder));
    start_emulator(world, options);
    world_configure(world, smartca_lines);
    load_module(world);
}

void world_start(struct world *world, const char *const *options, const char *smartca_lines)
{
    world_prepare(world, options, smartca_lines);
    assert_int_equal(world->p11->C_Initialize(NULL), CKR_OK);
}

void world_stop(struct world *world)
{
    (void)world->p11->C_Finalize(NULL); /* some stories end with it */
    close(world->life);
    assert_int_equal(waitpid(world->emulator, NULL, 0), world->emulator);
    (void)folder_remove(world->folder);
}

void world_restart_module(struct world *world)
{
    assert_int_equal(world->p11->C_Finalize(NULL), CKR_OK);
    assert_int_equal(world->p11->C_Initialize(NULL), CKR_OK);
}

void world_restart_service(struct world *world)
{
    close(world->life);
    assert_int_equal(waitpid(world->emulator, NULL, 0), world->emulator);
    start_emulator(world, NULL);
}

static size_t collect(char *bytes, size_t size, size_t count, void *body)
{
    return buf_append(body, span_of(bytes, size * count)) == SCA_OK ? size * count : 0;
}

/* One exchange with the control plane; body has the answer. */
static void exchange(const struct world *world, const char *path, const char *json,
                     struct buf *body)
{
    char url[160];
    char ca[96];
    long status = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

    (void)snprintf(url, sizeof(url), "%s/control/%s", world->service, path);
    (void)snprintf(ca, sizeof(ca), "%s/service/tls-ca.pem", world->folder);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (json) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    }
    assert_int_equal(curl_easy_perform(curl), CURLE_OK);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        fail_msg("control %s: %ld %s", path, status, body->ptr ? (const char *)body->ptr : "");
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}

void world_control(const struct world *world, const char *path, const char *json)
{
    struct buf body;
    buf_init(&body, 1 << 20, false);
    exchange(world, path, json, &body);
    buf_fini(&body);
}

cJSON *world_ask(const struct world *world, const char *path)
{
    struct buf body;
    buf_init(&body, 1 << 24, false);
    exchange(world, path, NULL, &body);
    cJSON *json = cJSON_Parse((const char *)body.ptr);
    assert_non_null(json);
    buf_fini(&body);
    return json;
}

unsigned world_requests(const struct world *world, const char *endpoint)
{
    cJSON *counters = world_ask(world, "counters");
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(counters, endpoint);
    assert_true(cJSON_IsNumber(count));
    unsigned value = (unsigned)count->valueint;
    cJSON_Delete(counters);
    return value;
}

unsigned world_transactions(const struct world *world)
{
    cJSON *transactions = world_ask(world, "transactions");
    unsigned count = (unsigned)cJSON_GetArraySize(transactions);
    cJSON_Delete(transactions);
    return count;
}

void world_decide(const struct world *world, const char *action)
{
    cJSON *transactions = world_ask(world, "transactions");
    const cJSON *transaction = NULL;
    cJSON_ArrayForEach(transaction, transactions)
    {
        char json[128];
        const char *state = cJSON_GetStringValue(cJSON_GetObjectItem(transaction, "state"));
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(transaction, "transaction_id"));
        (void)snprintf(json, sizeof(json), "{\"transaction_id\":\"%.64s\",\"action\":\"%.16s\"}",
                       id, action);
        if (strcmp(state, "waiting") == 0)
            world_control(world, "decide", json);
    }
    cJSON_Delete(transactions);
}

void world_approve(const struct world *world)
{
    world_decide(world, "approve");
}

CK_SLOT_ID world_slot(const struct world *world)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = ARRAY_LEN(slots);
    assert_int_equal(world->p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    assert_true(count > 0);
    return slots[0];
}

CK_SESSION_HANDLE world_session(const struct world *world, CK_NOTIFY notify, void *application)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    assert_int_equal(world->p11->C_OpenSession(world_slot(world), CKF_SERIAL_SESSION, application,
                                               notify, &session),
                     CKR_OK);
    return session;
}

CK_OBJECT_HANDLE world_key(const struct world *world, CK_SESSION_HANDLE session,
                           CK_OBJECT_CLASS class)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    assert_int_equal(world->p11->C_FindObjectsInit(session, template, 1), CKR_OK);
    assert_int_equal(world->p11->C_FindObjects(session, &key, 1, &count), CKR_OK);
    assert_int_equal(world->p11->C_FindObjectsFinal(session), CKR_OK);
    assert_int_equal(count, 1);
    return key;
}

CK_RV world_sign(const struct world *world, CK_SESSION_HANDLE session, const char *text,
                 CK_BYTE *signature)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_ULONG len = 256;
    CK_RV rv =
        world->p11->C_SignInit(session, &mechanism, world_key(world, session, CKO_PRIVATE_KEY));
    if (rv != CKR_OK)
        return rv;
    rv = world->p11->C_Sign(session, (CK_BYTE *)(uintptr_t)text, strlen(text), signature, &len);
    if (rv == CKR_OK)
        assert_int_equal(len, 256);
    return rv;
}

bool world_verifies(const struct world *world, CK_SESSION_HANDLE session, const char *text,
                    const CK_BYTE *signature)
{
    CK_BYTE spki[1024];
    CK_ATTRIBUTE template[] = {{CKA_PUBLIC_KEY_INFO, spki, sizeof(spki)}};
    assert_int_equal(world->p11->C_GetAttributeValue(
                         session, world_key(world, session, CKO_PUBLIC_KEY), template, 1),
                     CKR_OK);
    const unsigned char *der = spki;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &der, (long)template[0].ulValueLen);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    int ok = EVP_DigestVerify(ctx, signature, 256, (const unsigned char *)text, strlen(text));
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok == 1;
}
