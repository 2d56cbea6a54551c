/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller gives to each function, and which codes it may come back with. */
#ifndef TESTS_FUZZ_RULES_H
#define TESTS_FUZZ_RULES_H

#include <stdbool.h>

#include "module/cryptoki.h"

/*
 * Arguments, a character for one or two of them:
 *   s session      S slot       o object    u number     U user type  f flags of a session
 *   m mechanism    M its type   b boolean   n name of a function      i arguments of C_Initialize
 *   t template, count           d data, length           p PIN, length
 *   r room, length pointer      q room for numbers, count pointer     k room, how many, count
 * pointer Q room for interfaces, count pointer                g room, length   x struct   h handle
 *   l label     w flags of a wait       0 nothing
 * NULL: a function that is not there, and looks at no argument but a session.
 */
const char *rules_format(const char *name);

/* PKCS#11's list of codes for the function, and what every function may return. */
bool rules_allow(const char *name, CK_RV rv);

#endif
