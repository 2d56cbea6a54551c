/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/wording.h"

static void put(struct problems *problems, const char *file, unsigned line, char *take_reason)
{
    struct config_problem *items = realloc(problems->items, (problems->count + 1) * sizeof(*items));
    char *name = strdup(file);

    if (items)
        problems->items = items;
    if (!items || !name || !take_reason) {
        problems->is_out_of_memory = true;
        free(name);
        free(take_reason);
        return;
    }
    items[problems->count++] =
        (struct config_problem){.file = name, .line = line, .reason = take_reason};
}

void problems_add(struct problems *problems, const char *file, unsigned line, const char *format,
                  ...)
{
    va_list args;
    char *reason = NULL;

    if (problems->count > PROBLEMS_MAX)
        return;
    if (problems->count == PROBLEMS_MAX) {
        put(problems, file, line,
            strdup(wording("further problems are not listed; mend these first")));
        return;
    }
    va_start(args, format);
    int len = vasprintf(&reason, wording(format), args);
    va_end(args);
    put(problems, file, line, len < 0 ? NULL : reason);
}

void problems_fini(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->items[i].file);
        free(problems->items[i].reason);
    }
    free(problems->items);
    *problems = (struct problems){0};
}
