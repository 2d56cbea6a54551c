/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/lib/folder.h"

enum { ARGS_MAX = 24, ANSWER_MAX = 256 * 1024, ANSWER_TIMEOUT_MS = 20000 };

static const char program[] = EMULATOR_PROGRAM;

static void run_child(const char *const *args, const char *dir, int in, int out)
{
    char *argv[ARGS_MAX + 4] = {NULL};
    size_t count = 0;
    argv[count++] = strdup(program);
    if (dir) {
        argv[count++] = strdup("--dir");
        argv[count++] = strdup(dir);
    }
    for (; args && *args && count < ARGS_MAX; args++)
        argv[count++] = strdup(*args);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
        (void)execv(program, argv);
    _exit(127);
}

static void read_port(struct harness *h, int fd)
{
    char line[64];
    FILE *file = fdopen(fd, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    assert_int_equal(strncmp(line, "listening 127.0.0.1:", 20), 0);
    h->port = (unsigned)strtoul(line + 20, NULL, 10);
    assert_int_not_equal(h->port, 0);
    (void)fclose(file);
}

static void launch(struct harness *h, const char *const *args)
{
    int in[2];
    int out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    (void)fcntl(in[1], F_SETFD, FD_CLOEXEC); /* else a sibling would keep the emulator alive */
    h->pid = fork();
    assert_true(h->pid >= 0);
    if (h->pid == 0)
        run_child(args, h->dir, in[0], out[1]);
    (void)close(in[0]);
    (void)close(out[1]);
    h->stdin_fd = in[1];
    h->scheme = "https";
    for (; args && *args; args++)
        if (strcmp(*args, "--plain-http") == 0)
            h->scheme = "http";
    read_port(h, out[0]);
    h->curl = curl_easy_init();
    assert_non_null(h->curl);
}

void harness_start(struct harness *h, const char *const *args)
{
    *h = (struct harness){.stdin_fd = -1};
    (void)snprintf(h->dir, sizeof(h->dir), "/tmp/smartca-emulator-test-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    launch(h, args);
}

static void end(struct harness *h)
{
    int status = 0;
    curl_easy_cleanup(h->curl);
    h->curl = NULL;
    (void)close(h->stdin_fd);
    assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
    assert_int_equal(status, 0);
}

void harness_stop(struct harness *h)
{
    end(h);
    assert_int_equal(folder_remove(h->dir), 0);
}

void harness_restart(struct harness *h, const char *const *args)
{
    end(h);
    launch(h, args);
}

int harness_run(const char *const *args)
{
    int status = 0;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(null, STDERR_FILENO);
        run_child(args, NULL, null, null);
    }
    (void)close(null);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static size_t collect(char *bytes, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    size_t len = size * count;
    return buf_append(body, span_of(bytes, len)) == SCA_OK ? len : 0;
}

static void prepare(const struct harness *h, CURL *curl, const char *path, const char *body)
{
    char url[512];
    char ca[128];
    (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u%s", h->scheme, h->port, path);
    (void)snprintf(ca, sizeof(ca), "%s/tls-ca.pem", h->dir);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_TIMEOUT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    if (body)
        (void)curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body);
    else
        (void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
}

static struct answer perform(const struct harness *h, CURL *curl, const char *path,
                             const char *body, struct curl_slist *take_headers)
{
    struct answer answer = {.json = NULL};
    buf_init(&answer.body, ANSWER_MAX, false);
    prepare(h, curl, path, body);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, take_headers);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
    answer.result = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(take_headers);
    (void)buf_append(&answer.body, span_of("", 0));
    if (answer.body.ptr)
        answer.json = cJSON_Parse((const char *)answer.body.ptr);
    return answer;
}

static struct curl_slist *headers_of(const char *content_type)
{
    char header[128];
    (void)snprintf(header, sizeof(header), "Content-Type: %s", content_type);
    return curl_slist_append(NULL, header);
}

struct answer harness_ask(struct harness *h, const char *path, const char *body)
{
    return perform(h, h->curl, path, body, headers_of("application/json"));
}

struct answer harness_ask_with(struct harness *h, const char *path, const char *body,
                               const char *header)
{
    return perform(h, h->curl, path, body,
                   curl_slist_append(headers_of("application/json"), header));
}

struct answer harness_ask_as(struct harness *h, const char *path, const char *body,
                             const char *content_type)
{
    CURL *curl = curl_easy_init();
    assert_non_null(curl);
    struct answer answer = perform(h, curl, path, body, headers_of(content_type));
    curl_easy_cleanup(curl);
    return answer;
}

void harness_done(struct answer *answer)
{
    cJSON_Delete(answer->json);
    buf_fini(&answer->body);
}

void harness_control(struct harness *h, const char *path, const char *body)
{
    struct answer answer = harness_ask(h, path, body);
    if (answer.status != 200)
        print_error("%s %s: %s\n", path, body, answer.body.ptr ? (char *)answer.body.ptr : "");
    assert_int_equal(answer.result, CURLE_OK);
    assert_int_equal(answer.status, 200);
    harness_done(&answer);
}

void harness_sign_body(char *out, size_t room, const char *transaction_id, const char *files)
{
    int len = snprintf(out, room,
                       "{" SP_MEMBERS ",\"user_id\":\"" HARNESS_USER "\",\"transaction_id\":\"%s\","
                       "\"transaction_desc\":\"a test\",\"serial_number\":\"\",\"sign_files\":%s}",
                       transaction_id, files);
    assert_in_range(len, 1, (int)room - 1);
}

void harness_sign(struct harness *h, const char *transaction_id)
{
    char body[1024];
    harness_sign_body(body, sizeof(body), transaction_id, "[" FILE_OF(HASH_32, "d-1") "]");
    struct answer answer = harness_ask(h, SIGN_PATH, body);
    assert_int_equal(answer.result, CURLE_OK);
    assert_int_equal(answer.status, 200);
    harness_done(&answer);
}

struct answer harness_status(struct harness *h, const char *transaction_id)
{
    char path[256];
    (void)snprintf(path, sizeof(path), SIGN_PATH "/%s/status", transaction_id);
    return harness_ask(h, path, "{}");
}

int harness_counter(struct harness *h, const char *name)
{
    struct answer answer = harness_ask(h, "/control/counters", NULL);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(answer.json, name);
    assert_true(cJSON_IsNumber(item));
    int value = item->valueint;
    harness_done(&answer);
    return value;
}

/* The last one listed: earlier ones may have been replaced. */
static const cJSON *certificate_of(const cJSON *users, const char *user_id)
{
    const cJSON *user = NULL;
    cJSON_ArrayForEach(user, users)
    {
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(user, "certificates");
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(user, "user_id"));
        if (id && strcmp(id, user_id) == 0)
            return cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1);
    }
    return NULL;
}

void harness_certificate_text(struct harness *h, const char *user_id, const char *name, char *out,
                              size_t room)
{
    struct answer answer = harness_ask(h, "/control/users", NULL);
    const cJSON *certificate = certificate_of(answer.json, user_id);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(certificate, name));
    assert_non_null(text);
    assert_in_range(snprintf(out, room, "%s", text), 0, room - 1);
    harness_done(&answer);
}

void harness_otp(struct harness *h, const char *user_id, int steps, char out[8])
{
    char path[128];
    (void)snprintf(path, sizeof(path), "/control/otp?user_id=%s&steps=%d", user_id, steps);
    struct answer answer = harness_ask(h, path, NULL);
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer.json, "otp"));
    assert_non_null(code);
    assert_int_equal(snprintf(out, 8, "%s", code), 6);
    harness_done(&answer);
}

const cJSON *answer_object(const struct answer *answer)
{
    return cJSON_GetObjectItemCaseSensitive(answer->json, "data");
}

int answer_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valueint : -1;
}

const char *answer_data(const struct answer *answer, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer_object(answer), name));
}

const char *answer_signature(const struct answer *answer, const char *name)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer_object(answer), "signatures");
    const cJSON *first = cJSON_GetArrayItem(list, 0);
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(first, name));
}

const char *answer_message(const struct answer *answer)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer->json, "message"));
    return text ? text : "";
}

int answer_code(const struct answer *answer)
{
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(answer->json, "status_code");
    return cJSON_IsNumber(code) ? code->valueint : -1;
}

int harness_group_setup(void **state)
{
    struct harness *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    harness_start(h, NULL);
    *state = h;
    return 0;
}

int harness_group_teardown(void **state)
{
    struct harness *h = *state;
    harness_stop(h);
    free(h);
    curl_global_cleanup();
    return 0;
}

int harness_reset(void **state)
{
    harness_control(*state, "/control/reset", "{}");
    return 0;
}
