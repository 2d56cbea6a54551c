/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/journal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/file.h"
#include "tests/unit/journal_stage.h"

static void the_submitter_lives_until_its_process_ends_or_it_gives_up(void **state)
{
    struct stage *stage = *state;
    bool is_joined = false;
    struct journal_transaction one = stage_draft("id-1", 1, 1);
    assert_int_equal(stage_begin_one(stage, &one, &is_joined), SCA_OK);
    struct journal_transaction other = one;
    struct journal_transaction dead = one;
    struct journal_transaction reused = one;
    other.pid = getppid();
    other.pid_started = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    dead.pid = child;
    reused.pid_started = one.pid_started + 1;

    assert_true(journal_submitter_lives(&one));
    assert_true(journal_submitter_lives(&other));
    assert_false(journal_submitter_lives(&dead));
    assert_false(journal_submitter_lives(&reused));
    journal_left(stage->journal, "id-1");
    assert_int_equal(stage_begin_one(stage, &one, &is_joined), SCA_OK);
    assert_true(is_joined);
    assert_false(journal_submitter_lives(&one));
    journal_transaction_fini(&one);
}

static void of_many_processes_one_begins_and_the_others_join(void **state)
{
    enum { PROCESSES = 8 };
    struct stage *stage = *state;
    pid_t children[PROCESSES];
    int begun = 0;

    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            char id[16];
            bool is_joined = false;
            (void)snprintf(id, sizeof(id), "id-%d", i);
            _exit(stage_put(stage, id, 1, &is_joined) != SCA_OK ? 2 : is_joined);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int outcome = 0;
        assert_int_equal(waitpid(children[i], &outcome, 0), children[i]);
        assert_true(WIFEXITED(outcome) && WEXITSTATUS(outcome) <= 1);
        begun += WEXITSTATUS(outcome) == 0;
    }

    assert_int_equal(begun, 1);
}

struct crowd {
    struct stage *stage;
    atomic_int next;
    atomic_int failures;
};

static void *begin_and_end(void *arg)
{
    struct crowd *crowd = arg;
    struct stage stage = *crowd->stage;
    uint8_t seed = (uint8_t)atomic_fetch_add(&crowd->next, 1);
    char id[16];

    call_init(&stage.call, &stage.clock, 1000);
    (void)snprintf(id, sizeof(id), "id-%d", seed);
    for (int i = 0; i < 20; i++) {
        bool is_joined = true;
        struct journal_transaction one = stage_draft(id, seed, 1);
        if (stage_begin_one(&stage, &one, &is_joined) != SCA_OK || is_joined)
            atomic_fetch_add(&crowd->failures, 1);
        journal_submitted(stage.journal, &one);
        journal_end(stage.journal, id);
        journal_transaction_fini(&one);
    }
    call_fini(&stage.call);
    return NULL;
}

static void many_threads_leave_an_empty_file(void **state)
{
    enum { THREADS = 8 };
    struct stage *stage = *state;
    struct crowd crowd = {.stage = stage};
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, begin_and_end, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    assert_int_equal(crowd.failures, 0);
    assert_int_equal(stage_size(stage), 0);
}

/* How many descriptors of this process are open on that file. */
static size_t count_open(const char *path)
{
    size_t count = 0;

    for (int fd = 0; fd < 256; fd++) {
        char link[64];
        char target[256];
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t len = readlink(link, target, sizeof(target) - 1);
        target[len > 0 ? len : 0] = 0;
        count += strcmp(target, path) == 0;
    }
    return count;
}

static void *begin_in_a_thread(void *arg)
{
    bool is_joined = true;

    return stage_put(arg, "id-2", 2, &is_joined) == SCA_OK && !is_joined ? arg : NULL;
}

static void who_waited_for_a_file_that_was_replaced_takes_the_new_one(void **state)
{
    struct stage *stage = *state;
    char dir[128];
    bool is_joined = true;
    pthread_t thread;
    void *is_begun = NULL;
    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    (void)snprintf(dir, sizeof(dir), "%s/journal", stage->dir);
    int holder = open(stage->path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(holder, LOCK_EX), 0);

    assert_int_equal(pthread_create(&thread, NULL, begin_in_a_thread, stage), 0);
    while (count_open(stage->path) < 2)
        (void)sched_yield();
    assert_int_equal(file_replace(dir, "transactions", span_text("")), SCA_OK);
    assert_int_equal(close(holder), 0);
    assert_int_equal(pthread_join(thread, &is_begun), 0);

    assert_non_null(is_begun);
    assert_true(stage_is_live(stage, 2, "id-2"));
    assert_false(stage_is_live(stage, 1, "id-1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_submitter_lives_until_its_process_ends_or_it_gives_up),
        TEST(of_many_processes_one_begins_and_the_others_join),
        TEST(many_threads_leave_an_empty_file),
        TEST(who_waited_for_a_file_that_was_replaced_takes_the_new_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
