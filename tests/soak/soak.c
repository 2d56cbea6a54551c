/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The soak: soak [TIME [SEED]], TIME as 30s, 10m, 2h. Two processes of four threads, and the tool,
 * sign through the real module and network half while everything goes wrong at the service in its
 * turn; what they are told is compared with what the service did (R-E7). Exit 0 only
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

#include "tests/lib/folder.h"
#include "tests/soak/dice.h"
#include "tests/soak/evidence.h"
#include "tests/soak/summary.h"
#include "tests/soak/trouble.h"
#include "tests/soak/watch.h"
#include "tests/soak/worker.h"

#define SETTINGS                                                                                   \
    "request_timeout = 2\nconnect_timeout = 2\nconfirm_timeout = 10\npoll_interval = 0.2\n"        \
    "batch_max = 100\nreject_cooldown = 1\n[account tool]\nuser_id = " TOOL_USER "\n"

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
           write_file(soak, "pin", LOCAL_PIN "\n") && soak_run_tool(soak, slots) == 0 &&
           soak_run_tool(soak, create) == 0;
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
    watch(&soak);
    if (!soak.book.broken[0])
        watch_judge(&soak);
    return end(&soak);
}
