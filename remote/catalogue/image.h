/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a catalogue file, in the byte order of the computer that wrote it:
 *
 *   header | one record per entry | one record per shared certificate | their bodies, in that order
 *
 * Issuers' certificates are stored once and named by number, so that ten thousand certificates of
 * one CA take ten thousand leaves of room. The header checks itself and the records, a record
 * checks its body, and bodies follow one another without a gap: no byte goes unchecked.
 */
#ifndef REMOTE_CATALOGUE_IMAGE_H
#define REMOTE_CATALOGUE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"
#include "remote/catalogue/catalogue.h"

#define IMAGE_MAGIC "SCACATLG"
enum {
    IMAGE_VERSION = 2,
    IMAGE_VERSION_PLAIN = 1, /* the same with entries that have no view: read, no longer written */
    IMAGE_BYTE_ORDER = 0x01020304,
    IMAGE_ENTRIES_MAX = 200000,
    IMAGE_BODY_MAX = 256 * 1024,
    IMAGE_FILE_MAX = 1024 * 1024 * 1024,
};

struct image_header {
    char magic[8];
    uint32_t byte_order;
    uint32_t version;
    uint32_t entry_count;
    uint32_t shared_count;
    uint32_t next_slot_id;
    uint32_t spare_slot_id; /* of the empty slot: below next_slot_id, and of no entry; 0 at first */
    uint64_t bodies_len;
    uint64_t records_checksum;
    uint64_t header_checksum; /* of all before it */
};

struct image_record {
    uint32_t slot_id; /* 0 in a shared certificate: it has none; where it stands tells it apart */
    uint32_t len;
    uint64_t offset; /* from the first body */
    uint64_t checksum;
};

/* A checked header over bytes that somebody else owns. */
struct image {
    struct span file;
    struct image_header header;
    struct span records;
    struct span bodies;
};

/*
 * 64 bits over bytes. A change within any eight bytes in a row, counted from the start, always
 * changes it; others go unnoticed once in 2^64. It guards against accidents, not against people.
 */
uint64_t image_checksum(struct span bytes);

/* SCA_INVALID with the reason in why (static text). Bodies are looked at by image_body only. */
enum sca_status image_check(struct span file, struct image *ret_image, const char **why);

/* The next slot id of a file whose header can be trusted, whatever the rest is like; else 1. */
uint32_t image_next_slot_id(struct span file);

/* The empty slot's id of such a file; else 0. */
uint32_t image_spare_slot_id(struct span file);

/* Entries count from 0, shared certificates go on from entry_count. */
struct image_record image_record(const struct image *image, size_t index);
struct span image_body(const struct image *image, const struct image_record *record);
bool image_body_is_intact(const struct image *image, const struct image_record *record);

#endif
