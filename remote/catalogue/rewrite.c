/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/rewrite.h"

#include <stdio.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/catalogue/image.h"
#include "remote/catalogue/mapping.h"

enum { LOCK_WAIT_MS = 5000 };

/* Another name for the damaged file first, so that there is one at any time. */
static enum sca_status set_aside(const char *state_dir)
{
    AUTO(freep) char *path = path_join(state_dir, CATALOGUE_FILE);
    AUTO(freep) char *aside = path_join(state_dir, CATALOGUE_FILE ".damaged");

    if (!path || !aside)
        return SCA_NOMEM;
    (void)unlink(aside); /* not there, most of the time */
    if (link(path, aside) == 0 || rename(path, aside) == 0)
        return SCA_OK;
    return SCA_IO;
}

static enum sca_status load(struct rewrite *rewrite)
{
    struct span bytes;
    struct image image;
    const char *why = NULL;
    uint32_t next_slot_id = 1;
    uint32_t spare_slot_id = 0;

    enum sca_status st = mapping_open(rewrite->state_dir, &bytes, &why);
    if (st != SCA_OK && st != SCA_INVALID)
        return st;
    rewrite->is_damaged = st == SCA_INVALID;
    if (st == SCA_OK && bytes.len) {
        next_slot_id = image_next_slot_id(bytes);
        spare_slot_id = image_spare_slot_id(bytes);
        rewrite->is_damaged = image_check(bytes, &image, &why) != SCA_OK;
        mapping_fini(&bytes);
    }
    image_writer_init(&rewrite->writer, next_slot_id, spare_slot_id);
    return rewrite->is_damaged ? SCA_OK : catalogue_open(rewrite->state_dir, &rewrite->old, &why);
}

enum sca_status rewrite_begin(const char *state_dir, struct rewrite *ret_rewrite)
{
    *ret_rewrite = (struct rewrite){.state_dir = state_dir, .lock = -1};
    enum sca_status st = dir_ensure_private(state_dir);
    if (st == SCA_OK)
        st = file_lock(state_dir, "lock", LOCK_WAIT_MS, &ret_rewrite->lock);
    return st == SCA_OK ? load(ret_rewrite) : st;
}

void rewrite_fini(struct rewrite *rewrite)
{
    catalogue_closep(&rewrite->old);
    image_writer_fini(&rewrite->writer);
    fd_unlock_closep(&rewrite->lock);
    rewrite->lock = -1;
}

size_t rewrite_count_old(const struct rewrite *rewrite)
{
    return rewrite->old ? catalogue_count(rewrite->old) : 0;
}

bool rewrite_get_old(struct rewrite *rewrite, size_t index, struct catalogue_entry *ret_entry)
{
    if (catalogue_get(rewrite->old, index, ret_entry) == SCA_OK)
        return true;
    rewrite->is_damaged = true;
    return false;
}

enum sca_status rewrite_save(struct rewrite *rewrite)
{
    AUTO(buf_fini) struct buf file;

    enum sca_status st = image_writer_finish(&rewrite->writer, &file);
    if (st == SCA_OK && rewrite->is_damaged)
        st = set_aside(rewrite->state_dir);
    return st == SCA_OK ? file_replace(rewrite->state_dir, CATALOGUE_FILE, buf_span(&file)) : st;
}
