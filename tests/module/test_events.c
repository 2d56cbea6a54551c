/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/background.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(there_is_no_event_to_report),
        ON(waiting_ends_with_finalize),
        ON(other_calls_go_on_while_a_thread_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
