/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that are cancelled in the middle of C_Sign: the call comes to its end first, so that no
 * lock, no count and no signature is left behind, and nobody else notices.
 *   cancels COUNT [SEED]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/guest/judge.h"
#include "tests/guest/worker.h"

enum { TEXT_LEN = 96, LIMIT_MS = 20000 };

struct victim {
    pthread_t thread;
    enum host_slot slot;
    atomic_bool is_inside; /* of the module */
    atomic_uint done;
    atomic_bool has_ended;
};

/* On the victim's thread, when the cancellation acts. */
static void look_where(void *arg)
{
    struct victim *victim = arg;
    if (atomic_load(&victim->is_inside))
        host_fail("a thread was torn out of C_Sign of %s", host_slot_name(victim->slot));
    atomic_store(&victim->has_ended, true);
}

static void sign_one(struct victim *victim, CK_SESSION_HANDLE session)
{
    char text[TEXT_LEN];
    CK_BYTE signature[HOST_SIGNATURE_MAX];
    CK_ULONG len = 0;

    host_text(text, sizeof(text), "victim", atomic_load(&victim->done));
    atomic_store(&victim->is_inside, true);
    CK_RV rv = host_login(session);
    if (rv == CKR_OK)
        rv = host_sign(victim->slot, session, text, signature, &len);
    atomic_store(&victim->is_inside, false);
    if (rv == CKR_OK)
        judge_signature(victim->slot, text, signature, len);
    else if (victim->slot != HOST_EC && victim->slot != HOST_USB) /* a worker logs out of these */
        host_fail("C_Sign of a victim of %s returned 0x%lx", host_slot_name(victim->slot), rv);
    atomic_fetch_add(&victim->done, 1);
}

static void *sign_until_cancelled(void *arg)
{
    struct victim *victim = arg;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    pthread_cleanup_push(look_where, victim);
    atomic_store(&victim->is_inside, true);
    host_must(host_open(victim->slot, 0, &session), "C_OpenSession of a victim");
    atomic_store(&victim->is_inside, false);
    for (;;) {
        sign_one(victim, session);
        pthread_testcancel();
    }
    pthread_cleanup_pop(0);
    return NULL;
}

/* What C_Initialize and C_Finalize read and write is no place to be torn out of either. */
static void *restart_on(void *arg)
{
    struct victim *victim = arg;
    pthread_cleanup_push(look_where, victim);
    for (;;) {
        atomic_store(&victim->is_inside, true);
        (void)p11->C_Initialize(NULL);
        (void)p11->C_Finalize(NULL);
        atomic_store(&victim->is_inside, false);
        atomic_fetch_add(&victim->done, 1);
        pthread_testcancel();
    }
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancel_one(struct victim *victim, void *(*life)(void *), uint32_t rest_us)
{
    uint64_t until = host_now_ms() + LIMIT_MS;

    if (pthread_create(&victim->thread, NULL, life, victim) != 0)
        host_fail("no thread");
    host_rest_us(rest_us);
    (void)pthread_cancel(victim->thread);
    while (!atomic_load(&victim->has_ended)) {
        if (host_now_ms() > until)
            host_fail("a cancelled thread in %s hangs", host_slot_name(victim->slot));
        host_rest_us(200);
    }
    (void)pthread_join(victim->thread, NULL);
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
    uint32_t dice = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;

    host_load();
    judge_start();
    for (unsigned i = 0; i < count; i++) {
        struct victim victim = {.slot = HOST_SMARTCA};
        cancel_one(&victim, restart_on, host_dice(&dice, 3000));
        (void)p11->C_Finalize(NULL);
    }
    host_start();
    workers_start();
    workers_warm(1);
    for (unsigned i = 0; i < count; i++) {
        struct victim victim = {.slot = i % HOST_SLOTS};
        cancel_one(&victim, sign_until_cancelled, host_dice(&dice, 20000));
    }
    workers_warm(1);
    workers_stop();
    uint64_t start = host_now_ms();
    host_must(p11->C_Finalize(NULL), "C_Finalize");
    if (host_now_ms() - start > 1500)
        host_fail("C_Finalize waited for a call that is no more");
    return 0;
}
