/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CATALOGUE_IMAGE_WRITER_H
#define REMOTE_CATALOGUE_IMAGE_WRITER_H

#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/catalogue/catalogue.h"

/* A catalogue file in the making. */
struct image_writer {
    struct buf entry_records;
    struct buf entry_bodies;
    struct buf shared_records;
    struct buf shared_bodies;
    uint32_t next_slot_id;
    uint32_t spare_slot_id; /* of the empty slot; no entry has it */
};

void image_writer_init(struct image_writer *writer, uint32_t next_slot_id, uint32_t spare_slot_id);
void image_writer_fini(struct image_writer *writer);

/* A slot id that nobody had before. SCA_INVALID when there are no more. */
enum sca_status image_writer_new_id(struct image_writer *writer, uint32_t *ret_slot_id);

/* Copies the entry. SCA_NOMEM, or SCA_INVALID when there is too much. */
enum sca_status image_writer_add(struct image_writer *writer, const struct catalogue_entry *entry);

/* The whole file; the caller buf_fini()s ret_file, also on failure. */
enum sca_status image_writer_finish(struct image_writer *writer, struct buf *ret_file);

#endif
