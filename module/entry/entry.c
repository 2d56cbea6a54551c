/* SPDX-License-Identifier: Apache-2.0 */
/* The wrappers of all functions and the three lists, made from functions.def. */
#include <stdbool.h>
#include <stddef.h>

#include "module/cryptoki.h"
#include "module/entry/gate.h"
#include "module/entry/interface.h"
#include "module/entry/trace.h"
#include "module/token/handlers.h"
#include "module/token/session.h"
#include "remote/base/cleanup.h"
#include "remote/base/log.h"

/* An absent function has parameters, for its prototype, that nobody reads. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define TRACE(name, rv, ...)                                                                       \
    do {                                                                                           \
        if (log_is_on(LOG_LEVEL_DEBUG))                                                            \
            trace_call("C_" #name, rv, __VA_ARGS__);                                               \
    } while (0)

/* First of all in every wrapper, and undone last. */
#define FRAMED                                                                                     \
    AUTO(gate_release) struct gate_frame frame;                                                    \
    gate_hold(&frame)

/* Only a call that is counted in may write to the log: C_Finalize closes it. */
#define P11_RAW(since, name, handler, format, parameters, ...)                                     \
    static CK_RV entry_##name parameters                                                           \
    {                                                                                              \
        FRAMED;                                                                                    \
        CK_RV rv = handler(__VA_ARGS__);                                                           \
        bool is_inside = gate_enter() == CKR_OK;                                                   \
        if (is_inside)                                                                             \
            TRACE(name, rv, format, __VA_ARGS__);                                                  \
        return gate_leave("C_" #name, is_inside, NULL, rv);                                        \
    }

#define P11_LIB(since, name, handler, format, parameters, ...)                                     \
    static CK_RV entry_##name parameters                                                           \
    {                                                                                              \
        FRAMED;                                                                                    \
        CK_RV rv = gate_enter();                                                                   \
        if (rv != CKR_OK)                                                                          \
            return rv;                                                                             \
        rv = handler(__VA_ARGS__);                                                                 \
        TRACE(name, rv, format, __VA_ARGS__);                                                      \
        return gate_leave("C_" #name, true, NULL, rv);                                             \
    }

#define P11_SESSION(since, name, handler, format, parameters, ...)                                 \
    static CK_RV entry_##name parameters                                                           \
    {                                                                                              \
        FRAMED;                                                                                    \
        struct session *s = NULL;                                                                  \
        CK_RV rv = gate_enter_session("C_" #name, hs, &s);                                         \
        if (rv != CKR_OK)                                                                          \
            return rv;                                                                             \
        rv = handler(__VA_ARGS__);                                                                 \
        TRACE(name, rv, format, __VA_ARGS__);                                                      \
        return gate_leave("C_" #name, true, s, rv);                                                \
    }

#define P11_ABSENT_SESSION(since, name, parameters)                                                \
    static CK_RV entry_##name parameters                                                           \
    {                                                                                              \
        FRAMED;                                                                                    \
        struct session *s = NULL;                                                                  \
        CK_RV rv = gate_enter_session("C_" #name, hs, &s);                                         \
        if (rv != CKR_OK)                                                                          \
            return rv;                                                                             \
        TRACE(name, CKR_FUNCTION_NOT_SUPPORTED, "s", s);                                           \
        return gate_leave("C_" #name, true, s, CKR_FUNCTION_NOT_SUPPORTED);                        \
    }

#define P11_ABSENT(since, name, code, parameters)                                                  \
    static CK_RV entry_##name parameters                                                           \
    {                                                                                              \
        FRAMED;                                                                                    \
        CK_RV rv = gate_enter();                                                                   \
        if (rv != CKR_OK)                                                                          \
            return rv;                                                                             \
        TRACE(name, code, "");                                                                     \
        return gate_leave("C_" #name, true, NULL, code);                                           \
    }

#include "module/entry/functions.def"

#undef P11_RAW
#undef P11_LIB
#undef P11_SESSION
#undef P11_ABSENT_SESSION
#undef P11_ABSENT

/* In a list, a row is a member if its version is not newer than the list's. */
#define P11_RAW(since, name, ...)            P11_IN_##since(name)
#define P11_LIB(since, name, ...)            P11_IN_##since(name)
#define P11_SESSION(since, name, ...)        P11_IN_##since(name)
#define P11_ABSENT_SESSION(since, name, ...) P11_IN_##since(name)
#define P11_ABSENT(since, name, ...)         P11_IN_##since(name)

#define P11_MEMBER(name) .C_##name = entry_##name,
#define P11_NOTHING(name)
#define P11_COUNT(name) +1 /* NOLINT(bugprone-macro-parentheses): it adds up */

#define P11_IN_2_40 P11_MEMBER
#define P11_IN_3_0  P11_NOTHING
#define P11_IN_3_2  P11_NOTHING
const CK_FUNCTION_LIST list_2_40 = {
    .version = {2, 40},
#include "module/entry/functions.def"
};

#undef P11_IN_3_0
#define P11_IN_3_0 P11_MEMBER
const struct cryptoki_list_3_0 list_3_0 = {
    .version = {3, 0},
#include "module/entry/functions.def"
};

#undef P11_IN_3_2
#define P11_IN_3_2 P11_MEMBER
const struct cryptoki_list_3_2 list_3_2 = {
    .version = {3, 2},
#include "module/entry/functions.def"
};

/* A function that no row names would be NULL in a list: count the rows. */
#undef P11_IN_2_40
#undef P11_IN_3_0
#undef P11_IN_3_2
#define P11_IN_2_40 P11_COUNT
#define P11_IN_3_0  P11_COUNT
#define P11_IN_3_2  P11_COUNT
enum {
    ROW_COUNT = 0
#include "module/entry/functions.def"
};

#define MEMBERS(type) ((sizeof(type) - offsetof(type, C_Initialize)) / sizeof(CK_C_Initialize))
_Static_assert(MEMBERS(CK_FUNCTION_LIST) == 68, "the 2.40 list has 68 members");
_Static_assert(MEMBERS(struct cryptoki_list_3_0) == 92, "the 3.0 list has 92 members");
_Static_assert(MEMBERS(struct cryptoki_list_3_2) == 104, "the 3.2 list has 104 members");
_Static_assert(ROW_COUNT == 104, "functions.def misses a function, or has one twice");
