/* SPDX-License-Identifier: Apache-2.0 */
/* Every function of the newest list, callable with words in the place of its arguments. */
#ifndef TESTS_FUZZ_ROWS_H
#define TESTS_FUZZ_ROWS_H

#include <stdint.h>

#include "module/cryptoki.h"

enum { ROW_COUNT = 104, ROW_WORDS_MAX = 10 };

struct row {
    const char *name; /* C_... */
    CK_RV (*call)(const uintptr_t *words);
    unsigned word_count;
};
extern const struct row rows[ROW_COUNT];

#endif
