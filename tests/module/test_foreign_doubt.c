/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that cannot be read for a while. */
#include "tests/module/foreign_stage.h"

#include "remote/base/cleanup.h"
#include "remote/base/clock.h"

/* The linker puts the second in the first one's place. */
extern const struct clock __real_clock_system;
extern const struct clock __wrap_clock_system;

static uint64_t ahead_ms; /* of the real clock */

static uint64_t now_ahead(const struct clock *clock)
{
    return __real_clock_system.now_ms(clock) + ahead_ms;
}

static int64_t wall(const struct clock *clock)
{
    return __real_clock_system.wall_s(clock);
}

static void wait_really(const struct clock *clock, struct call *call, uint64_t ms)
{
    __real_clock_system.wait(clock, call, ms);
}

const struct clock __wrap_clock_system = {now_ahead, wall, wait_really};

static void a_token_that_cannot_be_read_for_a_moment_keeps_its_sessions(void **state)
{
    static const char *const rows[] = {
        "GetTokenInfo=0x5", /* CKR_GENERAL_ERROR: SoftHSM2 while another process logs in */
        "GetTokenInfo=0x2", "GetTokenInfo=0x30", "GetSlotList=0x5", "GetSlotList=0x2",
    };
    CK_BYTE signature[ODD_SIGNATURE_LEN];
    (void)state;

    (void)foreign_start();
    CK_SLOT_ID slot = foreign_slot();
    CK_SESSION_HANDLE session = foreign_login(slot);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        foreign_odd(rows[i]);
        assert_int_equal(foreign_count(CK_TRUE), 1);
        foreign_odd("");
        EXPECT(CKR_OK, foreign_sign(session, signature));
        EXPECT(CKR_NO_EVENT, p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL));
    }
}

static void a_token_that_cannot_be_read_for_seconds_is_gone_until_it_can(void **state)
{
    static const char *const rows[] = {"GetTokenInfo=0x5", "GetSlotList=0x5"};
    CK_SESSION_INFO info;
    (void)state;

    (void)foreign_start();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_SLOT_ID slot = foreign_slot();
        CK_SESSION_HANDLE session = foreign_login(slot);
        foreign_odd(rows[i]);
        assert_int_equal(foreign_count(CK_TRUE), 1);
        ahead_ms += 2000;
        assert_int_equal(foreign_count(CK_TRUE), 1);
        ahead_ms += 2000;
        assert_int_equal(foreign_count(CK_TRUE), 0);
        EXPECT(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(session, &info));
        foreign_odd("");
        assert_int_equal(foreign_slot(), slot);
    }
}

static void moments_that_are_apart_do_not_add_up(void **state)
{
    (void)state;

    (void)foreign_start();
    for (int i = 0; i < 4; i++) {
        foreign_odd("GetTokenInfo=0x5");
        assert_int_equal(foreign_count(CK_TRUE), 1);
        foreign_odd("");
        assert_int_equal(foreign_count(CK_TRUE), 1);
        ahead_ms += 2000;
    }
}

static void a_token_that_says_it_is_gone_is_gone_at_once(void **state)
{
    static const char *const rows[] = {
        "GetTokenInfo=0x32", /* CKR_DEVICE_REMOVED */
        "GetTokenInfo=0xe0", /* CKR_TOKEN_NOT_PRESENT */
        "GetTokenInfo=0xe1", /* CKR_TOKEN_NOT_RECOGNIZED */
        "GetTokenInfo=0x3",  /* CKR_SLOT_ID_INVALID */
    };
    (void)state;

    (void)foreign_start();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        foreign_odd(rows[i]);
        assert_int_equal(foreign_count(CK_TRUE), 0);
        foreign_odd("");
        assert_int_equal(foreign_count(CK_TRUE), 1);
    }
}

static void a_new_token_that_cannot_be_read_yet_is_tried_again(void **state)
{
    static const char *const rows[] = {"GetTokenInfo=0x5", "GetSlotList=0x5",
                                       "GetMechanismList=0x5"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        foreign_odd(rows[i]);
        assert_int_equal(foreign_start(), 0);
        foreign_odd("");
        ahead_ms += 5000;
        assert_int_equal(foreign_count(CK_TRUE), 1);
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOREIGN(a_token_that_cannot_be_read_for_a_moment_keeps_its_sessions),
        FOREIGN(a_token_that_cannot_be_read_for_seconds_is_gone_until_it_can),
        FOREIGN(moments_that_are_apart_do_not_add_up),
        FOREIGN(a_token_that_says_it_is_gone_is_gone_at_once),
        FOREIGN(a_new_token_that_cannot_be_read_yet_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
