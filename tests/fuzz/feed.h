/* SPDX-License-Identifier: Apache-2.0 */
/* An input that is read from its beginning to its end, as choices and as bytes. */
#ifndef TESTS_FUZZ_FEED_H
#define TESTS_FUZZ_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "remote/base/bytes.h"

/* Borrows the input. */
struct feed {
    const uint8_t *at;
    size_t left;
};

/* 0 when nothing is left. */
uint8_t feed_byte(struct feed *feed);
uint64_t feed_number(struct feed *feed); /* eight bytes, the low one first */

/* Up to len bytes, less at the end. Lent from the input. */
struct span feed_bytes(struct feed *feed, size_t len);

/* The same, as many as the next two bytes say. */
struct span feed_blob(struct feed *feed);

/* Ends the program as a finding. Here, so that an analyser sees what holds behind it. */
static inline void require(bool holds)
{
    if (!holds)
        abort();
}

/* A folder of this process that is removed at its end: in $TMPDIR, else in /tmp. */
const char *feed_folder(void);

/* Empties that folder, or a folder in it. */
void feed_folder_clear(const char *path);

/* Writes a file of mode 0600 in the folder; name may have one folder in front. */
void feed_file(const char *name, struct span bytes);

#endif
