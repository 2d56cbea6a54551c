/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/inject/campaign.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/inject/guest.h"
#include "tests/inject/shim.h"

enum { LIMIT_S = 60, CODES_MAX = 16, SHOWN_MAX = 400, ID_SIZE = 55 };

/* Shared with the child. */
struct verdict {
    struct inject_result result;
    CK_RV rv;
    bool is_of_memory;
    bool has_view;
    uint64_t first_view;
    char claim[CLAIM_MAX];
    _Alignas(16) char kept[KEPT_MAX];
};

static struct verdict *verdict;
static int said;   /* where the children's stdout and stderr go */
static int traces; /* the call that failed, and where a child died of it */
static char document[96];
static const char *requests;
static off_t requests_before;

/* A way to fail. A sample takes every step-th k. */
struct way {
    const char *name;
    struct inject_plan plan;
    unsigned sample_step;
    bool is_sample_only; /* part of another way */
};

static const struct way ways[] = {
    {"no memory, once", {INJECT_MEMORY, INJECT_EVERYWHERE, 0, 0, false}, 1511, false},
    {"no memory, once, ours", {INJECT_MEMORY, INJECT_OURS, 0, 0, false}, 37, true},
    {"no memory from then on", {INJECT_MEMORY, INJECT_EVERYWHERE, 0, 0, true}, 4001, false},
    {"I/O error, once", {INJECT_IO, INJECT_EVERYWHERE, 0, 0, false}, 61, false},
    {"I/O, interrupted", {INJECT_IO, INJECT_EVERYWHERE, 0, 1, false}, 97, false},
    {"I/O, in part", {INJECT_IO, INJECT_EVERYWHERE, 0, 2, false}, 97, false},
    {"I/O, another error", {INJECT_IO, INJECT_EVERYWHERE, 0, 3, false}, 127, false},
    {"I/O error from then on", {INJECT_IO, INJECT_EVERYWHERE, 0, 0, true}, 127, false},
};

struct tally {
    unsigned runs;
    unsigned wrong;
    struct {
        CK_RV rv;
        unsigned count;
    } codes[CODES_MAX];
};

uint64_t campaign_first_view(uint64_t view)
{
    if (!verdict->has_view) {
        verdict->has_view = true;
        verdict->first_view = view;
    }
    return verdict->first_view;
}

void *campaign_kept(void)
{
    return verdict->kept;
}

bool campaign_is_of_memory(void)
{
    return verdict->is_of_memory;
}

const char *campaign_document(void)
{
    return document;
}

/* Is it a request for a signature that was taken, and none of the last one's id again? */
static bool is_new_push(const char *line, char last[static ID_SIZE])
{
    const char *id = strstr(line, "\"transaction_id\":\"");

    if ((!strstr(line, "\"endpoint\":\"sign\"") && !strstr(line, "\"endpoint\":\"sign2\"")) ||
        !strstr(line, "\"http_status\":200") || !id || strncmp(id, last, ID_SIZE - 1) == 0)
        return false;
    (void)snprintf(last, ID_SIZE, "%s", id);
    return true;
}

unsigned campaign_count_pushes(void)
{
    char line[1024];
    char last[ID_SIZE] = "";
    unsigned count = 0;
    FILE *file = fopen(requests, "re");

    CLAIM(file && fseek(file, requests_before, SEEK_SET) == 0);
    while (fgets(line, sizeof(line), file))
        count += is_new_push(line, last);
    (void)fclose(file);
    return count;
}

/* LeakSanitizer's, where it is built in. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* A child that dies says where as well as it can; backtrace has been called before, so that it
 * allocates nothing. NOLINTBEGIN(bugprone-signal-handler) */
static void trace(const char *what, void *const *frames, int count)
{
    (void)!write(traces, what, strlen(what));
    backtrace_symbols_fd(frames, count, traces);
}

static void trace_strike(void)
{
    if (verdict->result.has_struck)
        trace("  what failed:\n", verdict->result.frames, verdict->result.frame_count);
}

static void trace_death(int number)
{
    void *frames[INJECT_FRAMES];

    if (!verdict->result.has_struck) {
        inject_disarm(&verdict->result);
        trace_strike();
    }
    trace("  where it died:\n", frames, backtrace(frames, INJECT_FRAMES));
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void watch_for_death(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        (void)signal(signals[i], trace_death);
}
/* NOLINTEND(bugprone-signal-handler) */

static void begin_child(void)
{
    guest_claims_to(verdict->claim);
    watch_for_death();
    (void)alarm(LIMIT_S);
    (void)dup2(said, STDOUT_FILENO);
    (void)dup2(said, STDERR_FILENO);
}

static _Noreturn void judge(const struct story *story)
{
    story->judge(verdict->rv);
    (void)p11->C_Finalize(NULL); /* some stories end with it */
    if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check() != 0)
        guest_fail("memory leaked");
    _exit(0);
}

static bool is_judged_elsewhere(const struct inject_plan *plan)
{
    return plan->kind == INJECT_MEMORY && plan->scope == INJECT_EVERYWHERE;
}

static _Noreturn void tell(const struct story *story, const struct inject_plan *plan)
{
    if (story->prepare)
        story->prepare();
    inject_arm(plan);
    verdict->rv = story->act();
    inject_disarm(&verdict->result);
    trace_strike();
    if (!is_judged_elsewhere(plan))
        judge(story);
    (void)p11->C_Finalize(NULL);
    _exit(0);
}

/* A library says that it failed, not why. What is looked for first when slots are listed is left
 * for the next list when there is no memory: another vendor's token is not there then. */
static bool is_clean(const struct story *story, const struct inject_plan *plan, CK_RV rv)
{
    static const CK_RV codes[] = {CKR_OK,           CKR_HOST_MEMORY,     CKR_TOKEN_NOT_PRESENT,
                                  CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED, CKR_DEVICE_MEMORY};
    enum { OF_OUR_MEMORY = 2, OF_FOREIGN_MEMORY = 3 };
    bool is_ours = plan->kind == INJECT_MEMORY && plan->scope == INJECT_OURS;
    size_t of_ours = story->is_foreign ? OF_FOREIGN_MEMORY : OF_OUR_MEMORY;
    size_t count = is_ours ? of_ours : ARRAY_LEN(codes);

    for (size_t i = 0; i < count; i++)
        if (rv == codes[i])
            return true;
    return false;
}

static void print_from(int fd, off_t at)
{
    char bytes[4096];

    for (ssize_t got = 0; (got = pread(fd, bytes, sizeof(bytes), at)) > 0; at += got)
        (void)!write(STDOUT_FILENO, bytes, (size_t)got);
}

static void show(const struct story *story, const struct way *way, const char *what)
{
    printf("WRONG: %s, %s, k %lu, rv 0x%lx: %s\n", story->name, way->name, way->plan.k, verdict->rv,
           what);
    (void)fflush(stdout);
    print_from(traces, 0);
    print_from(said, 0);
    int fd = open(requests, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        print_from(fd, requests_before);
    (void)close(fd);
}

/* What is wrong with the telling that ended so; NULL: nothing. */
static const char *find_fault(const struct story *story, const struct inject_plan *plan, int status)
{
    static char text[64];

    if (WIFSIGNALED(status)) {
        (void)snprintf(text, sizeof(text), "ended by signal %d", WTERMSIG(status));
        return text;
    }
    if (status != 0)
        return verdict->claim[0] ? verdict->claim : "ended by itself";
    if (lseek(said, 0, SEEK_END) != 0)
        return "it said something";
    if (!is_clean(story, plan, verdict->rv))
        return "not a code for this";
    return NULL;
}

static void note_code(struct tally *tally, CK_RV rv)
{
    size_t i = 0;
    while (i < CODES_MAX - 1 && tally->codes[i].count && tally->codes[i].rv != rv)
        i++;
    tally->codes[i].rv = rv;
    tally->codes[i].count++;
}

/* The child's end; -1: none could be made. */
static int run_child(const struct campaign *campaign, const struct story *story,
                     const struct inject_plan *plan)
{
    static unsigned number;
    int status = -1;

    if (system(campaign->restore) != 0 || ftruncate(said, 0) != 0 || ftruncate(traces, 0) != 0)
        return -1;
    (void)lseek(said, 0, SEEK_SET);
    (void)lseek(traces, 0, SEEK_SET);
    (void)snprintf(document, sizeof(document), "%s %u of %ld", story->name, number++,
                   (long)getpid());
    int fd = open(campaign->requests, O_RDONLY | O_CLOEXEC);
    requests_before = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    (void)close(fd);
    memset(&verdict->result, 0, sizeof(verdict->result));
    verdict->is_of_memory = plan->kind == INJECT_MEMORY;
    verdict->claim[0] = 0;
    verdict->rv = CKR_GENERAL_ERROR;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        begin_child();
        tell(story, plan);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0 ||
        !is_judged_elsewhere(plan))
        return status;
    child = fork();
    if (child == 0) {
        begin_child();
        judge(story);
    }
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

static void run_way(const struct campaign *campaign, const struct story *story,
                    const struct way *way, struct tally *tally)
{
    struct way now = *way;
    unsigned step = campaign->step ? campaign->step : way->sample_step;

    if (story->is_foreign)
        now.plan.scope = INJECT_OURS;
    now.plan.k = campaign->first ? campaign->first : (step + 1) / 2;
    for (; now.plan.k < campaign->end; now.plan.k += step) {
        int status = run_child(campaign, story, &now.plan);
        const char *fault = find_fault(story, &now.plan, status);
        tally->runs++;
        tally->wrong += fault != NULL;
        note_code(tally, verdict->rv);
        if (fault && tally->wrong <= SHOWN_MAX)
            show(story, &now, fault);
        if (!verdict->result.has_struck && status == 0)
            return;
    }
}

static void print_tally(const struct story *story, const struct way *way, const struct tally *tally)
{
    printf("%s: %s, %s: %u runs, %u wrong;", tally->wrong ? "FAILED" : "ok", story->name, way->name,
           tally->runs, tally->wrong);
    for (size_t i = 0; i < CODES_MAX && tally->codes[i].count; i++)
        printf(" 0x%lx x %u", tally->codes[i].rv, tally->codes[i].count);
    printf("\n");
    (void)fflush(stdout);
}

/* Nothing fails: it must be told well, and leaves what is to be compared. */
static bool tell_undisturbed(const struct campaign *campaign, const struct story *story)
{
    struct way way = {"undisturbed", {INJECT_MEMORY, INJECT_OURS, 0, 0, false}, 1, false};

    memset(verdict, 0, sizeof(*verdict));
    int status = run_child(campaign, story, &way.plan);
    const char *fault = find_fault(story, &way.plan, status);
    if (!fault && verdict->rv != CKR_OK)
        fault = "not CKR_OK";
    if (fault)
        show(story, &way, fault);
    return fault == NULL;
}

unsigned campaign_run(const struct campaign *campaign, const struct story *story)
{
    unsigned wrong = 0;
    const char *only = getenv("SMARTCA_INJECT_WAY");

    if (!verdict) {
        verdict =
            mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        said = memfd_create("said", MFD_CLOEXEC);
        traces = memfd_create("traces", MFD_CLOEXEC);
    }
    requests = campaign->requests;
    if (verdict == MAP_FAILED || said < 0 || traces < 0 || !tell_undisturbed(campaign, story))
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct tally tally = {.runs = 0};
        if ((campaign->step == 1 && ways[i].is_sample_only) ||
            (only && !strstr(ways[i].name, only)))
            continue;
        run_way(campaign, story, &ways[i], &tally);
        print_tally(story, &ways[i], &tally);
        wrong += tally.wrong;
    }
    return wrong;
}
