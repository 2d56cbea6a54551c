/* SPDX-License-Identifier: Apache-2.0 */
/* What programs learn of slots while another process changes what there is. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/lib/folder.h"
#include "tests/module/live_stage.h"

enum { EVENT_MS = 1000 }; /* a change shows within this time */

static void a_waiting_program_learns_of_the_first_certificate(void **state)
{
    struct live_waiter waiter;
    CK_TOKEN_INFO info;
    (void)state;
    live_wait_first(&waiter);

    live_other_stores(ALICE, "a");
    uint64_t stored_ms = live_now_ms();
    EXPECT(CKR_OK, live_join(&waiter));

    assert_int_equal(waiter.slot, 1);
    assert_true(waiter.ended_ms < stored_ms + EVENT_MS);
    EXPECT(CKR_OK, p11->C_GetTokenInfo(1, &info));
    assert_memory_equal(info.label, "Nguyễn Văn A", strlen("Nguyễn Văn A"));
    assert_int_equal(live_next_event(), 0);
    assert_int_equal(live_count_slots(CK_TRUE), 2);
}

static void a_waiting_program_learns_of_a_certificate_that_goes(void **state)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_SESSION_INFO info;
    struct live_waiter waiter;
    (void)state;
    live_other_stores(ALICE, "ab");
    assert_int_equal(live_next_event(), 1);
    assert_int_equal(live_next_event(), 2);
    EXPECT(CKR_OK, p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session));
    live_wait_first(&waiter);

    live_other_stores(ALICE, "b");
    EXPECT(CKR_OK, live_join(&waiter));

    assert_int_equal(waiter.slot, 1);
    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(session, &info));
    EXPECT(CKR_TOKEN_NOT_PRESENT, p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session));
    EXPECT(CKR_OK, p11->C_OpenSession(2, CKF_SERIAL_SESSION, NULL, NULL, &session));
    assert_int_equal(live_next_event(), 0);
}

/* An account of a file that is made in a folder that is made. */
static void a_waiting_program_learns_of_a_new_account(void **state)
{
    struct live_waiter waiter;
    char conf_d[96];
    CK_SLOT_ID slots[4] = {0};
    CK_ULONG count = 4;
    (void)state;
    (void)snprintf(conf_d, sizeof(conf_d), "%s/conf.d", live.dir);
    live_wait_first(&waiter);

    live_other_stores(BOB, "c");
    assert_int_equal(mkdir(conf_d, 0700), 0);
    assert_int_equal(
        file_replace(conf_d, "account-home.conf", span_text("[account home]\nuser_id = " BOB "\n")),
        SCA_OK);
    EXPECT(CKR_OK, live_join(&waiter));

    assert_int_equal(waiter.slot, 2);
    EXPECT(CKR_OK, p11->C_GetSlotList(CK_TRUE, slots, &count));
    assert_int_equal(count, 2);
    assert_int_equal(slots[0], 2);
    assert_int_equal(live_next_event(), 0);
}

static void a_state_folder_that_is_made_later_is_seen(void **state)
{
    struct live_waiter waiter;
    (void)state;
    assert_int_equal(folder_remove(live.state), 0);
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    live_wait_first(&waiter);

    live_other_stores(ALICE, "a");

    EXPECT(CKR_OK, live_join(&waiter));
    assert_int_equal(waiter.slot, 1);
}

/* Nobody is told of what this process did itself, nor of the next empty slot. */
static void a_token_that_this_process_makes_is_no_event(void **state)
{
    (void)state;

    live_init_token(0);

    assert_int_equal(live_next_event(), 0);
    assert_int_equal(live_count_slots(CK_FALSE), 3);
    assert_int_equal(live_next_event(), 0);
}

static void finalize_wakes_who_waits(void **state)
{
    enum { WAITERS = 4 };
    struct live_waiter waiters[WAITERS];
    (void)state;
    live_wait_first(&waiters[0]);
    for (size_t i = 1; i < WAITERS; i++)
        live_wait(&waiters[i]);

    uint64_t before_ms = live_now_ms();
    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    for (size_t i = 0; i < WAITERS; i++) {
        EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, live_join(&waiters[i]));
        assert_true(waiters[i].ended_ms < before_ms + EVENT_MS);
    }
}

#define OFF(test) cmocka_unit_test_setup_teardown(test, live_begin_off, live_end)
#define ON(test)  cmocka_unit_test_setup_teardown(test, live_begin, live_end)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ON(a_waiting_program_learns_of_the_first_certificate),
        ON(a_waiting_program_learns_of_a_certificate_that_goes),
        ON(a_waiting_program_learns_of_a_new_account),
        OFF(a_state_folder_that_is_made_later_is_seen),
        ON(a_token_that_this_process_makes_is_no_event),
        ON(finalize_wakes_who_waits),
    };
    return LIVE_RUN(tests, argc, argv);
}
