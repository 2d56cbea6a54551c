/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a file and libinih, which divides key, value and comment. It knows no line numbers of
 * headings, joins indented lines to the one before, cuts names at 49 bytes and lines at 198, and
 * its options are global to the process. So lines are counted and checked here first, and only
 * those that can be nothing but a key and its value, or a comment, are handed on.
 */
#ifndef REMOTE_CONFIG_LINES_H
#define REMOTE_CONFIG_LINES_H

#include <stdbool.h>

#include "remote/base/bytes.h"
#include "remote/config/document.h"

/* All that is needed to read one file. Zero but for the first four. */
struct lines {
    struct document *document;
    const char *file;
    bool is_open;
    struct span left;
    unsigned line;
    bool has_section;  /* the last one of the document is the current one */
    bool is_expecting; /* libinih was handed a line that must come back as a pair */
};

/* ini_reader and ini_handler; stream and user are a struct lines. */
char *lines_read(char *out, int room, void *stream);
int lines_take_pair(void *user, const char *section, const char *key, const char *text);

#endif
