/* SPDX-License-Identifier: Apache-2.0 */
/* The codes in tables, which JSON has as they are, in the reader's language. */
#ifndef REMOTE_CLI_WORDS_H
#define REMOTE_CLI_WORDS_H

#include <stdbool.h>

/* Are the values under this key codes, not names or texts of somebody's? */
bool words_has(const char *key);

/* The code itself where there is no word for it. */
const char *words_find(const char *code);

#endif
