/* SPDX-License-Identifier: Apache-2.0 */
/* Forks while threads are inside of another vendor's module, which has a lock and no fork handler.
 */
#include "tests/module/foreign_stage.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/module/child.h"

enum { FORKS = 20, MANY = 16, OUR_SLOTS = 1 /* the empty one */, ENDING_US = 800000 };

struct signing {
    pthread_t thread;
    CK_SLOT_ID slot;
    atomic_bool is_over;
    atomic_uint done;
    CK_RV rv;
};

static void *sign_on(void *arg)
{
    struct signing *signing = arg;
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    signing->rv = p11->C_OpenSession(signing->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    while (signing->rv == CKR_OK && !atomic_load(&signing->is_over)) {
        signing->rv = foreign_sign(session, signature);
        atomic_fetch_add(&signing->done, 1);
    }
    return NULL;
}

static void start(struct signing *signing)
{
    *signing = (struct signing){.slot = foreign_slot()};
    (void)foreign_login(signing->slot);
    foreign_odd("lock");
    assert_int_equal(pthread_create(&signing->thread, NULL, sign_on, signing), 0);
}

/* The same, and it is inside of the other module until stop. */
static void start_and_stay(struct signing *signing)
{
    start(signing);
    foreign_counts()->is_kept = true;
    while (foreign_counts()->waiting == 0)
        (void)sched_yield();
}

static void stop(struct signing *signing)
{
    atomic_store(&signing->is_over, true);
    foreign_counts()->is_kept = false;
    assert_int_equal(pthread_join(signing->thread, NULL), 0);
    EXPECT(CKR_OK, signing->rv);
}

/* Counts the slots; alarm ends a child that hangs. */
static int slots_are(void *arg)
{
    const CK_ULONG *wanted = arg;
    CK_SLOT_ID slots[MANY];
    CK_ULONG count = MANY;

    (void)alarm(10);
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    CHECK(p11->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK);
    CHECK(count == *wanted);
    CHECK(p11->C_Finalize(NULL) == CKR_OK);
    return 0;
}

static void a_child_leaves_alone_what_a_thread_was_in(void **state)
{
    struct signing signing;
    CK_ULONG ours = OUR_SLOTS;
    (void)state;
    (void)foreign_start();
    start_and_stay(&signing);

    assert_int_equal(child_run(slots_are, &ours), 0);

    stop(&signing);
    char *log = foreign_log();
    assert_non_null(strstr(log, "another thread was using it when this process was forked"));
    free(log);
}

static int a_grandchild_leaves_it_alone_too(void *arg)
{
    int line = slots_are(arg);
    return line ? line : child_run(slots_are, arg);
}

static void a_child_of_that_child_does_too(void **state)
{
    struct signing signing;
    CK_ULONG ours = OUR_SLOTS;
    (void)state;
    (void)foreign_start();
    start_and_stay(&signing);

    assert_int_equal(child_run(a_grandchild_leaves_it_alone_too, &ours), 0);

    stop(&signing);
}

static void a_fork_waits_for_short_calls_and_the_child_has_the_token(void **state)
{
    struct signing signing;
    CK_ULONG all = OUR_SLOTS + 1;
    (void)state;
    (void)foreign_start();
    start(&signing);

    for (int i = 0; i < FORKS; i++)
        assert_int_equal(child_run(slots_are, &all), 0);

    stop(&signing);
    assert_true(atomic_load(&signing.done) > 0);
}

/* A host that signs with a mutex held, which its own handler for fork takes as well. */
static pthread_mutex_t hosts_own = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool host_locks;

static void before_fork(void)
{
    if (atomic_load(&host_locks))
        (void)pthread_mutex_lock(&hosts_own);
}

static void after_fork(void)
{
    if (atomic_load(&host_locks))
        (void)pthread_mutex_unlock(&hosts_own);
}

static void *sign_locked(void *arg)
{
    struct signing *signing = arg;
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    signing->rv = p11->C_OpenSession(signing->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    while (signing->rv == CKR_OK && !atomic_load(&signing->is_over)) {
        (void)pthread_mutex_lock(&hosts_own);
        signing->rv = foreign_sign(session, signature);
        (void)pthread_mutex_unlock(&hosts_own);
        atomic_fetch_add(&signing->done, 1);
    }
    return NULL;
}

/* The handlers run in the order that is the reverse of their registration: the module's first. */
static void a_fork_that_waits_for_a_caller_is_not_waited_for(void **state)
{
    struct signing signing = {.rv = CKR_OK};
    (void)state;
    (void)foreign_start();
    signing.slot = foreign_slot();
    (void)foreign_login(signing.slot);
    atomic_store(&host_locks, true);
    assert_int_equal(pthread_create(&signing.thread, NULL, sign_locked, &signing), 0);

    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }

    stop(&signing);
    atomic_store(&host_locks, false);
    assert_true(atomic_load(&signing.done) > 0);
}

/* Runs after the module's handler for exit, as the destructors do. */
static void end_late(void)
{
    int before = foreign_counts()->finalized;

    (void)usleep(ENDING_US); /* longer than a fork is waited for */
    _exit(foreign_counts()->finalized == before ? 0 : 1);
}

static void *fork_slowly(void *arg)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return arg;
}

static void *look(void *arg)
{
    (void)foreign_count(CK_TRUE);
    return arg;
}

/* A thread comes out of the module while another one forks: it waits, and then the end has come. */
static _Noreturn void end_while_a_thread_leaves(void)
{
    pthread_t forker;
    pthread_t looker;

    (void)atexit(end_late);
    (void)alarm(10);
    (void)foreign_start();
    foreign_odd("lock");
    foreign_counts()->is_kept = true;
    (void)usleep(ENDING_US); /* what has just been released is not looked at */
    (void)pthread_create(&looker, NULL, look, NULL);
    (void)pthread_detach(looker);
    while (foreign_counts()->waiting == 0)
        (void)sched_yield();
    (void)pthread_mutex_lock(&hosts_own);
    atomic_store(&host_locks, true);
    (void)pthread_create(&forker, NULL, fork_slowly, NULL);
    (void)pthread_detach(forker);
    (void)usleep(
        ENDING_US); /* the fork has given up waiting for the looker; it stands at our lock */
    foreign_counts()->is_kept = false;
    while (foreign_counts()->waiting > 0)
        (void)sched_yield();
    (void)usleep(ENDING_US / 8);
    exit(2);
}

static void who_waited_for_a_fork_does_not_finalise_after_the_end(void **state)
{
    int status = -1;
    (void)state;
    foreign_configure(foreign.module, "release = yes\n");

    pid_t child = fork();
    if (child == 0)
        end_while_a_thread_leaves();
    assert_int_equal(waitpid(child, &status, 0), child);

    assert_int_equal(status, 0);
}

int main(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork);
    const struct CMUnitTest tests[] = {
        FOREIGN(a_child_leaves_alone_what_a_thread_was_in),
        FOREIGN(a_child_of_that_child_does_too),
        FOREIGN(a_fork_waits_for_short_calls_and_the_child_has_the_token),
        FOREIGN(a_fork_that_waits_for_a_caller_is_not_waited_for),
        FOREIGN(who_waited_for_a_fork_does_not_finalise_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
