/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject_limits MODULE: signatures below limits of the process that become wider step by step, and
 * with a clock that somebody sets meanwhile. From inject_test.sh, as inject.c. Each is made in a
 * child of its own: it ends with a code, not by a signal; without the limit the same document is
 * signed, and nobody was asked twice for it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/inject/guest.h"
#include "tests/inject/shim.h"

enum { LIMIT_S = 30, DAY_S = 24 * 3600, REMOTE_MS = 4000, SETTLE_MS = 500, STEP_MS = 2 };

#define KIB ((rlim_t)1024)
#define MIB (1024 * KIB)

/* Shared with the child. */
struct verdict {
    CK_RV rv;
    char claim[CLAIM_MAX];
};

static struct verdict nowhere;
static struct verdict *verdict = &nowhere;

static char document[64];

struct signer {
    const char *name;
    const char *label; /* or */
    const char *model;
    const char *pin;
};

static const struct signer signers[] = {
    {"self-signed", "t", NULL, GUEST_PIN},
    {"SmartCA", NULL, "SmartCA", NULL},
};

struct limit {
    const char *name;
    __rlimit_resource_t resource;
    rlim_t first;
    rlim_t step;
    unsigned steps;   /* by then it works */
    bool is_relative; /* to the address space there is already */
};

static const struct limit limits[] = {
    {"descriptors", RLIMIT_NOFILE, 3, 1, 40, false},
    {"locked memory", RLIMIT_MEMLOCK, 0, 1, 1, false},
    {"file size", RLIMIT_FSIZE, 0, 512, 200, false},
    {"address space", RLIMIT_AS, 0, 2 * MIB, 200, true},
};

static CK_RV sign_with(const struct signer *signer, struct signature *ret_signature,
                       CK_SESSION_HANDLE *ret_session)
{
    TRY(p11->C_Initialize(NULL));
    TRY(guest_open(signer->label, signer->model, 0, ret_session));
    if (signer->pin)
        TRY(guest_login(*ret_session, signer->pin));
    return guest_sign(*ret_session, document, ret_signature);
}

static void sign_and_verify(const struct signer *signer)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    struct signature signature;

    (void)p11->C_Finalize(NULL);
    MUST(sign_with(signer, &signature, &session));
    guest_verify(session, document, &signature);
    MUST(p11->C_Finalize(NULL));
}

static unsigned count_pushes(void)
{
    char line[1024];
    unsigned count = 0;
    FILE *file = fopen(getenv("SMARTCA_INJECT_REQUESTS"), "re");

    CLAIM(file);
    while (fgets(line, sizeof(line), file))
        count += strstr(line, "\"endpoint\":\"sign\"") && strstr(line, "\"http_status\":200");
    (void)fclose(file);
    return count;
}

static rlim_t address_space(void)
{
    char line[128];
    FILE *file = fopen("/proc/self/statm", "re");

    CLAIM(file && fgets(line, sizeof(line), file));
    (void)fclose(file);
    return strtoul(line, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void is_clean(CK_RV rv)
{
    static const CK_RV codes[] = {CKR_OK,           CKR_HOST_MEMORY,     CKR_TOKEN_NOT_PRESENT,
                                  CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED, CKR_DEVICE_MEMORY};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (rv == codes[i])
            return;
    guest_fail("not a code for this: 0x%lx", rv);
}

static void tell(const struct signer *signer, const struct limit *limit, rlim_t value)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    struct signature signature;
    struct rlimit before;
    unsigned pushes = count_pushes();

    MUST(getrlimit(limit->resource, &before) == 0 ? CKR_OK : CKR_GENERAL_ERROR);
    const struct rlimit now = {.rlim_cur = value + (limit->is_relative ? address_space() : 0),
                               .rlim_max = before.rlim_max};
    CLAIM(setrlimit(limit->resource, &now) == 0);
    verdict->rv = sign_with(signer, &signature, &session);
    CLAIM(setrlimit(limit->resource, &before) == 0);
    is_clean(verdict->rv);
    if (verdict->rv == CKR_OK)
        guest_verify(session, document, &signature);
    else
        sign_and_verify(signer);
    CLAIM(count_pushes() == pushes + (signer->pin ? 0 : 1));
}

/* How the child ended, in words; NULL: well. */
static const char *await(pid_t child)
{
    static char text[64];
    int status = -1;

    if (child < 0 || waitpid(child, &status, 0) != child)
        return "no child";
    if (WIFSIGNALED(status)) {
        (void)snprintf(text, sizeof(text), "ended by signal %d", WTERMSIG(status));
        return text;
    }
    if (status == 0)
        return NULL;
    return verdict->claim[0] ? verdict->claim : "ended by itself";
}

static pid_t begin(void)
{
    static unsigned number;

    if (system(getenv("SMARTCA_INJECT_RESTORE")) != 0)
        return -1;
    (void)snprintf(document, sizeof(document), "limited %u of %ld", number++, (long)getpid());
    memset(verdict, 0, sizeof(*verdict));
    guest_claims_to(verdict->claim);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        (void)alarm(LIMIT_S);
    return child;
}

static bool widen(const struct signer *signer, const struct limit *limit)
{
    for (unsigned i = 0; i < limit->steps; i++) {
        rlim_t value = limit->first + i * limit->step;
        pid_t child = begin();
        if (child == 0) {
            tell(signer, limit, value);
            _exit(0);
        }
        const char *fault = await(child);
        if (fault) {
            printf("FAILED: %s, %s %llu: %s (0x%lx)\n", signer->name, limit->name,
                   (unsigned long long)value, fault, verdict->rv);
            return false;
        }
        if (verdict->rv == CKR_OK) {
            printf("ok: %s, %s: works with %llu\n", signer->name, limit->name,
                   (unsigned long long)value);
            return true;
        }
    }
    printf("FAILED: %s, %s: never works\n", signer->name, limit->name);
    return false;
}

struct jump {
    long seconds;
    unsigned pushes; /* so many were there before */
};

/* While the signature is waited for; one that nobody is asked for is made at any moment. */
static void *set_soon(void *arg)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    const struct jump *jump = arg;

    for (unsigned ms = 0; ms < SETTLE_MS && count_pushes() == jump->pushes; ms += STEP_MS)
        (void)nanosleep(&step, NULL);
    inject_set_clock(jump->seconds);
    return NULL;
}

/* The wait goes by another clock, and records from the future or the past are of no harm. */
static void sign_meanwhile(const struct signer *signer, long seconds)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    struct signature signature;
    struct timespec from;
    struct timespec to;
    pthread_t thread;
    struct jump jump = {.seconds = seconds, .pushes = count_pushes()};

    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    CLAIM(pthread_create(&thread, NULL, set_soon, &jump) == 0);
    verdict->rv = sign_with(signer, &signature, &session);
    CLAIM(pthread_join(thread, NULL) == 0);
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    CLAIM((to.tv_sec - from.tv_sec) * 1000 < REMOTE_MS);
    MUST(verdict->rv);
    guest_verify(session, document, &signature);
    CLAIM(count_pushes() == jump.pushes + (signer->pin ? 0 : 1));
    inject_set_clock(0);
    (void)strcat(document, ", later");
    sign_and_verify(signer);
}

/* It is wrong from the first: what the service refuses then is signed as soon as it is right. */
static void sign_beside(const struct signer *signer, long seconds)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    struct signature signature;

    inject_set_clock(seconds);
    verdict->rv = sign_with(signer, &signature, &session);
    inject_set_clock(0);
    sign_and_verify(signer);
}

static bool set_clock(const struct signer *signer, long days, bool is_meanwhile, CK_RV expected)
{
    pid_t child = begin();
    if (child == 0) {
        (is_meanwhile ? sign_meanwhile : sign_beside)(signer, days * DAY_S);
        _exit(0);
    }
    const char *fault = await(child);
    if (!fault && verdict->rv != expected)
        fault = "not the code for this";
    printf("%s: %s, clock set by %ld days %s: 0x%lx%s%s\n", fault ? "FAILED" : "ok", signer->name,
           days, is_meanwhile ? "meanwhile" : "before", verdict->rv, fault ? ", " : "",
           fault ? fault : "");
    return !fault;
}

int main(int argc, char **argv)
{
    static const struct signer totp = {"TOTP", NULL, "SmartCA TH", NULL};
    static const long jumps[] = {3, -3, 40};
    unsigned wrong = 0;

    struct verdict *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (argc != 2 || shared == MAP_FAILED || !shared || !getenv("SMARTCA_INJECT_RESTORE") ||
        !getenv("SMARTCA_INJECT_REQUESTS") || !guest_load_module(argv[1])) {
        (void)fputs("inject_limits MODULE, from inject_test.sh\n", stderr);
        return 2;
    }
    verdict = shared;
    for (size_t i = 0; i < ARRAY_LEN(signers); i++) {
        for (size_t k = 0; k < ARRAY_LEN(limits); k++)
            wrong += !widen(&signers[i], &limits[k]);
        for (size_t k = 0; k < ARRAY_LEN(jumps); k++)
            wrong += !set_clock(&signers[i], jumps[k], true, CKR_OK);
    }
    /* The certificate is not valid yet then, and the one-time password is another day's. */
    wrong += !set_clock(&signers[1], -3, false, CKR_KEY_FUNCTION_NOT_PERMITTED);
    wrong += !set_clock(&signers[1], 3, false, CKR_OK);
    wrong += !set_clock(&totp, 3, false, CKR_USER_NOT_LOGGED_IN);
    return wrong == 0 ? 0 : 1;
}
