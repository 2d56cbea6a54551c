/* SPDX-License-Identifier: Apache-2.0 */
/* What a file or a folder looked like, to see without reading it whether it has changed. */
#ifndef MODULE_BACKEND_STAMP_H
#define MODULE_BACKEND_STAMP_H

#include <stdbool.h>
#include <stdint.h>

struct stamp {
    uint64_t sum;    /* 0: there was nothing */
    bool is_at_rest; /* for a second: nobody is in the middle of writing it */
    bool is_settled; /* false: it was so new that the next change may look the same */
};

struct stamp stamp_of_file(const char *path);

/* Of the folder and the files in it, not of what is in folders below. */
struct stamp stamp_of_folder(const char *path);

/* Of both. */
struct stamp stamp_join(struct stamp a, struct stamp b);

bool stamp_is_same(struct stamp seen, struct stamp now);

#endif
