/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs and the help made from it. */
#ifndef REMOTE_CLI_VERBS_H
#define REMOTE_CLI_VERBS_H

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

/* The verb that words begin with, and how many of them its name is; NULL if there is none. */
const struct verb *verbs_find(char *const *words, size_t count, size_t *ret_words);

/* True for the first word of verbs that are two words. */
bool verbs_is_family(const char *word);

/* Everything, or the verbs whose name begins with prefix. */
void verbs_print_help(const char *prefix);

/* One verb with its options. */
void verbs_print_verb(const struct verb *verb);

#endif
