/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that are plugged in and unplugged while a program runs. */
#include "tests/module/foreign_stage.h"

#include <pthread.h>
#include <string.h>

/* The next event without waiting; 0: there is none. */
static CK_SLOT_ID next_event(void)
{
    CK_SLOT_ID slot = 0;
    CK_RV rv = p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL);
    return rv == CKR_OK ? slot : 0;
}

static void a_token_that_is_unplugged_is_an_event_and_takes_its_sessions(void **state)
{
    CK_SESSION_INFO session_info;
    CK_SLOT_INFO info;
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    CK_SESSION_HANDLE session = foreign_login(slot);
    foreign_odd("unplugged");
    CK_SLOT_ID told = next_event();

    assert_int_equal(told, slot);
    assert_int_equal(next_event(), 0);
    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(session, &session_info));
    EXPECT(CKR_OK, p11->C_GetSlotInfo(slot, &info));
    assert_false(info.flags & CKF_TOKEN_PRESENT);
    EXPECT(CKR_TOKEN_NOT_PRESENT,
           p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
    assert_int_equal(foreign_counts()->logouts, 0); /* there is nobody to tell */
}

static void a_token_that_is_plugged_in_again_is_in_its_slot_and_logged_out(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    (void)foreign_login(slot);
    foreign_odd("unplugged");
    assert_int_equal(next_event(), slot);
    foreign_odd("");
    foreign_counts()->open_sessions = 0; /* they went with it */
    assert_int_equal(next_event(), slot);

    assert_int_equal(foreign_slot(), slot);
    CK_SESSION_HANDLE session = foreign_open(slot);
    assert_int_equal(foreign_key(session), CK_INVALID_HANDLE);
    (void)foreign_try_login(session, CKU_USER, ODD_PIN);
    EXPECT(CKR_OK, foreign_sign(session, signature));
}

static void a_token_that_is_new_is_an_event_and_a_slot(void **state)
{
    (void)state;

    foreign_odd("unplugged");
    assert_int_equal(foreign_start(), 0);
    assert_int_equal(next_event(), 0);
    foreign_odd("");
    CK_SLOT_ID told = next_event();

    assert_int_not_equal(told, 0);
    assert_int_equal(foreign_slot(), told);
}

static void another_token_in_the_same_reader_is_another_slot(void **state)
{
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    foreign_odd("exchanged");
    CK_SLOT_ID events[2] = {next_event(), next_event()};

    CK_SLOT_ID now = foreign_slot();
    assert_int_not_equal(now, slot);
    assert_true((events[0] == slot && events[1] == now) || (events[0] == now && events[1] == slot));
    assert_int_equal(foreign_count(CK_FALSE), 2);
}

static void a_list_of_slots_notices_it_too(void **state)
{
    (void)state;

    CK_ULONG before = foreign_start();
    foreign_odd("unplugged");
    CK_ULONG after = foreign_count(CK_TRUE);

    assert_int_equal(before, 1);
    assert_int_equal(after, 0);
}

static void who_asks_for_the_session_notices_it_too(void **state)
{
    CK_SESSION_INFO info;
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    foreign_odd("unplugged");

    EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(session, &info));
}

static void a_signature_on_the_way_says_that_the_token_is_gone(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_login(foreign_slot());
    foreign_odd("Sign=0x32");

    EXPECT(CKR_DEVICE_REMOVED, foreign_sign(session, signature));
}

struct waiter {
    pthread_t thread;
    CK_SLOT_ID slot;
    CK_RV rv;
};

static void *wait_for_event(void *arg)
{
    struct waiter *waiter = arg;
    waiter->rv = p11->C_WaitForSlotEvent(0, &waiter->slot, NULL);
    return NULL;
}

static void who_sleeps_is_told_of_it(void **state)
{
    struct waiter waiter = {.slot = 0};
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    foreign_odd("unplugged"); /* before the thread: the environment is read there */
    assert_int_equal(pthread_create(&waiter.thread, NULL, wait_for_event, &waiter), 0);
    assert_int_equal(pthread_join(waiter.thread, NULL), 0);

    EXPECT(CKR_OK, waiter.rv);
    assert_int_equal(waiter.slot, slot);
}

static void a_module_that_is_to_be_released_is_so_while_nobody_is_logged_in(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    foreign_configure(foreign.module, "release = yes\n");
    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    assert_int_equal(foreign_counts()->initialized, foreign_counts()->finalized);
    CK_SESSION_HANDLE session = foreign_login(slot);
    int during = foreign_counts()->finalized;
    assert_int_equal(next_event(), 0);
    EXPECT(CKR_OK, foreign_sign(session, signature));
    assert_int_equal(foreign_counts()->finalized, during);
    assert_int_equal(foreign_counts()->initialized, during + 1);
    EXPECT(CKR_OK, p11->C_Logout(session));
    assert_int_equal(next_event(), 0);

    assert_true(foreign_counts()->finalized > during);
    assert_int_equal(foreign_counts()->finalized, foreign_counts()->initialized);
    assert_int_equal(foreign_key(session), CK_INVALID_HANDLE);
    EXPECT(CKR_OK, foreign_try_login(session, CKU_USER, ODD_PIN));
    EXPECT(CKR_OK, foreign_sign(session, signature));
}

static void what_comes_into_a_released_module_is_an_event(void **state)
{
    CK_SLOT_ID told = 0;
    (void)state;

    foreign_odd("unplugged");
    foreign_configure(foreign.module, "release = yes\n");
    assert_int_equal(foreign_start(), 0);
    foreign_odd("");
    EXPECT(CKR_OK, p11->C_WaitForSlotEvent(0, &told, NULL));

    assert_int_equal(foreign_slot(), told);
}

static void a_released_module_that_does_not_start_again_is_tried_later(void **state)
{
    (void)state;

    foreign_configure(foreign.module, "release = yes\n");
    (void)foreign_start();
    CK_SESSION_HANDLE session = foreign_open(foreign_slot());
    foreign_odd("Initialize=0x2");
    int before = foreign_counts()->initialized;
    EXPECT(CKR_DEVICE_REMOVED, foreign_try_login(session, CKU_USER, ODD_PIN));
    int tries = foreign_counts()->initialized - before;
    foreign_odd("");

    EXPECT(CKR_OK, foreign_try_login(session, CKU_USER, ODD_PIN));
    assert_in_range(tries, 1, 3); /* one for each call into it */
}

static void a_host_can_initialise_what_was_released(void **state)
{
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    foreign_configure(foreign.module, "release = yes\n");
    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    EXPECT(CKR_OK, foreign_load_as_host()->C_Initialize(NULL));
    int before = foreign_counts()->finalized;
    CK_SESSION_HANDLE session = foreign_login(slot);
    EXPECT(CKR_OK, foreign_sign(session, signature));
    EXPECT(CKR_OK, p11->C_CloseSession(session));
    (void)foreign_slot();

    assert_int_equal(foreign_counts()->finalized, before); /* it is the host's now */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOREIGN(a_token_that_is_unplugged_is_an_event_and_takes_its_sessions),
        FOREIGN(a_token_that_is_plugged_in_again_is_in_its_slot_and_logged_out),
        FOREIGN(a_token_that_is_new_is_an_event_and_a_slot),
        FOREIGN(another_token_in_the_same_reader_is_another_slot),
        FOREIGN(a_list_of_slots_notices_it_too),
        FOREIGN(who_asks_for_the_session_notices_it_too),
        FOREIGN(a_signature_on_the_way_says_that_the_token_is_gone),
        FOREIGN(who_sleeps_is_told_of_it),
        FOREIGN(a_module_that_is_to_be_released_is_so_while_nobody_is_logged_in),
        FOREIGN(what_comes_into_a_released_module_is_an_event),
        FOREIGN(a_released_module_that_does_not_start_again_is_tried_later),
        FOREIGN(a_host_can_initialise_what_was_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
