/* SPDX-License-Identifier: Apache-2.0 */
/* Every function of functions.def that works in a started library, with a session and zeros. */
#include "tests/guest/host.h"

void storm_call_any(uint32_t number, CK_SESSION_HANDLE session);
uint32_t storm_count_functions(void);

#include "tests/module/every_function.h"

#define STORM(since, what, parameters)                                                             \
    static CK_RV storm_##what(CK_SESSION_HANDLE session)                                           \
    {                                                                                              \
        (void)session;                                                                             \
        return p11->C_##what WITH_SESSION(session, parameters);                                    \
    }
#define STORM_ZERO(since, what, parameters)                                                        \
    static CK_RV storm_##what(CK_SESSION_HANDLE session)                                           \
    {                                                                                              \
        (void)session;                                                                             \
        return p11->C_##what ALL_ZERO(parameters);                                                 \
    }

#define P11_RAW(since, what, ...)
#define P11_LIB(since, what, handler, format, parameters, ...)     STORM_ZERO(since, what, parameters)
#define P11_SESSION(since, what, handler, format, parameters, ...) STORM(since, what, parameters)
#define P11_ABSENT_SESSION(since, what, parameters)                STORM(since, what, parameters)
#define P11_ABSENT(since, what, code, parameters)                  STORM(since, what, parameters)
#include "module/entry/functions.def"
#undef P11_LIB
#undef P11_SESSION
#undef P11_ABSENT_SESSION
#undef P11_ABSENT

#define ROW(since, what, ...) storm_##what,
#define P11_LIB               ROW
#define P11_SESSION           ROW
#define P11_ABSENT_SESSION    ROW
#define P11_ABSENT            ROW
static CK_RV (*const functions[])(CK_SESSION_HANDLE session) = {
#include "module/entry/functions.def"
};

uint32_t storm_count_functions(void)
{
    return sizeof(functions) / sizeof(functions[0]);
}

void storm_call_any(uint32_t number, CK_SESSION_HANDLE session)
{
    (void)functions[number](session);
}
