/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <sched.h>

#include "module/token/slot_look.h"
#include "tests/module/background.h"
#include "tests/module/child.h"
#include "tests/module/stage.h"

static void there_is_no_event_to_report(void **state)
{
    CK_SLOT_ID slot = 77;
    int anything = 0;
    (void)state;

    EXPECT(CKR_NO_EVENT, p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, &anything));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_WaitForSlotEvent(0, NULL, NULL));
    assert_int_equal(slot, 77);
}

/* Also when C_Finalize comes before the threads have got as far as waiting. */
static void waiting_ends_with_finalize(void **state)
{
    enum { WAITERS = 4, ROUNDS = 20 };
    struct background waiters[WAITERS];
    (void)state;

    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < WAITERS; i++)
            background_wait(&waiters[i]);
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
        for (size_t i = 0; i < WAITERS; i++)
            EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, background_join(&waiters[i]));
        EXPECT(CKR_OK, p11->C_Initialize(NULL));
    }
}

static void other_calls_go_on_while_a_thread_waits(void **state)
{
    struct background waiter;
    CK_INFO info;
    (void)state;
    background_wait(&waiter);

    EXPECT(CKR_OK, p11->C_GetInfo(&info));
    (void)stage_open(FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, background_join(&waiter));
}

/* The next event without waiting; 0: there is none. */
static CK_SLOT_ID next_event(void)
{
    CK_SLOT_ID slot = 0;
    CK_RV rv = p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL);
    EXPECT(rv == CKR_NO_EVENT ? CKR_NO_EVENT : CKR_OK, rv);
    return slot;
}

static CK_FLAGS flags_of(CK_SLOT_ID slot)
{
    CK_SLOT_INFO info;
    EXPECT(CKR_OK, p11->C_GetSlotInfo(slot, &info));
    return info.flags;
}

static CK_ULONG count_slots(CK_BBOOL present)
{
    CK_ULONG count = 0;
    slot_look_forget_pace();
    EXPECT(CKR_OK, p11->C_GetSlotList(present, NULL, &count));
    return count;
}

static void a_token_that_comes_is_told_once(void **state)
{
    (void)state;
    assert_int_equal(count_slots(CK_TRUE), 4);
    assert_int_equal(next_event(), 0);

    fake_play((struct fake_script){.is_filled = true});

    assert_int_equal(next_event(), FAKE_EMPTY);
    assert_int_equal(next_event(), 0);
    assert_int_equal(flags_of(FAKE_EMPTY), CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE);
    assert_int_equal(count_slots(CK_TRUE), 5);
    CK_SESSION_HANDLE session = stage_open(FAKE_EMPTY);
    assert_int_not_equal(stage_find(session, CKO_CERTIFICATE, NULL), CK_INVALID_HANDLE);
}

static void a_new_slot_is_in_the_list_that_follows_its_event(void **state)
{
    CK_SLOT_ID ids[6] = {0};
    CK_ULONG count = 6;
    (void)state;
    assert_int_equal(count_slots(CK_FALSE), FAKE_SLOT_COUNT);

    fake_play((struct fake_script){.has_late_slot = true});

    assert_int_equal(next_event(), FAKE_LATE);
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, ids, &count));
    assert_int_equal(count, FAKE_SLOT_COUNT + 1);
    assert_int_equal(ids[FAKE_SLOT_COUNT], FAKE_LATE);
    assert_int_equal(next_event(), 0);
}

/* 2.40 section 5.5. */
static void the_list_does_not_grow_between_its_two_questions(void **state)
{
    CK_SLOT_ID ids[6] = {0};
    CK_ULONG count = count_slots(CK_FALSE);
    (void)state;

    /* Both changes are found then; the first one is told. */
    fake_play((struct fake_script){.has_late_slot = true, .is_filled = true});
    assert_int_equal(next_event(), FAKE_EMPTY);
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, ids, &count));

    assert_int_equal(count, FAKE_SLOT_COUNT);
    assert_int_equal(count_slots(CK_FALSE), FAKE_SLOT_COUNT + 1);
    assert_int_equal(next_event(), FAKE_LATE);
}

static void a_token_that_goes_takes_its_sessions_along(void **state)
{
    CK_SESSION_HANDLE gone = stage_open(FAKE_PHONE);
    CK_SESSION_HANDLE stays = stage_open(FAKE_PIN);
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_SESSION_INFO info;
    CK_TOKEN_INFO token;
    (void)state;
    (void)count_slots(CK_FALSE);

    fake_play((struct fake_script){.gone = FAKE_PHONE});
    assert_int_equal(next_event(), FAKE_PHONE);

    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(gone, &info));
    EXPECT(CKR_OK, p11->C_GetSessionInfo(stays, &info));
    EXPECT(CKR_TOKEN_NOT_PRESENT,
           p11->C_OpenSession(FAKE_PHONE, CKF_SERIAL_SESSION, NULL, NULL, &session));
    EXPECT(CKR_TOKEN_NOT_PRESENT, p11->C_GetTokenInfo(FAKE_PHONE, &token));
    assert_int_equal(session, CK_INVALID_HANDLE);
    assert_int_equal(flags_of(FAKE_PHONE), CKF_REMOVABLE_DEVICE);
    assert_int_equal(count_slots(CK_FALSE), FAKE_SLOT_COUNT);
    assert_int_equal(count_slots(CK_TRUE), FAKE_SLOT_COUNT - 2);
    assert_int_equal(next_event(), 0);
}

static void a_signature_that_waits_ends_when_its_token_goes(void **state)
{
    struct background signer;
    (void)state;
    fake_play((struct fake_script){.is_holding = true});
    background_sign(&signer, stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS));
    assert_true(fake_await_held(1));

    fake_play((struct fake_script){.is_holding = true, .gone = FAKE_PHONE});
    assert_int_equal(next_event(), FAKE_PHONE);

    EXPECT(CKR_SESSION_CLOSED, background_join(&signer));
}

static void a_token_that_comes_back_is_another_event(void **state)
{
    (void)state;
    (void)count_slots(CK_FALSE);

    fake_play((struct fake_script){.gone = FAKE_PIN});
    assert_int_equal(next_event(), FAKE_PIN);
    fake_play((struct fake_script){.gone = 0});
    assert_int_equal(next_event(), FAKE_PIN);

    assert_int_equal(next_event(), 0);
    (void)stage_open(FAKE_PIN);
}

static void gone_and_back_before_anybody_looks_is_nothing(void **state)
{
    (void)state;
    (void)count_slots(CK_FALSE);

    fake_play((struct fake_script){.gone = FAKE_PIN});
    fake_play((struct fake_script){.gone = 0});

    assert_int_equal(next_event(), 0);
}

static void counting_slots_sees_changes_and_leaves_the_event(void **state)
{
    (void)state;
    (void)count_slots(CK_FALSE);

    fake_play((struct fake_script){.is_filled = true});
    assert_int_equal(flags_of(FAKE_EMPTY), CKF_REMOVABLE_DEVICE); /* nobody has looked */
    assert_int_equal(count_slots(CK_TRUE), FAKE_SLOT_COUNT);

    assert_int_equal(flags_of(FAKE_EMPTY), CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE);
    assert_int_equal(next_event(), FAKE_EMPTY);
}

static void only_two_calls_look_and_only_after_a_change(void **state)
{
    CK_SLOT_ID ids[8];
    CK_ULONG count = 8;
    CK_TOKEN_INFO token;
    (void)state;
    (void)count_slots(CK_FALSE);
    unsigned before = fake_counted().tokens;

    fake_play((struct fake_script){.gone = FAKE_PIN});
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_FALSE, ids, &count));
    EXPECT(CKR_OK, p11->C_GetTokenInfo(FAKE_PIN, &token));
    (void)flags_of(FAKE_PIN);
    (void)stage_open(FAKE_PIN);
    assert_int_equal(fake_counted().tokens, before);

    for (int i = 0; i < 3; i++)
        (void)count_slots(CK_FALSE);
    for (int i = 0; i < 3; i++)
        (void)next_event();
    assert_int_equal(fake_counted().tokens, before + 1);
    assert_int_equal(fake_counted().under_lock, 0);
}

/* Each of two events ends one wait, whoever found them. */
static void waiting_threads_share_the_events(void **state)
{
    enum { WAITERS = 2 };
    struct background waiters[WAITERS];
    (void)state;
    (void)count_slots(CK_FALSE);
    for (size_t i = 0; i < WAITERS; i++)
        background_wait(&waiters[i]);

    fake_play((struct fake_script){.is_filled = true, .gone = FAKE_PIN});
    (void)count_slots(CK_FALSE); /* wakes them: the fake has no folder to watch */
    for (size_t i = 0; i < WAITERS; i++)
        EXPECT(CKR_OK, background_join(&waiters[i]));

    assert_int_equal(waiters[0].slot + waiters[1].slot, FAKE_EMPTY + FAKE_PIN);
    assert_int_equal(next_event(), 0);
}

static void what_the_first_list_finds_is_no_event(void **state)
{
    (void)state;
    fake_play((struct fake_script){.has_late_slot = true});

    assert_int_equal(count_slots(CK_FALSE), FAKE_SLOT_COUNT + 1);

    assert_int_equal(next_event(), 0);
}

static void events_end_with_the_library(void **state)
{
    (void)state;
    (void)count_slots(CK_FALSE);
    fake_play((struct fake_script){.gone = FAKE_PIN});
    (void)count_slots(CK_FALSE);

    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    EXPECT(CKR_OK, p11->C_Initialize(NULL));

    assert_int_equal(next_event(), 0);
}

enum { TO_WAIT_WITH = 3 };

/* Of this process; in a child too, which may not assert: -1 when nobody can tell. */
static int descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return -1;
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count;
}

static void waiting_leaves_no_descriptor_behind(void **state)
{
    struct background waiter;
    (void)state;
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    int before = descriptors();

    for (int i = 0; i < 3; i++) {
        EXPECT(CKR_OK, p11->C_Initialize(NULL));
        int initialized = descriptors();
        background_wait(&waiter);
        while (descriptors() < initialized + TO_WAIT_WITH)
            (void)sched_yield(); /* until the waiter has what it waits with */
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
        EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, background_join(&waiter));
    }

    assert_int_equal(descriptors(), before);
}

static int the_child_starts_and_ends_a_life(void *arg)
{
    CK_SLOT_ID slot = 0;
    const int *of_module = arg;
    int before = descriptors();

    CHECK(p11->C_WaitForSlotEvent(0, &slot, NULL) == CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    CHECK(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL) == CKR_NO_EVENT);
    CHECK(p11->C_Finalize(NULL) == CKR_OK);
    CHECK(descriptors() == before - *of_module);
    return 0;
}

static void a_forked_child_leaves_the_waiting_parent_alone(void **state)
{
    struct background waiter;
    (void)state;
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    EXPECT(CKR_OK, p11->C_Finalize(NULL));
    int of_module = -descriptors();
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    (void)count_slots(CK_FALSE);
    of_module += descriptors() + TO_WAIT_WITH;
    unsigned looks = fake_counted().look;
    background_wait(&waiter);
    while (fake_counted().look == looks)
        (void)sched_yield(); /* until the waiter opens nothing more that a fork could copy */

    assert_int_equal(child_run(the_child_starts_and_ends_a_life, &of_module), 0);

    fake_play((struct fake_script){.is_filled = true});
    (void)count_slots(CK_FALSE);
    EXPECT(CKR_OK, background_join(&waiter));
    assert_int_equal(waiter.slot, FAKE_EMPTY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(there_is_no_event_to_report),
        ON(waiting_ends_with_finalize),
        ON(other_calls_go_on_while_a_thread_waits),
        ON(a_token_that_comes_is_told_once),
        ON(a_new_slot_is_in_the_list_that_follows_its_event),
        ON(the_list_does_not_grow_between_its_two_questions),
        ON(a_token_that_goes_takes_its_sessions_along),
        ON(a_signature_that_waits_ends_when_its_token_goes),
        ON(a_token_that_comes_back_is_another_event),
        ON(gone_and_back_before_anybody_looks_is_nothing),
        ON(counting_slots_sees_changes_and_leaves_the_event),
        ON(only_two_calls_look_and_only_after_a_change),
        ON(waiting_threads_share_the_events),
        ON(what_the_first_list_finds_is_no_event),
        ON(events_end_with_the_library),
        OFF(waiting_leaves_no_descriptor_behind),
        OFF(a_forked_child_leaves_the_waiting_parent_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
