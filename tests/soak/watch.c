/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/watch.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "remote/base/cleanup.h"
#include "tests/soak/evidence.h"
#include "tests/soak/program.h"
#include "tests/soak/signer.h"
#include "tests/soak/summary.h"
#include "tests/soak/trouble.h"

enum {
    TICK_MS = 100,
    MEMORY_OF_BOOK_MS = 60000, /* a document that was over so long is judged */
    DRAIN_LIMIT_MS = 120000,
    JOURNAL_MAX = 1 << 20,
    TOOL_LIMIT_MS = 60000
};

uint64_t soak_ms(const struct soak *soak)
{
    return world_now_ms() - soak->begun_ms;
}

int soak_run_tool(const struct soak *soak, const char *const *args)
{
    char out[96];
    (void)snprintf(out, sizeof(out), "%s/soak.out", soak->world.folder);
    return program_run(args, out, TOOL_LIMIT_MS);
}

static void read_posts(struct soak *soak)
{
    struct post post;
    while (post_read(soak->posts, &post)) {
        evidence_add(soak->diary, &post, soak_ms(soak));
        book_post(&soak->book, &post, soak_ms(soak));
    }
}

static void look_at_service(struct soak *soak)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "transactions?after=%u", soak->book.known_transactions);
    cJSON *transactions = world_ask(&soak->world, path);
    (void)snprintf(path, sizeof(path), "requests?after=%lu", soak->book.known_requests);
    cJSON *requests = world_ask(&soak->world, path);
    read_posts(soak);
    book_requests(&soak->book, requests);
    book_transactions(&soak->book, transactions);
    cJSON_Delete(requests);
    cJSON_Delete(transactions);
}

static void look_at_desks(struct soak *soak)
{
    uint64_t now = world_now_ms();
    for (unsigned i = 0; i < DESKS; i++) {
        struct desk *desk = &soak->office->desks[i];
        uint64_t until_ms = atomic_load(&desk->until_ms);
        if (until_ms && now > until_ms)
            book_break(&soak->book, "signer %u: %s does not come back", i,
                       atomic_load(&desk->what));
    }
}

static void look_at_processes(struct soak *soak)
{
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status = 0;
        if (soak->processes[i] <= 0 ||
            waitpid(soak->processes[i], &status, WNOHANG) != soak->processes[i])
            continue;
        soak->processes[i] = 0;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            book_break(&soak->book, "process %u ended with wait status 0x%x", i, (unsigned)status);
        else if (!soak->drain_ms)
            book_break(&soak->book, "process %u ended by itself", i);
    }
}

static void look_at_files(struct soak *soak)
{
    char path[128];
    struct stat info;
    (void)snprintf(path, sizeof(path), "%s/state/journal/transactions", soak->world.folder);
    if (stat(path, &info) == 0 && info.st_size > JOURNAL_MAX)
        book_break(&soak->book, "the journal has %lld bytes", (long long)info.st_size);
    for (unsigned i = 0; i < WORKERS; i++) {
        (void)snprintf(path, sizeof(path), "%s/said.%u", soak->world.folder, i);
        if (stat(path, &info) == 0 && info.st_size > 0)
            book_break(&soak->book, "something was printed: see %s", path);
    }
}

static void look_at_needs(struct soak *soak)
{
    unsigned done = (unsigned)(soak_ms(soak) * 100 / soak->run_ms);
    for (unsigned i = 0; i < WORKERS; i++)
        if (!soak->drain_ms)
            gauge_take(&soak->gauges[i], done);
}

static void verify_audit(struct soak *soak)
{
    static const char *const args[] = {"audit", "verify", NULL};
    if (soak_run_tool(soak, args) != 0)
        book_break(&soak->book, "smartca audit verify: see %s/soak.out", soak->world.folder);
}

static void set_phone(struct soak *soak)
{
    if (!soak->drain_ms)
        trouble_set_phone(&soak->world, &soak->dice);
}

static void make_trouble(struct soak *soak)
{
    if (!soak->drain_ms)
        trouble_keep_up(&soak->world, &soak->dice);
}

static void forget(struct soak *soak)
{
    uint64_t now = soak_ms(soak);
    if (now > MEMORY_OF_BOOK_MS)
        book_forget(&soak->book, now - MEMORY_OF_BOOK_MS);
}

static void turn_evidence(struct soak *soak)
{
    evidence_turn(soak->world.folder);
}

static void show_progress(struct soak *soak)
{
    summary_progress(&soak->book, soak->gauges, soak_ms(soak) / 1000);
}

static const struct round {
    unsigned every_ms;
    void (*work)(struct soak *soak);
} rounds[] = {
    {TICK_MS, look_at_desks}, {TICK_MS, look_at_processes},
    {200, make_trouble},      {300, look_at_service},
    {1000, look_at_files},    {1000, look_at_needs},
    {5000, set_phone},        {5000, forget},
    {10000, show_progress},   {60000, turn_evidence},
    {60000, verify_audit},
};

static bool is_somebody_there(const struct soak *soak)
{
    for (unsigned i = 0; i < PROCESSES; i++)
        if (soak->processes[i] > 0)
            return true;
    return false;
}

void watch(struct soak *soak)
{
    uint64_t due_ms[ARRAY_LEN(rounds)];
    for (size_t i = 0; i < ARRAY_LEN(rounds); i++)
        due_ms[i] = rounds[i].every_ms;
    while (!soak->book.broken[0] && is_somebody_there(soak)) {
        uint64_t now = soak_ms(soak);
        for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
            if (now < due_ms[i])
                continue;
            due_ms[i] = now + rounds[i].every_ms;
            rounds[i].work(soak);
        }
        if (!soak->drain_ms && now >= soak->run_ms) {
            soak->drain_ms = now;
            trouble_end(&soak->world);
            atomic_store(&soak->office->phase, PHASE_DRAIN);
        }
        if (soak->drain_ms && now > soak->drain_ms + DRAIN_LIMIT_MS)
            book_break(&soak->book, "the processes do not end");
        signer_rest(TICK_MS);
    }
}

void watch_judge(struct soak *soak)
{
    look_at_service(soak);
    look_at_files(soak);
    verify_audit(soak);
    if (!soak->book.broken[0])
        book_close(&soak->book);
    if (soak->book.signatures == 0 || soak->book.local_signatures == 0)
        book_break(&soak->book, "nothing was signed");
    summary_judge_needs(&soak->book, soak->gauges, soak->run_ms);
}
