/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs and the help made from it. */
#ifndef REMOTE_CLI_VERBS_H
#define REMOTE_CLI_VERBS_H

#include <stdio.h>

#include "remote/base/bytes.h"
#include "remote/cli/cli.h"

struct verb {
    const char *name;     /* one or two words */
    const char *operands; /* as the usage line shows them */
    size_t operands_min;
    size_t operands_max;
    unsigned options; /* set of enum option_group */
    const char *summary;
    enum cli_exit (*run)(const struct cli *cli);
};

/* All of them, in the order of the help. */
const struct verb *verbs_all(size_t *ret_count);

/* The verb that words begin with, and how many of them its name is; NULL if there is none. */
const struct verb *verbs_find(char *const *words, size_t count, size_t *ret_words);

/* True for the first word of verbs that are two words. */
bool verbs_is_family(const char *word);

/* The name, or its first word, that was meant: few letters differ, or one of two words is missing.
 * Of length 0 if there is none like it. */
struct span verbs_guess(char *const *words, size_t count);

/* Everything, or the verbs whose name begins with prefix. */
void verbs_print_help(const char *prefix);

/* The verbs of a family alone, to where a mistake is told. */
void verbs_print_family(FILE *out, const char *family);

/* One verb with its options. */
void verbs_print_verb(const struct verb *verb);

#endif
