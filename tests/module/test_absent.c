/* SPDX-License-Identifier: Apache-2.0 */
/* The gate, for every row of functions.def: who may come in, and what absent functions answer. */
#include "module/entry/gate.h"
#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

/* The rows, by what they need. Function by function, since each has its own parameters. */
struct knock {
    const char *what;
    CK_RV (*call)(CK_SESSION_HANDLE session);
    CK_RV absent; /* what an absent function answers */
};

#include "tests/module/every_function.h"

#define KNOCK(since, what, parameters)                                                             \
    static CK_RV knock_##what(CK_SESSION_HANDLE session)                                           \
    {                                                                                              \
        (void)session;                                                                             \
        return p11->C_##what WITH_SESSION(session, parameters);                                    \
    }
#define KNOCK_ZERO(since, what, parameters)                                                        \
    static CK_RV knock_##what(CK_SESSION_HANDLE session)                                           \
    {                                                                                              \
        (void)session;                                                                             \
        return p11->C_##what ALL_ZERO(parameters);                                                 \
    }

#define P11_RAW(since, what, ...)
#define P11_LIB(since, what, handler, format, parameters, ...)     KNOCK_ZERO(since, what, parameters)
#define P11_SESSION(since, what, handler, format, parameters, ...) KNOCK(since, what, parameters)
#define P11_ABSENT_SESSION(since, what, parameters)                KNOCK(since, what, parameters)
#define P11_ABSENT(since, what, code, parameters)                  KNOCK(since, what, parameters)
#include "module/entry/functions.def"
#undef P11_LIB
#undef P11_SESSION
#undef P11_ABSENT_SESSION
#undef P11_ABSENT

#define NOTHING(...)
#define ROW(since, what, ...)      {"C_" #what, knock_##what, CKR_OK},
#define CODE(since, what, code, p) {"C_" #what, knock_##what, code},

#define P11_LIB            ROW
#define P11_SESSION        NOTHING
#define P11_ABSENT_SESSION NOTHING
#define P11_ABSENT         NOTHING
static const struct knock need_library[] = {
#include "module/entry/functions.def"
};
#undef P11_LIB
#undef P11_SESSION
#define P11_LIB     NOTHING
#define P11_SESSION ROW
static const struct knock need_session[] = {
#include "module/entry/functions.def"
};
#undef P11_SESSION
#undef P11_ABSENT_SESSION
#define P11_SESSION        NOTHING
#define P11_ABSENT_SESSION ROW
static const struct knock absent_with_session[] = {
#include "module/entry/functions.def"
};
#undef P11_ABSENT_SESSION
#undef P11_ABSENT
#define P11_ABSENT_SESSION NOTHING
#define P11_ABSENT         CODE
static const struct knock absent[] = {
#include "module/entry/functions.def"
};

#undef state
#undef count
#undef info

/* Every row must answer with code; prints all that do not. */
static void answer(const struct knock *rows, size_t count, CK_SESSION_HANDLE session, CK_RV code)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        CK_RV rv = rows[i].call(session);
        if (rv != code) {
            print_error("%s returned %s instead of %s\n", rows[i].what, stage_name(rv),
                        stage_name(code));
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

#define ANSWER(rows, session, code) answer(rows, ARRAY_LEN(rows), session, code)

static void answer_nothing_but_not_initialized(CK_SESSION_HANDLE session)
{
    ANSWER(need_library, session, CKR_CRYPTOKI_NOT_INITIALIZED);
    ANSWER(need_session, session, CKR_CRYPTOKI_NOT_INITIALIZED);
    ANSWER(absent_with_session, session, CKR_CRYPTOKI_NOT_INITIALIZED);
    ANSWER(absent, session, CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void nothing_works_before_initialize(void **state)
{
    (void)state;

    answer_nothing_but_not_initialized(0);
    answer_nothing_but_not_initialized(1);

    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
}

static void nothing_works_after_finalize(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    answer_nothing_but_not_initialized(session);
}

static void a_handle_that_is_no_session_is_told_first(void **state)
{
    (void)state;
    CK_SESSION_HANDLE closed = stage_open(FAKE_PHONE);
    EXPECT(CKR_OK, p11->C_CloseSession(closed));
    const CK_SESSION_HANDLE handles[] = {0, 1, closed, (CK_SESSION_HANDLE)-1};

    for (size_t i = 0; i < ARRAY_LEN(handles); i++) {
        ANSWER(need_session, handles[i], CKR_SESSION_HANDLE_INVALID);
        ANSWER(absent_with_session, handles[i], CKR_SESSION_HANDLE_INVALID);
    }
}

static void absent_functions_of_2_40_are_not_supported_in_a_live_session(void **state)
{
    (void)state;

    ANSWER(absent_with_session, stage_open(FAKE_PHONE), CKR_FUNCTION_NOT_SUPPORTED);

    assert_int_equal(ARRAY_LEN(absent_with_session), 16);
}

static void what_only_local_keys_can_do_is_not_supported_elsewhere(void **state)
{
    CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};
    CK_OBJECT_HANDLE made[2] = {0};
    (void)state;
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_PHONE);
    CK_OBJECT_HANDLE own = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);

    EXPECT(CKR_FUNCTION_NOT_SUPPORTED,
           p11->C_GenerateKeyPair(session, &rsa, NULL, 0, NULL, 0, &made[0], &made[1]));
    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_SignRecoverInit(session, &rsa, own));
    EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_VerifyRecoverInit(session, &rsa, own));
}

static void absent_functions_of_3_x_look_at_no_handle(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
        answer(&absent[i], 1, 0, absent[i].absent);
        answer(&absent[i], 1, session, absent[i].absent);
    }
    EXPECT(CKR_FUNCTION_NOT_PARALLEL, p11->C_GetFunctionStatus(session));
    EXPECT(CKR_FUNCTION_NOT_PARALLEL, p11->C_CancelFunction(0));
}

/* Nothing in any parameter: no crash, and a session that lives on. */
static void a_session_survives_calls_with_nothing_in_them(void **state)
{
    (void)state;
    CK_SESSION_INFO info;

    for (size_t i = 0; i < ARRAY_LEN(need_session); i++) {
        CK_SESSION_HANDLE session = stage_open_rw(FAKE_PIN);
        (void)need_session[i].call(session);
        if (need_session[i].call != knock_CloseSession)
            EXPECT(CKR_OK, p11->C_GetSessionInfo(session, &info));
    }
    for (size_t i = 0; i < ARRAY_LEN(need_library); i++)
        (void)need_library[i].call(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFF(nothing_works_before_initialize),
        ON(nothing_works_after_finalize),
        ON(a_handle_that_is_no_session_is_told_first),
        ON(absent_functions_of_2_40_are_not_supported_in_a_live_session),
        ON(what_only_local_keys_can_do_is_not_supported_elsewhere),
        ON(absent_functions_of_3_x_look_at_no_handle),
        ON(a_session_survives_calls_with_nothing_in_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
