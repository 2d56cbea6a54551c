/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The soak: soak [TIME [SEED]], TIME as 30s, 10m, 2h. Two processes of four threads, and the tool,
 * sign through the real module and network half while everything goes wrong at the service in its
 * turn; what they are told is compared with what the service did (reliability.md R-E7). Exit 0 only
 * if every promise was kept to the end; otherwise the folder of the run stays.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/lib/folder.h"
#include "tests/soak/book.h"
#include "tests/soak/dice.h"
#include "tests/soak/evidence.h"
#include "tests/soak/gauge.h"
#include "tests/soak/program.h"
#include "tests/soak/signer.h"
#include "tests/soak/summary.h"
#include "tests/soak/trouble.h"
#include "tests/soak/worker.h"

enum {
    PROCESSES = WORKERS + 1, /* the last one runs the tool */
    TICK_MS = 100,
    MEMORY_OF_BOOK_MS = 60000, /* a document that was over so long is judged */
    DRAIN_LIMIT_MS = 120000,
    JOURNAL_MAX = 1 << 20,
    TOOL_LIMIT_MS = 60000
};

#define SETTINGS                                                                                   \
    "request_timeout = 2\nconnect_timeout = 2\nconfirm_timeout = 10\npoll_interval = 0.2\n"        \
    "batch_max = 100\nreject_cooldown = 1\n[account tool]\nuser_id = " TOOL_USER "\n"

struct soak {
    struct world world;
    struct office *office;
    struct book book;
    struct dice dice;
    struct gauge gauges[WORKERS];
    pid_t processes[PROCESSES]; /* 0: has ended */
    int posts;
    FILE *diary;
    uint64_t seed;
    uint64_t begun_ms;
    uint64_t run_ms;
    uint64_t drain_ms; /* when the end began; 0: not yet */
};

static uint64_t soak_ms(const struct soak *soak)
{
    return world_now_ms() - soak->begun_ms;
}

/* "30s", "10m", "2h" in milliseconds; 0 for anything else. */
static uint64_t parse_time(const char *text)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (value == 0 || value > 10000 || !*end || end[1])
        return 0;
    if (*end == 's')
        return value * 1000;
    if (*end == 'm')
        return value * 60 * 1000;
    return *end == 'h' ? value * 3600 * 1000 : 0;
}

static bool write_file(const struct soak *soak, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", soak->world.folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        (void)close(fd);
    return is_written;
}

static int run_tool(const struct soak *soak, const char *const *args)
{
    char out[96];
    (void)snprintf(out, sizeof(out), "%s/soak.out", soak->world.folder);
    return program_run(args, out, TOOL_LIMIT_MS);
}

/* Two accounts, a self-signed token, and an audit log whose files are changed often. */
static bool prepare(struct soak *soak)
{
    static const char *const options[] = {"--user", SOAK_USER ",SOAK MODULE", "--user",
                                          TOOL_USER ",SOAK TOOL", NULL};
    char folder[128];
    char pin[96];
    world_prepare(&soak->world, options, SETTINGS);
    (void)snprintf(folder, sizeof(folder), "%s/conf.d", soak->world.folder);
    (void)snprintf(pin, sizeof(pin), "%s/pin", soak->world.folder);
    const char *const slots[] = {"slots", NULL};
    const char *const create[] = {
        "selfsigned", "create",   "--user",     LOCAL_USER, "--name",        "Soak", "--years", "1",
        "--key",      "rsa:2048", "--pin-file", pin,        "--so-pin-file", pin,    NULL};
    /* A failed signature is a definite no here: a 500 would be asked for again until it is given up
     * after a minute. */
    world_control(&soak->world, "behaviour",
                  "{\"documents_max\":1000,\"lifetime_s\":15,\"failed_code\":400}");
    return mkdir(folder, 0700) == 0 &&
           write_file(soak, "conf.d/audit.conf", "[module]\naudit_max = 1\naudit_keep = 8\n") &&
           write_file(soak, "pin", LOCAL_PIN "\n") && run_tool(soak, slots) == 0 &&
           run_tool(soak, create) == 0;
}

/* In a new process: what it or a sanitizer prints goes to a file that has to stay empty. */
static void silence(const struct soak *soak, unsigned number)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/said.%u", soak->world.folder, number);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(3);
    (void)close(fd);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void start_processes(struct soak *soak)
{
    for (unsigned i = 0; i < PROCESSES; i++) {
        struct job job = {&soak->world, soak->office, soak->seed, i};
        soak->processes[i] = fork();
        if (soak->processes[i] == 0) {
            silence(soak, i);
            exit(i < WORKERS ? worker_run(&job) : tool_run(&job));
        }
        if (soak->processes[i] < 0)
            book_break(&soak->book, "fork failed");
        if (i < WORKERS)
            soak->gauges[i].pid = soak->processes[i];
    }
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
    if (run_tool(soak, args) != 0)
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

static void control(struct soak *soak)
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

/* The last look at everything, when nobody works any more. */
static void judge(struct soak *soak)
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

static void stop(struct soak *soak)
{
    for (unsigned i = 0; i < PROCESSES; i++) {
        if (soak->processes[i] <= 0)
            continue;
        (void)kill(soak->processes[i], SIGKILL);
        (void)waitpid(soak->processes[i], NULL, 0);
    }
}

static int end(struct soak *soak)
{
    bool is_kept = !soak->book.broken[0];
    uint64_t second = soak_ms(soak) / 1000;
    stop(soak);
    summary_print(&soak->book, soak->gauges, second);
    (void)fclose(soak->diary);
    (void)close(soak->world.life);
    (void)waitpid(soak->world.emulator, NULL, 0);
    if (is_kept) {
        (void)folder_remove(soak->world.folder);
        (void)fprintf(stderr, "soak: every promise was kept\n");
        return 0;
    }
    (void)fprintf(stderr,
                  "soak: BROKEN at second %" PRIu64 ", seed %" PRIu64 ": %s\n"
                  "soak: kept: %s (diary, log, service/requests.jsonl, and *.old before them)\n",
                  second, soak->seed, soak->book.broken, soak->world.folder);
    return 1;
}

int main(int argc, char **argv)
{
    static struct soak soak;
    soak.run_ms = parse_time(argc > 1 ? argv[1] : "10m");
    soak.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    if (argc > 3 || soak.run_ms == 0) {
        (void)fprintf(stderr, "usage: soak [TIME [SEED]], TIME as 30s, 10m or 2h\n");
        return 2;
    }
    (void)fprintf(stderr, "soak: seed %" PRIu64 "\n", soak.seed);
    soak.dice = dice_of(soak.seed, 0);
    soak.begun_ms = world_now_ms();
    soak.office = post_open(&soak.posts);
    if (!soak.office || !prepare(&soak) || !(soak.diary = evidence_open(soak.world.folder))) {
        (void)fprintf(stderr, "soak: cannot begin, see %s\n", soak.world.folder);
        return 1;
    }
    trouble_set_phone(&soak.world, &soak.dice);
    soak.begun_ms = world_now_ms();
    start_processes(&soak);
    control(&soak);
    if (!soak.book.broken[0])
        judge(&soak);
    return end(&soak);
}
