/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads at once: no crash, no race, no code that does not belong, and a module that works
 * after. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "module/token/session.h"
#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

enum { THREADS = 32, ROUNDS = 60, SIGNATURES = 10 };

/* One thread of the storm: its own dice, and handles that others may close under its feet. */
struct sailor {
    pthread_t thread;
    uint32_t dice;
    atomic_ulong *shared; /* a session that all use */
    CK_RV strange;        /* a code that should not have come */
    bool may_restart;
};

static uint32_t roll(struct sailor *sailor, uint32_t sides)
{
    sailor->dice = sailor->dice * 1664525U + 1013904223U;
    return (sailor->dice >> 16) % sides;
}

static CK_SESSION_HANDLE open_some(struct sailor *sailor)
{
    static const CK_SLOT_ID slots[] = {FAKE_PHONE, FAKE_PIN, FAKE_ODD};
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_FLAGS flags = CKF_SERIAL_SESSION | (roll(sailor, 2) ? CKF_RW_SESSION : 0UL);
    (void)p11->C_OpenSession(slots[roll(sailor, 3)], flags, NULL, NULL, &session);
    return session;
}

static CK_RV look_around(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE objects[50];
    CK_ULONG count = 0;
    CK_RV rv = p11->C_FindObjectsInit(session, NULL, 0);
    if (rv != CKR_OK)
        return rv;
    rv = p11->C_FindObjects(session, objects, ARRAY_LEN(objects), &count);
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        CK_BYTE label[64];
        CK_ATTRIBUTE one = {CKA_LABEL, label, sizeof(label)};
        (void)p11->C_GetAttributeValue(session, objects[i], &one, 1);
    }
    CK_RV end = p11->C_FindObjectsFinal(session);
    return rv == CKR_OK ? end : rv;
}

static CK_RV sign_something(CK_SESSION_HANDLE session)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    /* The key of any fake token but the odd one, whatever slot the session is on. */
    static const CK_OBJECT_HANDLE keys[] = {FAKE_PHONE * 256 + 1, FAKE_PIN * 256 + 1};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        CK_MECHANISM mechanism = {.mechanism = CKM_SHA256_RSA_PKCS};
        CK_RV rv = p11->C_SignInit(session, &mechanism, keys[i]);
        if (rv == CKR_OK)
            return p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len);
    }
    return CKR_OK;
}

static CK_RV digest_something(CK_SESSION_HANDLE session)
{
    CK_BYTE digest[32];
    CK_ULONG len = sizeof(digest);
    CK_MECHANISM mechanism = {.mechanism = CKM_SHA256};
    CK_RV rv = p11->C_DigestInit(session, &mechanism);
    if (rv == CKR_OK)
        rv = p11->C_DigestUpdate(session, MESSAGE, MESSAGE_LEN);
    return rv == CKR_OK ? p11->C_DigestFinal(session, digest, &len) : rv;
}

static CK_RV ask_slots(void)
{
    CK_SLOT_ID ids[8];
    CK_ULONG count = ARRAY_LEN(ids);
    CK_TOKEN_INFO info;
    CK_RV rv = p11->C_GetSlotList(CK_TRUE, ids, &count);
    return rv == CKR_OK ? p11->C_GetTokenInfo(FAKE_PIN, &info) : rv;
}

static CK_RV restart(struct sailor *sailor)
{
    if (!sailor->may_restart)
        return CKR_OK;
    (void)p11->C_Finalize(NULL);
    return p11->C_Initialize(NULL);
}

static CK_RV act(struct sailor *sailor, CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    switch (roll(sailor, 12)) {
    case 0:
        return restart(sailor);
    case 1:
        return stage_login(session, FAKE_PIN_TEXT);
    case 2:
        return p11->C_Logout(session);
    case 3:
        return p11->C_SessionCancel(session, CKF_SIGN | CKF_DIGEST);
    case 4:
        return p11->C_CloseSession(session);
    case 5:
        return roll(sailor, 8) ? CKR_OK : p11->C_CloseAllSessions(FAKE_PHONE);
    case 6:
        return ask_slots();
    case 7:
        return digest_something(session);
    case 8:
        return look_around(session);
    case 9:
        return p11->C_GetSessionInfo(session, &info);
    default:
        return sign_something(session);
    }
}

/* What may come back when others close, cancel, log out and restart at any moment. */
static bool belongs(CK_RV rv)
{
    static const CK_RV known[] = {
        CKR_OK,
        CKR_CRYPTOKI_NOT_INITIALIZED,
        CKR_CRYPTOKI_ALREADY_INITIALIZED,
        CKR_SESSION_HANDLE_INVALID,
        CKR_SESSION_CLOSED,
        CKR_FUNCTION_CANCELED,
        CKR_OPERATION_ACTIVE,
        CKR_OPERATION_NOT_INITIALIZED,
        CKR_USER_ALREADY_LOGGED_IN,
        CKR_USER_NOT_LOGGED_IN,
        CKR_OBJECT_HANDLE_INVALID,
        CKR_SESSION_COUNT,
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i] == rv)
            return true;
    return false;
}

static void *sail(void *arg)
{
    struct sailor *sailor = arg;
    CK_SESSION_HANDLE own = CK_INVALID_HANDLE;

    for (int i = 0; i < ROUNDS; i++) {
        if (own == CK_INVALID_HANDLE || roll(sailor, 10) == 0) {
            (void)p11->C_CloseSession(own);
            own = open_some(sailor);
        }
        if (roll(sailor, 20) == 0)
            atomic_store(sailor->shared, open_some(sailor));
        CK_RV rv = act(sailor, roll(sailor, 4) ? own : atomic_load(sailor->shared));
        if (!belongs(rv))
            sailor->strange = rv;
    }
    (void)p11->C_CloseSession(own);
    return NULL;
}

static void storm(bool may_restart)
{
    struct sailor sailors[THREADS];
    atomic_ulong shared = CK_INVALID_HANDLE;

    for (size_t i = 0; i < THREADS; i++) {
        sailors[i] = (struct sailor){.dice = (uint32_t)(7919 * (i + 1)),
                                     .shared = &shared,
                                     .strange = CKR_OK,
                                     .may_restart = may_restart && i % 8 == 0};
        assert_int_equal(pthread_create(&sailors[i].thread, NULL, sail, &sailors[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(sailors[i].thread, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        EXPECT(CKR_OK, sailors[i].strange);
}

static void assert_that_it_still_works(void)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    CK_TOKEN_INFO info;

    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_PIN));
    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_PIN, &info));
    assert_int_equal(info.ulSessionCount, 0);
    CK_SESSION_HANDLE session = stage_signing(FAKE_PIN, CKM_SHA256_RSA_PKCS);
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    assert_true(
        fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN), span_of(signature, len)));
    assert_int_equal(fake_counted().under_lock, 0);
}

static void a_storm_of_calls(void **state)
{
    (void)state;

    storm(false);

    assert_that_it_still_works();
}

static void a_storm_with_restarts(void **state)
{
    (void)state;

    storm(true);

    CK_RV rv = p11->C_Initialize(NULL);
    assert_true(rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED);
    assert_int_equal(fake_counted().live, FAKE_SLOT_COUNT); /* no start left its tokens behind */
    assert_that_it_still_works();
}

static void *sign_often(void *arg)
{
    CK_RV *strange = arg;
    for (int i = 0; i < SIGNATURES; i++) {
        CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
        CK_RV rv = p11->C_OpenSession(FAKE_PHONE, CKF_SERIAL_SESSION, NULL, NULL, &session);
        if (rv == CKR_OK)
            rv = sign_something(session);
        if (rv == CKR_OK)
            rv = p11->C_CloseSession(session);
        if (rv != CKR_OK)
            *strange = rv;
    }
    return NULL;
}

static void threads_with_sessions_of_their_own_never_fail(void **state)
{
    pthread_t threads[THREADS];
    CK_RV strange[THREADS];
    (void)state;

    for (size_t i = 0; i < THREADS; i++) {
        strange[i] = CKR_OK;
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, &strange[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    for (size_t i = 0; i < THREADS; i++)
        EXPECT(CKR_OK, strange[i]);
    assert_int_equal(fake_counted().sign, THREADS * SIGNATURES);
}

static void *list_slots(void *arg)
{
    CK_ULONG *count = arg;
    if (p11->C_GetSlotList(CK_FALSE, NULL, count) != CKR_OK)
        *count = 0;
    return NULL;
}

static void all_who_list_slots_first_see_what_discovery_found(void **state)
{
    pthread_t threads[THREADS];
    CK_ULONG counts[THREADS];
    (void)state;
    fake_play((struct fake_script){.has_late_slot = true});

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, list_slots, &counts[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(counts[i], FAKE_SLOT_COUNT + 1);
    assert_int_equal(fake_counted().discover, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(a_storm_of_calls),
        ON(a_storm_with_restarts),
        ON(threads_with_sessions_of_their_own_never_fail),
        ON(all_who_list_slots_first_see_what_discovery_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
