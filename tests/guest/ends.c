/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways a process or a thread ends while others sign. Not linked with OpenSSL: what is tested is
 * the order in which things come and go, and the script verifies nothing here.
 *   ends HOW [MILLISECONDS]   the threads sign for so long before
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/guest/host.h"

enum { EXIT_OF_HOST = 3, TEXT_LEN = 96, THREADS = 2 * HOST_SLOTS };

static CK_SESSION_HANDLE idle; /* closed by exit handlers */
static atomic_uint made;

/* Until the library or the process comes to an end under it. */
static void *sign_on(void *arg)
{
    enum host_slot slot = *(const enum host_slot *)arg;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_RV rv = host_open(slot, 0, &session);
    if (rv == CKR_OK)
        rv = host_login(session);
    for (unsigned i = 0; rv == CKR_OK; i++) {
        char text[TEXT_LEN];
        CK_BYTE signature[HOST_SIGNATURE_MAX];
        CK_ULONG len = 0;
        host_text(text, sizeof(text), "end", i);
        rv = host_sign(slot, session, text, signature, &len);
        atomic_fetch_add(&made, rv == CKR_OK);
    }
    return NULL;
}

static pthread_t threads[THREADS];

static void start_threads(void)
{
    static const enum host_slot slots[HOST_SLOTS] = {HOST_SMARTCA, HOST_RSA, HOST_EC, HOST_USB};
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, sign_on, (void *)(uintptr_t)&slots[i % HOST_SLOTS]) !=
            0)
            host_fail("no thread");
    while (atomic_load(&made) < THREADS)
        host_rest_us(500);
}

/* What comes back is not looked at: after exit began, an error is as good. */
static void close_all(void)
{
    (void)p11->C_CloseSession(idle);
    (void)p11->C_CloseAllSessions(host_slot_id(HOST_USB));
}

static void finish(void)
{
    close_all();
    CK_RV rv = p11->C_Finalize(NULL);
    if (rv != CKR_OK)
        host_fail("C_Finalize at exit returned 0x%lx", rv);
}

/* A C++ static's destructor is called so. */
extern int __cxa_atexit(void (*destroy)(void *), void *object, void *dso);
extern void *__dso_handle;
static void destroy(void *object)
{
    (void)object;
    finish();
}

/* A host's destructor runs after all exit handlers. */
static bool has_destructor;
__attribute__((destructor)) static void be_destroyed(void)
{
    if (has_destructor)
        finish();
}

static void end_by_exit(void)
{
    start_threads();
}

static void end_without_threads(void)
{
}

static void end_quickly(void)
{
    start_threads();
    quick_exit(EXIT_OF_HOST);
}

static void end_quickly_and_finish(void)
{
    (void)at_quick_exit(finish);
    start_threads();
    quick_exit(EXIT_OF_HOST);
}

static void end_at_once(void)
{
    start_threads();
    _exit(EXIT_OF_HOST);
}

static void close_at_exit(void)
{
    (void)atexit(close_all);
    start_threads();
}

static void finish_at_exit(void)
{
    (void)atexit(finish);
    start_threads();
}

static void finish_in_a_static(void)
{
    (void)__cxa_atexit(destroy, NULL, &__dso_handle);
    start_threads();
}

static void finish_in_a_destructor(void)
{
    has_destructor = true;
    start_threads();
}

static void exit_from_a_signal(int number)
{
    (void)number;
    exit(EXIT_OF_HOST); /* NOLINT(bugprone-signal-handler): hosts do it */
}

/* The handler runs on a thread that is in the middle of a signature. */
static void exit_in_a_handler(void)
{
    struct sigaction action = {.sa_handler = exit_from_a_signal};
    (void)sigaction(SIGUSR1, &action, NULL);
    start_threads();
    (void)pthread_kill(threads[HOST_SMARTCA], SIGUSR1);
    for (;;)
        (void)pause();
}

/* The thread that began an asynchronous signature, and one in parts, is no more. */
static void *leave_things_begun(void *arg)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    static CK_BYTE signature[HOST_SIGNATURE_MAX];
    static CK_ULONG len = sizeof(signature);
    (void)arg;
    host_must(host_open(HOST_SMARTCA, CKF_ASYNC_SESSION, &session), "C_OpenSession");
    host_must(host_sign_init(HOST_SMARTCA, session), "C_SignInit");
    CK_RV rv = p11->C_Sign(session, (CK_BYTE *)(uintptr_t) "begun", 5, signature, &len);
    if (rv != CKR_PENDING)
        host_fail("an asynchronous C_Sign returned 0x%lx", rv);
    host_must(host_open(HOST_RSA, 0, &session), "C_OpenSession");
    host_must(host_login(session), "C_Login");
    host_must(host_sign_init(HOST_RSA, session), "C_SignInit");
    host_must(p11->C_SignUpdate(session, (CK_BYTE *)(uintptr_t) "begun", 5), "C_SignUpdate");
    pthread_exit(NULL);
}

static void end_after_a_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, leave_things_begun, NULL) != 0 ||
        pthread_join(thread, NULL) != 0)
        host_fail("no thread");
    host_sign_once(HOST_RSA, "after a thread that ended");
    host_sign_once(HOST_SMARTCA, "after a thread that ended");
    host_must(p11->C_Finalize(NULL), "C_Finalize");
}

/* main is gone, the process ends with its last thread. */
static void *finish_last(void *arg)
{
    (void)arg;
    start_threads();
    host_rest_us(20000);
    exit(EXIT_OF_HOST);
}

static void leave_main(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, finish_last, NULL) != 0)
        host_fail("no thread");
    pthread_exit(NULL);
}

static const struct {
    const char *how;
    void (*end)(void);
} ends[] = {
    {"exit", end_by_exit},
    {"exit-idle", end_without_threads},
    {"quick_exit", end_quickly},
    {"quick_exit-finish", end_quickly_and_finish},
    {"_exit", end_at_once},
    {"atexit-close", close_at_exit},
    {"atexit-finish", finish_at_exit},
    {"static-finish", finish_in_a_static},
    {"destructor-finish", finish_in_a_destructor},
    {"signal-exit", exit_in_a_handler},
    {"thread-ends", end_after_a_thread},
    {"main-leaves", leave_main},
};

int main(int argc, char **argv)
{
    uint32_t milliseconds = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    bool is_early = argc > 3; /* the handler is older than the module, and runs after OpenSSL's */
    void (*end)(void) = NULL;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (argc > 1 && strcmp(argv[1], ends[i].how) == 0)
            end = ends[i].end;
    if (!end)
        host_fail("ends how?");
    if (is_early)
        (void)atexit(finish);
    host_load();
    host_start();
    host_must(host_open(HOST_USB, 0, &idle), "C_OpenSession");
    end();
    host_rest_us(milliseconds * 1000);
    return EXIT_OF_HOST;
}
