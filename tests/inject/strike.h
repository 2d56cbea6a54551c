/* SPDX-License-Identifier: Apache-2.0 */
/* For the functions of the shim. */
#ifndef TESTS_INJECT_STRIKE_H
#define TESTS_INJECT_STRIKE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/inject/shim.h"

/* Not an error: less than was asked for. */
enum { STRIKE_SHORT = -1 };

/* Is it this call's turn? errno is set then, or, if *ret_short is asked for, that. */
bool strike_falls(enum inject_kind kind, const void *caller, const int errors[static INJECT_ERRORS],
                  bool *ret_short);

/* What libc calls on its own behalf in between is not counted. */
void strike_enter(void);
void strike_leave(void);

/* The function of that name behind this library; ends the process if there is none. */
void *strike_next(const char *name);

#define STRIKES(kind, ret_short, ...)                                                              \
    strike_falls((kind), __builtin_return_address(0), (const int[INJECT_ERRORS]){__VA_ARGS__},     \
                 (ret_short))

/* REAL(int, "close", int): a static variable real, the function behind this one. */
#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (!real)                                                                                     \
    *(void **)&real = strike_next(name)

#endif
