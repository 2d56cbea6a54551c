/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CATALOGUE_REWRITE_H
#define REMOTE_CATALOGUE_REWRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "remote/base/status.h"
#include "remote/catalogue/catalogue.h"
#include "remote/catalogue/image_writer.h"

/* One rewriting of the catalogue's file under its lock: what there was, and what is to be. */
struct rewrite {
    const char *state_dir;
    int lock;
    struct catalogue *old; /* NULL: there was none that can be read */
    struct image_writer writer;
    bool is_damaged; /* the old file is to be kept as catalogue.damaged */
};

/*
 * Makes the folder, takes the lock and reads the old file; a damaged one counts as none, but for
 * the slot ids it has given out. ret_rewrite is to be given to rewrite_fini in every case.
 */
enum sca_status rewrite_begin(const char *state_dir, struct rewrite *ret_rewrite);
void rewrite_fini(struct rewrite *rewrite);

size_t rewrite_count_old(const struct rewrite *rewrite);

/* False when the entry is damaged: it is left out, and the file set aside. */
bool rewrite_get_old(struct rewrite *rewrite, size_t index, struct catalogue_entry *ret_entry);

/* Replaces the file by what was given to writer. */
enum sca_status rewrite_save(struct rewrite *rewrite);

#endif
