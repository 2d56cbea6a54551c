/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/journal.h"

#include <fcntl.h>
#include <pthread.h>
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
    assert_int_equal(file_replace(dir, "transactions", span_text("")), SCA_OK);
    assert_int_equal(close(holder), 0);
    assert_int_equal(pthread_join(thread, &is_begun), 0);

    assert_non_null(is_begun);
    assert_true(stage_is_live(stage, 2, "id-2"));
    assert_false(stage_is_live(stage, 1, "id-1"));
}

enum { WITHIN_MS = 30000 };

static enum sca_status claim(struct stage *stage, struct journal_transaction *one, bool *is_ours)
{
    return journal_claim(stage->journal, &stage->call, one, WITHIN_MS, is_ours);
}

static void what_is_over_cannot_be_claimed(void **state)
{
    struct stage *stage = *state;
    bool is_joined = false;
    bool is_ours = false;
    struct journal_transaction one = stage_draft("id-1", 1, 1);
    assert_int_equal(stage_begin_one(stage, &one, &is_joined), SCA_OK);
    journal_end(stage->journal, "id-1");

    assert_int_equal(claim(stage, &one, &is_ours), SCA_GONE);

    assert_int_equal(stage_size(stage), 0);
    journal_transaction_fini(&one);
}

static void what_its_submitter_is_at_is_not_claimed_and_what_it_left_is_once(void **state)
{
    struct stage *stage = *state;
    bool is_joined = false;
    bool is_ours = true;
    struct journal_transaction one = stage_draft("id-1", 1, 1);
    assert_int_equal(stage_begin_one(stage, &one, &is_joined), SCA_OK);

    assert_int_equal(claim(stage, &one, &is_ours), SCA_OK);
    assert_false(is_ours);
    journal_left(stage->journal, "id-1");
    assert_int_equal(claim(stage, &one, &is_ours), SCA_OK);
    assert_true(is_ours);
    assert_int_equal(claim(stage, &one, &is_ours), SCA_OK); /* another thread of this process */
    assert_false(is_ours);

    journal_transaction_fini(&one);
}

static void a_submitter_that_takes_too_long_loses_its_claim(void **state)
{
    struct stage *stage = *state;
    bool is_joined = false;
    bool is_ours = false;
    struct journal_transaction one = stage_draft("id-1", 1, 1);
    assert_int_equal(stage_begin_one(stage, &one, &is_joined), SCA_OK);
    struct journal_transaction theirs = one;
    stage->now_s += WITHIN_MS / 1000;

    assert_int_equal(claim(stage, &one, &is_ours), SCA_OK);

    assert_true(is_ours);
    journal_drop(stage->journal, &theirs); /* it notices at last that it never left */
    assert_true(stage_is_live(stage, 1, "id-1"));
    journal_drop(stage->journal, &one);
    assert_int_equal(stage_size(stage), 0);
    journal_transaction_fini(&one);
}

/* Holds the file's lock in another process until told to end. */
struct holder {
    pid_t pid;
    int go;
};

static struct holder hold(const struct stage *stage)
{
    struct holder holder;
    int ready[2];
    int go[2];
    char c = 0;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    holder.pid = fork();
    if (holder.pid == 0) {
        int fd = open(stage->path, O_RDWR);
        bool is_held = flock(fd, LOCK_EX) == 0 && write(ready[1], "x", 1) == 1;
        close(go[1]);
        _exit(is_held && read(go[0], &c, 1) >= 0 ? 0 : 1);
    }
    close(go[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    holder.go = go[1];
    return holder;
}

static void release(struct holder *holder)
{
    close(holder->go);
    assert_int_equal(waitpid(holder->pid, NULL, 0), holder->pid);
}

static void a_wait_for_another_program_can_be_cancelled(void **state)
{
    struct stage *stage = *state;
    bool is_joined = false;
    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    struct holder holder = hold(stage);
    struct journal_transaction two = stage_draft("id-2", 2, 1);

    call_cancel(&stage->call);
    enum sca_status st = stage_begin_one(stage, &two, &is_joined);

    assert_int_equal(st, SCA_CANCELLED);
    release(&holder);
    journal_transaction_fini(&two);
}

static void a_program_that_keeps_the_journal_is_named_as_the_reason(void **state)
{
    struct stage *stage = *state;
    bool is_joined = false;
    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    struct holder holder = hold(stage);
    struct journal_transaction two = stage_draft("id-2", 2, 1);

    stage->call.deadline_ms = 0; /* it has passed: one look, and no wait */
    enum sca_status st = stage_begin_one(stage, &two, &is_joined);

    assert_int_equal(st, SCA_IO);
    assert_non_null(strstr(stage->call.note, "another program keeps"));
    release(&holder);
    journal_transaction_fini(&two);
}

static void a_forked_child_does_not_keep_the_lock(void **state)
{
    struct stage *stage = *state;
    char dir[128];
    int lock = -1;
    (void)snprintf(dir, sizeof(dir), "%s/journal", stage->dir);
    bool is_joined = false;
    assert_int_equal(stage_put(stage, "id-1", 1, &is_joined), SCA_OK);
    assert_int_equal(file_lock(dir, "some-lock", 0, &lock), SCA_OK);
    int go[2];
    char c = 0;
    assert_int_equal(pipe(go), 0);
    pid_t child = fork(); /* with a copy of the descriptor */
    if (child == 0) {
        close(go[1]);
        _exit(read(go[0], &c, 1) >= 0 ? 0 : 1);
    }
    close(go[0]);

    fd_unlock_closep(&lock);

    assert_int_equal(file_lock(dir, "some-lock", 0, &lock), SCA_OK);
    fd_unlock_closep(&lock);
    close(go[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_submitter_lives_until_its_process_ends_or_it_gives_up),
        TEST(of_many_processes_one_begins_and_the_others_join),
        TEST(many_threads_leave_an_empty_file),
        TEST(who_waited_for_a_file_that_was_replaced_takes_the_new_one),
        TEST(what_is_over_cannot_be_claimed),
        TEST(what_its_submitter_is_at_is_not_claimed_and_what_it_left_is_once),
        TEST(a_submitter_that_takes_too_long_loses_its_claim),
        TEST(a_wait_for_another_program_can_be_cancelled),
        TEST(a_program_that_keeps_the_journal_is_named_as_the_reason),
        TEST(a_forked_child_does_not_keep_the_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
