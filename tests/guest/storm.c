/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storm of all functions from 32 threads at all kinds of slots, with C_Finalize and
 * C_Initialize at any moment. No code is wrong then, but every signature must be right, and
 * afterwards everything works. For ThreadSanitizer and Helgrind.
 *   storm SECONDS [SEED]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/guest/judge.h"

enum { THREADS = 32, TEXT_LEN = 96, CALM_LIMIT_MS = 300000, RESTARTERS = 2 };

struct sailor {
    pthread_t thread;
    uint32_t dice;
    bool may_restart;
    CK_SESSION_HANDLE session;
    enum host_slot slot;
    CK_BYTE signature[HOST_SIGNATURE_MAX]; /* an asynchronous call may write to it */
    CK_ULONG len;
};

static struct sailor sailors[THREADS];
static atomic_bool is_over;
static atomic_uint sailing;
static atomic_uint made[HOST_SLOTS];
static atomic_ulong shared; /* a session that all use */

void storm_call_any(uint32_t number, CK_SESSION_HANDLE session);
uint32_t storm_count_functions(void);

static void sign(struct sailor *sailor, CK_SESSION_HANDLE session)
{
    static atomic_uint number;
    char text[TEXT_LEN];
    CK_BYTE signature[HOST_SIGNATURE_MAX];
    CK_ULONG len = 0;
    enum host_slot slot = sailor->slot;

    host_text(text, sizeof(text), "storm", atomic_fetch_add(&number, 1));
    if (session != sailor->session || host_sign(slot, session, text, signature, &len) != CKR_OK)
        return;
    judge_signature(slot, text, signature, len);
    atomic_fetch_add(&made[slot], 1);
}

static void open_another(struct sailor *sailor)
{
    (void)p11->C_CloseSession(sailor->session);
    sailor->slot = host_dice(&sailor->dice, HOST_SLOTS);
    CK_FLAGS flags = host_dice(&sailor->dice, 2) ? CKF_RW_SESSION : 0;
    sailor->session = CK_INVALID_HANDLE;
    (void)host_open(sailor->slot, flags, &sailor->session);
    if (host_dice(&sailor->dice, 8) == 0)
        atomic_store(&shared, sailor->session);
}

static void find(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE objects[32];
    CK_ULONG count = 0;
    if (p11->C_FindObjectsInit(session, NULL, 0) != CKR_OK)
        return;
    if (p11->C_FindObjects(session, objects, 32, &count) != CKR_OK)
        count = 0;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_BYTE label[64];
        CK_ATTRIBUTE one = {CKA_LABEL, label, sizeof(label)};
        (void)p11->C_GetAttributeValue(session, objects[i], &one, 1);
    }
    (void)p11->C_FindObjectsFinal(session);
}

static void list_slots(void)
{
    CK_SLOT_ID ids[16];
    CK_ULONG count = 0;
    (void)p11->C_GetSlotList(CK_TRUE, NULL, &count);
    count = 16;
    if (p11->C_GetSlotList(CK_TRUE, ids, &count) != CKR_OK)
        return;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO token;
        CK_SLOT_INFO slot;
        (void)p11->C_GetTokenInfo(ids[i], &token);
        (void)p11->C_GetSlotInfo(ids[i], &slot);
    }
}

static void sign_later(struct sailor *sailor)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_ULONG value = 0;

    if (host_open(HOST_SMARTCA, CKF_ASYNC_SESSION, &session) != CKR_OK)
        return;
    sailor->len = sizeof(sailor->signature);
    if (host_sign_init(HOST_SMARTCA, session) == CKR_OK)
        (void)p11->C_Sign(session, (CK_BYTE *)&sailor->dice, 4, sailor->signature, &sailor->len);
    (void)p11->C_GetSessionInfo(session, &(CK_SESSION_INFO){.slotID = value});
    (void)p11->C_CloseSession(session);
}

/* A self-signed token's login takes half a second; one that is wrong would lock it. */
static void log_in_or_out(struct sailor *sailor, CK_SESSION_HANDLE session)
{
    bool is_slow = sailor->slot == HOST_RSA || sailor->slot == HOST_EC;
    if (host_dice(&sailor->dice, is_slow ? 20 : 3) == 0)
        (void)p11->C_Logout(session);
    else
        (void)host_login(session);
}

static void restart(const struct sailor *sailor)
{
    if (!sailor->may_restart)
        return;
    (void)p11->C_Finalize(NULL);
    (void)p11->C_Initialize(NULL);
}

static void act(struct sailor *sailor)
{
    CK_SESSION_HANDLE session =
        host_dice(&sailor->dice, 4) ? sailor->session : atomic_load(&shared);
    switch (host_dice(&sailor->dice, 12)) {
    case 0:
        open_another(sailor);
        break;
    case 1:
        find(session);
        break;
    case 2:
        list_slots();
        break;
    case 3:
        log_in_or_out(sailor, session);
        break;
    case 4:
        (void)p11->C_SessionCancel(session, CKF_SIGN | CKF_DIGEST);
        break;
    case 5:
        sign_later(sailor);
        break;
    case 6:
        if (host_dice(&sailor->dice, 50) == 0)
            restart(sailor);
        break;
    case 7:
    case 8:
        storm_call_any(host_dice(&sailor->dice, storm_count_functions()), session);
        break;
    default:
        sign(sailor, session);
    }
}

static void *sail(void *arg)
{
    struct sailor *sailor = arg;
    while (!atomic_load(&is_over))
        act(sailor);
    atomic_fetch_sub(&sailing, 1);
    return NULL;
}

static void wait_for_calm(void)
{
    uint64_t until = host_now_ms() + CALM_LIMIT_MS;
    atomic_store(&is_over, true);
    while (atomic_load(&sailing) > 0) {
        if (host_now_ms() > until)
            host_fail("%u threads hang", atomic_load(&sailing));
        host_rest_us(1000);
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(sailors[i].thread, NULL);
}

int main(int argc, char **argv)
{
    uint32_t seconds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;

    host_load();
    judge_start();
    host_start();
    atomic_store(&sailing, THREADS);
    for (uint32_t i = 0; i < THREADS; i++) {
        sailors[i].dice = seed * 7919 + i * 104729;
        sailors[i].slot = i % HOST_SLOTS;
        sailors[i].may_restart = i < RESTARTERS;
        if (pthread_create(&sailors[i].thread, NULL, sail, &sailors[i]) != 0)
            host_fail("no thread");
    }
    for (uint32_t i = 0; i < seconds * 10; i++)
        host_rest_us(100000);
    wait_for_calm();

    (void)p11->C_Finalize(NULL);
    host_start();
    for (enum host_slot slot = 0; slot < HOST_SLOTS; slot++)
        host_sign_once(slot, "after the storm");
    host_must(p11->C_Finalize(NULL), "C_Finalize");
    host_say("signatures: smartca %u, rsa %u, ec %u, usb %u", atomic_load(&made[0]),
             atomic_load(&made[1]), atomic_load(&made[2]), atomic_load(&made[3]));
    return 0;
}
