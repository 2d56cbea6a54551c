/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/guest/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guest/judge.h"

enum { TEXT_LEN = 96, STOP_LIMIT_MS = 30000, WARM_LIMIT_MS = 30000, RESTLESS = 40 };

struct worker {
    pthread_t thread;
    enum host_slot slot;
    uint32_t dice;
    atomic_uint asked;
    atomic_uint made;
};

static struct worker signers[HOST_SLOTS];
static struct worker finder;
static struct worker visitor;
static atomic_bool is_over;
static atomic_uint at_work;

/* A visitor logs out at any moment, and with that the session's operation and key are gone. What a
 * USB token says of a key that has gone while it is used is its own affair: SoftHSM2's is a
 * general error. */
static bool is_logged_out(enum host_slot slot, CK_RV rv)
{
    if (slot == HOST_SMARTCA || slot == HOST_RSA)
        return false;
    return rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_OPERATION_NOT_INITIALIZED ||
           rv == CKR_KEY_HANDLE_INVALID || rv == CKR_OBJECT_HANDLE_INVALID ||
           rv == CKR_FUNCTION_CANCELED || (slot == HOST_USB && rv == CKR_DEVICE_ERROR);
}

static bool sign_next(struct worker *worker, CK_SESSION_HANDLE session, unsigned number)
{
    char text[TEXT_LEN];
    CK_BYTE signature[HOST_SIGNATURE_MAX];
    CK_ULONG len = 0;

    host_text(text, sizeof(text), "worker", number);
    CK_RV rv = host_login(session);
    if (!host_worked(worker->slot, rv, "C_Login of a worker"))
        return false;
    atomic_fetch_add(&worker->asked, 1);
    rv = host_sign(worker->slot, session, text, signature, &len);
    if (rv == CKR_OK) {
        judge_signature(worker->slot, text, signature, len);
        atomic_fetch_add(&worker->made, 1);
    } else if (!is_logged_out(worker->slot, rv)) {
        host_fail("C_Sign of a worker of %s returned 0x%lx", host_slot_name(worker->slot), rv);
    }
    return true;
}

static void *sign_on(void *arg)
{
    struct worker *worker = arg;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    host_must(host_open(worker->slot, 0, &session), "C_OpenSession of a worker");
    for (unsigned i = 0; !atomic_load(&is_over); i++) {
        if (!sign_next(worker, session, i)) {
            (void)p11->C_CloseSession(session);
            (void)host_open(worker->slot, 0, &session);
        }
        host_rest_us(host_dice(&worker->dice, 6000));
    }
    (void)host_worked(worker->slot, p11->C_CloseSession(session), "C_CloseSession of a worker");
    atomic_fetch_sub(&at_work, 1);
    return NULL;
}

static void *find_on(void *arg)
{
    struct worker *worker = arg;
    while (!atomic_load(&is_over)) {
        enum host_slot slot = host_dice(&worker->dice, HOST_SLOTS);
        CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
        CK_OBJECT_HANDLE objects[32];
        CK_ULONG count = 0;
        (void)(host_worked(slot, host_open(slot, 0, &session), "C_OpenSession of the finder") &&
               host_worked(slot, p11->C_FindObjectsInit(session, NULL, 0), "C_FindObjectsInit") &&
               host_worked(slot, p11->C_FindObjects(session, objects, 32, &count),
                           "C_FindObjects") &&
               host_worked(slot, p11->C_FindObjectsFinal(session), "C_FindObjectsFinal"));
        (void)host_worked(slot, p11->C_CloseSession(session), "C_CloseSession of the finder");
        host_rest_us(host_dice(&worker->dice, 3000));
    }
    atomic_fetch_sub(&at_work, 1);
    return NULL;
}

/* Logs out now and then: of a USB token often, of a self-signed one, whose login is slow, seldom.
 */
static void *visit_on(void *arg)
{
    struct worker *worker = arg;
    while (!atomic_load(&is_over)) {
        enum host_slot slot = host_dice(&worker->dice, RESTLESS) == 0 ? HOST_EC : HOST_USB;
        CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
        if (host_worked(slot, host_open(slot, 0, &session), "C_OpenSession of the visitor") &&
            host_worked(slot, host_login(session), "C_Login of the visitor")) {
            CK_RV rv = p11->C_Logout(session);
            if (rv != CKR_USER_NOT_LOGGED_IN)
                (void)host_worked(slot, rv, "C_Logout of the visitor");
        }
        (void)host_worked(slot, p11->C_CloseSession(session), "C_CloseSession of the visitor");
        host_rest_us(5000 + host_dice(&worker->dice, 50000));
    }
    atomic_fetch_sub(&at_work, 1);
    return NULL;
}

static void start(struct worker *worker, void *(*life)(void *), uint32_t seed)
{
    worker->dice = seed;
    atomic_fetch_add(&at_work, 1);
    if (pthread_create(&worker->thread, NULL, life, worker) != 0)
        host_fail("no thread");
}

void workers_start(void)
{
    for (enum host_slot slot = 0; slot < HOST_SLOTS; slot++) {
        signers[slot].slot = slot;
        start(&signers[slot], sign_on, 1 + slot);
    }
    start(&finder, find_on, 11);
    start(&visitor, visit_on, 12);
}

void workers_warm(unsigned signatures)
{
    uint64_t until = host_now_ms() + WARM_LIMIT_MS;
    for (enum host_slot slot = 0; slot < HOST_SLOTS; slot++) {
        unsigned goal = atomic_load(&signers[slot].made) + signatures;
        while (atomic_load(&signers[slot].made) < goal) {
            if (host_now_ms() > until)
                host_fail("slot %s does not sign", host_slot_name(slot));
            host_rest_us(1000);
        }
    }
}

void workers_stop(void)
{
    uint64_t until = host_now_ms() + STOP_LIMIT_MS;
    atomic_store(&is_over, true);
    while (atomic_load(&at_work) > 0) {
        if (host_now_ms() > until)
            host_fail("%u workers hang", atomic_load(&at_work));
        host_rest_us(1000);
    }
    for (enum host_slot slot = 0; slot < HOST_SLOTS; slot++)
        (void)pthread_join(signers[slot].thread, NULL);
    (void)pthread_join(finder.thread, NULL);
    (void)pthread_join(visitor.thread, NULL);
    host_say("signatures: smartca %u, rsa %u, ec %u, usb %u", atomic_load(&signers[0].made),
             atomic_load(&signers[1].made), atomic_load(&signers[2].made),
             atomic_load(&signers[3].made));
}

unsigned workers_asked(void)
{
    return atomic_load(&signers[HOST_SMARTCA].asked);
}

unsigned workers_signed(void)
{
    return atomic_load(&signers[HOST_SMARTCA].made);
}
