/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CONFIG_PROBLEMS_H
#define REMOTE_CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "remote/config/config.h"

enum { PROBLEMS_MAX = 200 }; /* a file of rubbish must not flood the log */

/*
 * What was found wrong so far. Running out of memory is remembered here, so that what reports a
 * problem needs no result; whoever owns the list asks once at the end.
 */
struct problems {
    struct config_problem *items;
    size_t count;
    bool is_out_of_memory;
};

/* Nothing after PROBLEMS_MAX but one line that says so. line 0 means the whole file. */
void problems_add(struct problems *problems, const char *file, unsigned line, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));
void problems_fini(struct problems *problems);

#endif
