/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in this process, used by several threads, while others take them away. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "remote/base/cleanup.h"
#include "tests/module/local_stage.h"

enum { THREADS = 4, ROUNDS = 40 };

struct worker {
    pthread_t thread;
    CK_SESSION_HANDLE session;
    struct disk_pair pair;
    atomic_uint signatures;
    _Atomic(CK_RV) worst; /* the first that was no success */
    bool is_wrong;
};

/* cmocka's assertions belong to the test's own thread. */
static CK_RV sign_and_verify(struct worker *worker)
{
    CK_MECHANISM mechanism = {.mechanism = CKM_ECDSA};
    CK_BYTE signature[LOCAL_SIGNATURE_MAX];
    CK_ULONG len = sizeof(signature);
    CK_RV rv = p11->C_SignInit(worker->session, &mechanism, worker->pair.private_key);
    if (rv == CKR_OK)
        rv = p11->C_Sign(worker->session, DIGEST, DIGEST_LEN, signature, &len);
    if (rv != CKR_OK)
        return rv;
    atomic_fetch_add(&worker->signatures, 1);
    rv = p11->C_VerifyInit(worker->session, &mechanism, worker->pair.public_key);
    if (rv == CKR_OK)
        rv = p11->C_Verify(worker->session, DIGEST, DIGEST_LEN, signature, len);
    worker->is_wrong |= rv == CKR_SIGNATURE_INVALID;
    return rv;
}

static void *work_so_long(void *arg)
{
    struct worker *worker = arg;
    for (int i = 0; i < ROUNDS && worker->worst == CKR_OK; i++)
        worker->worst = sign_and_verify(worker);
    return NULL;
}

static void *work_until_refused(void *arg)
{
    struct worker *worker = arg;
    while (worker->worst == CKR_OK)
        worker->worst = sign_and_verify(worker);
    return NULL;
}

static void start(struct worker *workers, struct disk_pair pair, void *(*work)(void *))
{
    for (size_t i = 0; i < THREADS; i++) {
        workers[i].session = stage_open(FAKE_DISK);
        workers[i].pair = pair;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

static void join(struct worker *workers)
{
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_false(workers[i].is_wrong);
    }
}

/* Until each has signed twice, so that it is in the middle of its work. */
static void await(struct worker *workers)
{
    for (size_t i = 0; i < THREADS; i++)
        while (atomic_load(&workers[i].signatures) < 2 && workers[i].worst == CKR_OK)
            (void)sched_yield();
}

static void threads_sign_with_one_key_at_once(void **state)
{
    struct worker workers[THREADS] = {0};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_TRUE, NULL);

    start(workers, pair, work_so_long);
    join(workers);

    for (size_t i = 0; i < THREADS; i++) {
        EXPECT(CKR_OK, workers[i].worst);
        assert_int_equal(workers[i].signatures, ROUNDS);
    }
}

static void a_logout_ends_the_signing_of_all(void **state)
{
    struct worker workers[THREADS] = {0};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_TRUE, NULL);
    start(workers, pair, work_until_refused);
    await(workers);

    EXPECT(CKR_OK, p11->C_Logout(session));
    join(workers);

    for (size_t i = 0; i < THREADS; i++)
        assert_true(workers[i].worst == CKR_KEY_HANDLE_INVALID ||
                    workers[i].worst == CKR_OPERATION_NOT_INITIALIZED);
}

static void a_destroyed_key_ends_the_signing_of_all(void **state)
{
    struct worker workers[THREADS] = {0};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_TRUE, NULL);
    start(workers, pair, work_until_refused);
    await(workers);

    EXPECT(CKR_OK, p11->C_DestroyObject(session, pair.private_key));
    join(workers);

    for (size_t i = 0; i < THREADS; i++)
        EXPECT(CKR_KEY_HANDLE_INVALID, workers[i].worst);
}

static void closing_all_sessions_ends_the_signing_of_all(void **state)
{
    struct worker workers[THREADS] = {0};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_TRUE, NULL);
    start(workers, pair, work_until_refused);
    await(workers);

    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_DISK));
    join(workers);

    for (size_t i = 0; i < THREADS; i++)
        assert_true(workers[i].worst == CKR_SESSION_HANDLE_INVALID ||
                    workers[i].worst == CKR_KEY_HANDLE_INVALID ||
                    workers[i].worst == CKR_SESSION_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(threads_sign_with_one_key_at_once),
        disk_test(a_logout_ends_the_signing_of_all),
        disk_test(a_destroyed_key_ends_the_signing_of_all),
        disk_test(closing_all_sessions_ends_the_signing_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
