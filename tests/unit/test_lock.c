/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/lock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct lock slot_lock = LOCK_INITIALIZER(LOCK_SLOT);
static struct lock leaf_lock = LOCK_INITIALIZER(LOCK_LEAF);

static void locks_nest_in_rising_rank(void **state)
{
    (void)state;

    assert_true(lock_none_held());
    lock_take(&slot_lock);
    lock_take(&leaf_lock);
    assert_false(lock_none_held());
    lock_drop(&leaf_lock);
    assert_false(lock_none_held());
    lock_drop(&slot_lock);
    assert_true(lock_none_held());
}

static void take_in_order(struct lock *first, struct lock *second) NO_LOCK_ANALYSIS
{
    lock_take(first);
    lock_take(second);
    lock_drop(second);
    lock_drop(first);
}

/* How a child ends that takes one lock and then another: 0, or the signal that ended it. */
static int end_of_taking(struct lock *first, struct lock *second)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO); /* the assertion's own words */
        take_in_order(first, second);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void the_wrong_order_is_caught(void **state)
{
    static struct lock other_slot = LOCK_INITIALIZER(LOCK_SLOT);
    (void)state;

    assert_int_equal(end_of_taking(&slot_lock, &leaf_lock), 0);
    assert_int_equal(end_of_taking(&leaf_lock, &slot_lock), SIGABRT);
    assert_int_equal(end_of_taking(&slot_lock, &other_slot), SIGABRT);
}

struct meeting {
    struct lock lock;
    pthread_cond_t changed;
    bool is_there;
};

static void *come(void *arg)
{
    struct meeting *meeting = arg;
    lock_take(&meeting->lock);
    meeting->is_there = true;
    pthread_cond_broadcast(&meeting->changed);
    lock_drop(&meeting->lock);
    return NULL;
}

static void waiting_releases_the_lock_and_keeps_the_rank(void **state)
{
    struct meeting meeting = {.is_there = false};
    pthread_t thread;
    (void)state;
    lock_init(&meeting.lock, LOCK_LEAF);
    lock_cond_init(&meeting.changed);

    lock_take(&slot_lock);
    lock_take(&meeting.lock);
    assert_int_equal(pthread_create(&thread, NULL, come, &meeting), 0);
    while (!meeting.is_there)
        lock_wait(&meeting.lock, &meeting.changed);
    lock_drop(&meeting.lock);
    assert_false(lock_none_held());
    lock_drop(&slot_lock);

    assert_true(lock_none_held());
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_cond_destroy(&meeting.changed);
    lock_fini(&meeting.lock);
}

static void waiting_for_a_time_ends(void **state)
{
    struct meeting meeting = {.is_there = false};
    (void)state;
    lock_init(&meeting.lock, LOCK_LEAF);
    lock_cond_init(&meeting.changed);

    lock_take(&meeting.lock);
    assert_false(lock_wait_for(&meeting.lock, &meeting.changed, 0));
    assert_false(lock_wait_for(&meeting.lock, &meeting.changed, 1));
    lock_drop(&meeting.lock);

    assert_true(lock_none_held());
    pthread_cond_destroy(&meeting.changed);
    lock_fini(&meeting.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_nest_in_rising_rank),
        cmocka_unit_test(the_wrong_order_is_caught),
        cmocka_unit_test(waiting_releases_the_lock_and_keeps_the_rank),
        cmocka_unit_test(waiting_for_a_time_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
