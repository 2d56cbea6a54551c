/* SPDX-License-Identifier: Apache-2.0 */
/* The module is a guest: what it must not say, and what it must leave as it found it. */
#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

/* Many calls, good and bad, as an application would mix them. */
static void live_a_life(void)
{
    CK_BYTE out[SIGNATURE_LEN];
    CK_ULONG len = sizeof(out);
    CK_TOKEN_INFO token;
    CK_MECHANISM sha256 = {.mechanism = CKM_SHA256};

    (void)p11->C_Initialize(NULL);
    (void)p11->C_GetSlotList(CK_FALSE, NULL, &len);
    (void)p11->C_GetTokenInfo(FAKE_EMPTY, &token);
    (void)p11->C_GetTokenInfo(FAKE_PIN, &token);
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_PIN);
    (void)stage_login(session, "wrong");
    (void)p11->C_CreateObject(session, NULL, 1, NULL);
    (void)p11->C_GenerateRandom(session, out, sizeof(out));
    (void)p11->C_DigestInit(session, &sha256);
    (void)p11->C_Digest(session, MESSAGE, MESSAGE_LEN, out, NULL);
    CK_SESSION_HANDLE signing = stage_signing(FAKE_PIN, CKM_RSA_PKCS);
    (void)p11->C_Sign(signing, MESSAGE, MESSAGE_LEN, NULL, &len);
    len = sizeof(out);
    (void)p11->C_Sign(signing, MESSAGE, MESSAGE_LEN, out, &len);
    fake_play((struct fake_script){.sign_status = SCA_NETWORK, .note = "no route"});
    signing = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    (void)p11->C_Sign(signing, MESSAGE, MESSAGE_LEN, out, &len);
    fake_play((struct fake_script){.sign_status = SCA_OK});
    (void)p11->C_CloseSession(0);
    (void)p11->C_Finalize(NULL);
    (void)p11->C_Finalize(NULL);
}

static void nothing_is_said_on_stdout_or_stderr(void **state)
{
    struct stat said;
    (void)state;
    char path[] = "/tmp/module.said.XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(unlink(path), 0);
    (void)fflush(NULL);
    int out = dup(STDOUT_FILENO);
    int err = dup(STDERR_FILENO);
    assert_true(dup2(file, STDOUT_FILENO) >= 0 && dup2(file, STDERR_FILENO) >= 0);

    live_a_life();

    (void)fflush(NULL);
    assert_true(dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0);
    assert_int_equal(fstat(file, &said), 0);
    (void)close(out);
    (void)close(err);
    (void)close(file);
    assert_int_equal(said.st_size, 0);
}

/* What belongs to the host. */
struct process {
    void (*handlers[32])(int signal);
    int handler_flags[32];
    sigset_t mask;
    sigset_t pending;
    mode_t umask;
    char cwd[512];
    char locale[512];
    char **environ;
    size_t environ_len;
    struct rlimit files;
    struct rlimit core;
    unsigned fds;
};

static unsigned count_fds(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count;
}

static void look(struct process *process)
{
    memset(process, 0, sizeof(*process));
    for (int i = 1; i < 32; i++) {
        struct sigaction action;
        assert_int_equal(sigaction(i, NULL, &action), 0);
        process->handlers[i] = action.sa_handler;
        process->handler_flags[i] = action.sa_flags;
    }
    (void)pthread_sigmask(SIG_BLOCK, NULL, &process->mask);
    (void)sigpending(&process->pending);
    process->umask = umask(0);
    (void)umask(process->umask);
    assert_non_null(getcwd(process->cwd, sizeof(process->cwd)));
    (void)snprintf(process->locale, sizeof(process->locale), "%s", setlocale(LC_ALL, NULL));
    process->environ = environ;
    for (char **at = environ; *at; at++)
        process->environ_len += strlen(*at);
    (void)getrlimit(RLIMIT_NOFILE, &process->files);
    (void)getrlimit(RLIMIT_CORE, &process->core);
    process->fds = count_fds();
}

static void the_process_is_left_as_it_was(void **state)
{
    struct process before;
    struct process after;
    (void)state;
    live_a_life(); /* OpenSSL opens what it keeps */
    (void)umask(S_IWOTH);
    look(&before);

    for (int i = 0; i < 30; i++)
        live_a_life();

    look(&after);
    (void)umask(before.umask);
    assert_memory_equal(&before, &after, sizeof(before));
}

static void the_log_is_the_users_alone(void **state)
{
    struct stat info;
    char path[512];
    (void)state;

    live_a_life();

    (void)snprintf(path, sizeof(path), "%s", getenv("SMARTCA_PKCS11_CONF"));
    (void)strcpy(strrchr(path, '/'), "/log");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void no_pin_gets_into_the_log(void **state)
{
    (void)state;
    CK_UTF8CHAR pin[] = "CANARY-270319";
    CK_UTF8CHAR label[] = "CANARY-label                    ";

    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_PIN);
    EXPECT(CKR_PIN_INCORRECT, p11->C_Login(session, CKU_USER, pin, sizeof(pin) - 1));
    EXPECT(CKR_PIN_INCORRECT, p11->C_LoginUser(session, CKU_USER, pin, 13, pin, 13));
    EXPECT(CKR_TOKEN_WRITE_PROTECTED, p11->C_SetPIN(session, pin, 13, pin, 13));
    EXPECT(CKR_USER_NOT_LOGGED_IN, p11->C_InitPIN(session, pin, 13));
    EXPECT(CKR_SESSION_EXISTS, p11->C_InitToken(FAKE_PIN, pin, 13, label));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_SignUpdate(session, pin, 13));

    AUTO(freep) char *log = stage_log();
    assert_non_null(strstr(log, "C_Login("));
    assert_null(strstr(log, "CANARY"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFF(nothing_is_said_on_stdout_or_stderr),
        OFF(the_process_is_left_as_it_was),
        OFF(the_log_is_the_users_alone),
        OFF(no_pin_gets_into_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
