/* SPDX-License-Identifier: Apache-2.0 */
/* C_Initialize and its arguments. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

static CK_RV make_mutex(void **mutex)
{
    *mutex = NULL;
    return CKR_OK;
}

static CK_RV use_mutex(void *mutex)
{
    (void)mutex;
    return CKR_OK;
}

static CK_RV initialize_with(unsigned callbacks, CK_FLAGS flags, void *reserved)
{
    CK_C_INITIALIZE_ARGS args = {
        .CreateMutex = callbacks & 1 ? make_mutex : NULL,
        .DestroyMutex = callbacks & 2 ? use_mutex : NULL,
        .LockMutex = callbacks & 4 ? use_mutex : NULL,
        .UnlockMutex = callbacks & 8 ? use_mutex : NULL,
        .flags = flags,
        .pReserved = reserved,
    };
    return p11->C_Initialize(&args);
}

static void the_arguments_decide_whether_the_library_starts(void **state)
{
    enum { NO_THREADS = CKF_LIBRARY_CANT_CREATE_OS_THREADS, OS = CKF_OS_LOCKING_OK };
    static const struct {
        unsigned callbacks;
        CK_FLAGS flags;
        CK_RV expected;
    } rows[] = {
        {0, 0, CKR_OK},          {0, OS, CKR_OK},
        {0, NO_THREADS, CKR_OK}, {0, OS | NO_THREADS, CKR_OK},
        {0, OS | 0x100, CKR_OK}, /* a bit nobody knows */
        {15, OS, CKR_OK},        {15, OS | NO_THREADS, CKR_OK},
        {15, 0, CKR_CANT_LOCK},  {15, NO_THREADS, CKR_CANT_LOCK},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_RV rv = initialize_with(rows[i].callbacks, rows[i].flags, NULL);
        if (rv != rows[i].expected)
            fail_msg("row %zu: %s", i, stage_name(rv));
        EXPECT(rv == CKR_OK ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
    }
}

static void some_callbacks_are_worse_than_none(void **state)
{
    (void)state;

    for (unsigned callbacks = 1; callbacks < 15; callbacks++) {
        EXPECT(CKR_ARGUMENTS_BAD, initialize_with(callbacks, 0, NULL));
        EXPECT(CKR_ARGUMENTS_BAD, initialize_with(callbacks, CKF_OS_LOCKING_OK, NULL));
    }
    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_GetInfo(NULL));
}

static void the_reserved_pointer_must_be_null(void **state)
{
    int anything = 0;
    (void)state;

    EXPECT(CKR_ARGUMENTS_BAD, initialize_with(0, CKF_OS_LOCKING_OK, &anything));
    EXPECT(CKR_ARGUMENTS_BAD, initialize_with(15, CKF_OS_LOCKING_OK, &anything));
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_Finalize(&anything));

    CK_INFO info;
    EXPECT(CKR_OK, p11->C_GetInfo(&info)); /* it stays initialised */
}

static void a_second_initialize_is_told_so_and_changes_nothing(void **state)
{
    CK_SESSION_INFO info;
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_CRYPTOKI_ALREADY_INITIALIZED, p11->C_Initialize(NULL));
    EXPECT(CKR_CRYPTOKI_ALREADY_INITIALIZED, initialize_with(0, CKF_OS_LOCKING_OK, NULL));
    EXPECT(CKR_ARGUMENTS_BAD, initialize_with(3, CKF_OS_LOCKING_OK, NULL));

    EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
}

static void initialize_asks_no_token_anything(void **state)
{
    (void)state;

    EXPECT(CKR_OK, p11->C_Initialize(NULL));

    struct fake_counts counts = fake_counted();
    assert_int_equal(counts.discover + counts.list + counts.check + counts.sign + counts.login, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFF(the_arguments_decide_whether_the_library_starts),
        OFF(some_callbacks_are_worse_than_none),
        OFF(the_reserved_pointer_must_be_null),
        ON(a_second_initialize_is_told_so_and_changes_nothing),
        OFF(initialize_asks_no_token_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
