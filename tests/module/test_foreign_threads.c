/* SPDX-License-Identifier: Apache-2.0 */
/* Threads at one token of another module: each call has an inner session of its own. */
#include "tests/module/foreign_stage.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "remote/base/cleanup.h"

enum { THREADS = 8, SIGNATURES = 100 };

struct worker {
    pthread_t thread;
    CK_SLOT_ID slot;
    CK_RV rv;
    unsigned done;
};

static void start(struct worker *workers, void *(*work)(void *), CK_SLOT_ID slot)
{
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.slot = slot};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

static void join(const struct worker *workers)
{
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
}

static void *sign(void *arg)
{
    struct worker *worker = arg;
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    worker->rv = p11->C_OpenSession(worker->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    while (worker->rv == CKR_OK && worker->done < SIGNATURES) {
        worker->rv = foreign_sign(session, signature);
        worker->done += worker->rv == CKR_OK && signature[0] == ODD_SIGNED;
    }
    return NULL;
}

static void all_of_them_sign(void **state)
{
    struct worker workers[THREADS];
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    (void)foreign_login(slot);
    start(workers, sign, slot);
    join(workers);

    for (size_t i = 0; i < THREADS; i++) {
        EXPECT(CKR_OK, workers[i].rv);
        assert_int_equal(workers[i].done, SIGNATURES);
    }
    assert_int_equal(foreign_counts()->signatures, THREADS * SIGNATURES);
    assert_in_range(foreign_counts()->open_sessions, 2, THREADS + 1);
}

/* 2.40 section 5.4: without arguments it is promised one thread, and SoftHSM2 takes no lock then.
 */
static void the_module_is_told_that_there_are_threads(void **state)
{
    (void)state;

    (void)foreign_start();

    assert_int_equal(foreign_counts()->initialized, 1);
    assert_int_equal(foreign_counts()->told_of_threads, 1);
}

static atomic_bool is_over;
static atomic_uint looks;

static void *look(void *arg)
{
    struct worker *worker = arg;
    while (!atomic_load(&is_over)) {
        CK_SLOT_ID told = 0;
        CK_TOKEN_INFO info;
        (void)p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &told, NULL);
        (void)p11->C_GetTokenInfo(worker->slot, &info);
        atomic_fetch_add(&looks, 1);
    }
    return NULL;
}

static void looking_at_slots_disturbs_nobody(void **state)
{
    struct worker workers[THREADS];
    struct worker looker = {.rv = CKR_OK};
    (void)state;

    (void)foreign_start();
    looker.slot = foreign_slot();
    (void)foreign_login(looker.slot);
    atomic_store(&is_over, false);
    assert_int_equal(pthread_create(&looker.thread, NULL, look, &looker), 0);
    while (atomic_load(&looks) == 0)
        (void)sched_yield(); /* until it is at it, and goes on */
    start(workers, sign, looker.slot);
    join(workers);
    atomic_store(&is_over, true);
    assert_int_equal(pthread_join(looker.thread, NULL), 0);

    for (size_t i = 0; i < THREADS; i++)
        EXPECT(CKR_OK, workers[i].rv);
}

/* Opens, looks for objects, closes: with nobody logged in, the module is released in between. */
static void *come_and_go(void *arg)
{
    struct worker *worker = arg;
    for (; worker->rv == CKR_OK && worker->done < SIGNATURES; worker->done++) {
        CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
        CK_SLOT_ID told = 0;
        worker->rv = p11->C_OpenSession(worker->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
        if (worker->rv == CKR_OK)
            worker->rv = p11->C_FindObjectsInit(session, NULL, 0);
        if (worker->rv == CKR_OK)
            worker->rv = p11->C_CloseSession(session);
        (void)p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &told, NULL);
    }
    return NULL;
}

static void a_module_is_released_under_nobody(void **state)
{
    struct worker workers[THREADS];
    (void)state;

    foreign_configure(foreign.module, "release = yes\n");
    (void)foreign_start();
    start(workers, come_and_go, foreign_slot());
    join(workers);

    for (size_t i = 0; i < THREADS; i++)
        EXPECT(CKR_OK, workers[i].rv);
    assert_int_equal(foreign_counts()->initialized, foreign_counts()->finalized);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOREIGN(the_module_is_told_that_there_are_threads),
        FOREIGN(all_of_them_sign),
        FOREIGN(looking_at_slots_disturbs_nobody),
        FOREIGN(a_module_is_released_under_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
