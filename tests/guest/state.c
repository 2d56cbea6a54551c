/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What belongs to the process is as it was after many mixed calls, failures among them, while a
 * timer interrupts every system call there is (a handler without SA_RESTART, each millisecond).
 *   state ROUNDS
 */
#include <dirent.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "tests/guest/judge.h"

enum { TEXT_LEN = 96, SIGNALS = 65, TIMERS = 3, DESCRIPTORS = 1024, ERRORS = 3 };

struct process {
    struct {
        void (*handler)(int number);
        int flags;
        uint64_t mask;
    } signals[SIGNALS];
    uint64_t mask;
    uint64_t pending;
    mode_t umask;
    char cwd[512];
    char locale[512];
    char environment[16384];
    struct rlimit limits[RLIM_NLIMITS];
    struct itimerval timers[TIMERS];
    fenv_t floating;
    char descriptors[DESCRIPTORS];
    unsigned threads;
    int dumpable;
    int priority;
};

static unsigned count_entries(const char *path, char *marks)
{
    unsigned count = 0;
    DIR *dir = opendir(path);
    if (!dir)
        host_fail("%s cannot be read", path);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        long number = strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] == '.' || (marks && number == dirfd(dir)))
            continue;
        if (marks && number < DESCRIPTORS)
            marks[number] = 1;
        count++;
    }
    (void)closedir(dir);
    return count;
}

/* The C library leaves the rest of a sigset_t as it was. */
static uint64_t members(const sigset_t *set)
{
    uint64_t bits = 0;
    for (int i = 1; i < SIGNALS; i++)
        bits |= (uint64_t)(sigismember(set, i) == 1) << (i - 1);
    return bits;
}

static void look_at_signals(struct process *process)
{
    sigset_t set;

    for (int i = 1; i < SIGNALS; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) != 0)
            continue; /* the C library's own two */
        process->signals[i].handler = action.sa_handler;
        process->signals[i].flags = action.sa_flags;
        process->signals[i].mask = members(&action.sa_mask);
    }
    (void)pthread_sigmask(SIG_BLOCK, NULL, &set);
    process->mask = members(&set);
    (void)sigpending(&set);
    process->pending = members(&set);
}

static void look_at_environment(struct process *process)
{
    size_t used = 0;
    for (char **at = environ; *at && used < sizeof(process->environment); at++)
        used += (size_t)snprintf(process->environment + used, sizeof(process->environment) - used,
                                 "%p %s\n", (void *)*at, *at);
}

static void look(struct process *process)
{
    memset(process, 0, sizeof(*process));
    look_at_signals(process);
    look_at_environment(process);
    process->umask = umask(0);
    (void)umask(process->umask);
    if (!getcwd(process->cwd, sizeof(process->cwd)))
        host_fail("no folder");
    (void)snprintf(process->locale, sizeof(process->locale), "%s", setlocale(LC_ALL, NULL));
    for (int i = 0; i < (int)RLIM_NLIMITS; i++)
        (void)getrlimit((__rlimit_resource_t)i, &process->limits[i]);
    for (int i = 0; i < TIMERS; i++)
        (void)getitimer((__itimer_which_t)i, &process->timers[i]);
    (void)fegetenv(&process->floating);
    (void)count_entries("/proc/self/fd", process->descriptors);
    process->threads = count_entries("/proc/self/task", NULL);
    process->dumpable = prctl(PR_GET_DUMPABLE);
    process->priority = getpriority(PRIO_PROCESS, 0);
}

#define COMPARE(part)                                                                              \
    do {                                                                                           \
        if (memcmp(&before->part, &after->part, sizeof(before->part)) != 0)                        \
            host_fail("it has changed: " #part);                                                   \
    } while (0)

static void compare(const struct process *before, const struct process *after)
{
    for (int i = 1; i < SIGNALS; i++)
        if (before->signals[i].handler != after->signals[i].handler ||
            before->signals[i].flags != after->signals[i].flags ||
            before->signals[i].mask != after->signals[i].mask)
            host_fail("what signal %d does has changed: %p %x", i,
                      (void *)(uintptr_t)after->signals[i].handler,
                      (unsigned)after->signals[i].flags);
    COMPARE(mask);
    COMPARE(pending);
    COMPARE(umask);
    COMPARE(cwd);
    COMPARE(locale);
    COMPARE(environment);
    COMPARE(limits);
    COMPARE(timers);
    COMPARE(floating);
    COMPARE(descriptors);
    COMPARE(threads);
    COMPARE(dumpable);
    COMPARE(priority);
}

static void fail_in_a_session(CK_SESSION_HANDLE session)
{
    CK_MECHANISM nonsense = {.mechanism = 0x12345678};
    CK_ATTRIBUTE bad = {CKA_VALUE, NULL, ~0UL};
    CK_UTF8CHAR wrong[] = "654321";
    CK_BYTE out[8];
    CK_ULONG len = sizeof(out);
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    const CK_RV failures[] = {
        p11->C_Sign(session, out, 1, out, &len),
        p11->C_SignInit(session, &nonsense, 1),
        p11->C_SignInit(session, &nonsense, ~0UL),
        p11->C_DigestInit(session, &nonsense),
        p11->C_FindObjects(session, &object, 1, &len),
        p11->C_CreateObject(session, &bad, 1, &object),
        p11->C_DestroyObject(session, 99999),
        p11->C_SetPIN(session, wrong, 1, NULL, 0),
        p11->C_GetAttributeValue(session, 99999, &bad, 1),
        p11->C_WrapKey(session, &nonsense, 1, 1, out, &len),
        p11->C_CloseSession(session ^ 0x7000),
    };
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (failures[i] == CKR_OK)
            host_fail("wrong call %zu went through", i);
}

/* The thread's queue of OpenSSL is the host's: what it has put there, with a mark, stays alone. */
static void queue_errors(void)
{
    ERR_clear_error();
    for (int reason = 1; reason <= ERRORS; reason++)
        ERR_raise(ERR_LIB_USER, reason);
    (void)ERR_set_mark();
}

static void compare_errors(void)
{
    for (int reason = 1; reason <= ERRORS; reason++)
        if (ERR_GET_REASON(ERR_get_error()) != reason)
            host_fail("error %d of the host's has gone", reason);
    if (ERR_peek_error() != 0)
        host_fail("an error has been left behind: %s", ERR_reason_error_string(ERR_peek_error()));
}

static void sign(enum host_slot slot, unsigned number)
{
    char text[TEXT_LEN];
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_BYTE signature[HOST_SIGNATURE_MAX];
    CK_ULONG len = 0;

    host_text(text, sizeof(text), "state", number);
    queue_errors();
    host_must(host_open(slot, 0, &session), "C_OpenSession");
    fail_in_a_session(session);
    host_must(host_login(session), "C_Login");
    CK_RV rv = host_sign(slot, session, text, signature, &len);
    compare_errors();
    if (rv == CKR_OK)
        judge_signature(slot, text, signature, len);
    else if (slot != HOST_SMARTCA) /* where the script breaks connections */
        host_fail("C_Sign of %s returned 0x%lx", host_slot_name(slot), rv);
    fail_in_a_session(session);
    if (number % 3 == 0 && slot != HOST_RSA && slot != HOST_EC)
        (void)p11->C_Logout(session);
    host_must(p11->C_CloseSession(session), "C_CloseSession");
}

/* Some sixty calls a round. */
static void live(unsigned rounds)
{
    CK_SLOT_ID slot = 0;
    CK_SESSION_HANDLE keep[2];

    host_start();
    host_must(host_open(HOST_RSA, 0, &keep[0]), "C_OpenSession"); /* a login takes half a second */
    host_must(host_open(HOST_EC, 0, &keep[1]), "C_OpenSession");
    for (unsigned i = 0; i < rounds; i++) {
        sign(i % HOST_SLOTS, i);
        (void)p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL);
        (void)p11->C_Initialize(NULL);
        (void)p11->C_OpenSession(0x777777, CKF_SERIAL_SESSION, NULL, NULL, &keep[0]);
        host_find_slots();
    }
    host_must(p11->C_Finalize(NULL), "C_Finalize");
    (void)p11->C_Finalize(NULL);
}

static void be_interrupted(int number)
{
    (void)number;
}

/* At places that the module must not change either. */
static void choose_a_state(void)
{
    struct sigaction action = {.sa_handler = be_interrupted}; /* without SA_RESTART */
    sigset_t some;

    (void)sigaction(SIGALRM, &action, NULL);
    (void)sigaction(SIGPIPE, &action, NULL);
    (void)sigemptyset(&some);
    (void)sigaddset(&some, SIGUSR2);
    (void)pthread_sigmask(SIG_BLOCK, &some, NULL);
    (void)raise(SIGUSR2); /* pending, and stays so */
    (void)umask(S_IWOTH);
    (void)fesetround(FE_DOWNWARD);
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4;
    struct itimerval often = {{0, 1000}, {0, 1000}};
    struct itimerval never = {{0, 0}, {0, 0}};
    static struct process before;
    static struct process after;

    host_load();
    judge_start();
    live(HOST_SLOTS); /* what libraries open once and keep */
    choose_a_state();
    look(&before);
    (void)setitimer(ITIMER_REAL, &often, NULL);
    live(rounds);
    (void)setitimer(ITIMER_REAL, &never, NULL);
    look(&after);
    compare(&before, &after);
    return 0;
}
