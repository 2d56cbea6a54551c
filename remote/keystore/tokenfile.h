/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a token file, in the byte order of the computer that wrote it:
 *
 *   head | one record per object, by rising number | their bodies, in that order | SHA-256 of all
 *
 * A body is the object's own body followed by its key; of a private object both are sealed. The
 * head has a digest of its own, so that it can be read alone. No byte goes unchecked. Digests guard
 * against accidents; against people private objects are guarded by seals and manifest (seal.h).
 */
#ifndef REMOTE_KEYSTORE_TOKENFILE_H
#define REMOTE_KEYSTORE_TOKENFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"
#include "remote/keystore/crypt.h"
#include "remote/keystore/keystore.h"
#include "remote/keystore/wrap.h"

#define TOKENFILE_MAGIC "SCATOKEN"
enum {
    TOKENFILE_VERSION = 1,
    TOKENFILE_BYTE_ORDER = 0x01020304,
    TOKENFILE_MAX = 256 * 1024 * 1024,
    TOKENFILE_OBJECT_MAX = 1024 * 1024,
    TOKENFILE_CHECK_SIZE = 16,
    TOKENFILE_USERS = 2,
};

struct tokenfile_head {
    char magic[8];
    uint32_t byte_order;
    uint32_t version;
    uint8_t token_id[WRAP_ID_SIZE]; /* the file's name: a file under another name is refused */
    uint8_t epoch[WRAP_ID_SIZE];    /* random, another one when the token is made anew */
    char serial[KEYSTORE_SERIAL_SIZE - 1];
    char label[KEYSTORE_LABEL_SIZE - 1]; /* UTF-8, then zeros */
    uint32_t slot_id;
    uint32_t next_number;
    uint64_t generation;
    uint64_t bodies_len;
    uint32_t object_count;
    uint32_t reserved;
    struct wrap wraps[TOKENFILE_USERS];      /* by enum keystore_user */
    uint8_t key_check[TOKENFILE_CHECK_SIZE]; /* tells the master key of this epoch from others */
    uint8_t manifest[CRYPT_DIGEST_SIZE];     /* of the sealed objects */
    uint8_t digest[CRYPT_DIGEST_SIZE];       /* of the head before it */
};

struct tokenfile_record {
    uint64_t generation; /* when it was written */
    uint32_t number;
    uint32_t is_private;
    uint32_t body_len;
    uint32_t key_len;
    struct crypt_mark mark; /* zeros of a public object */
    uint32_t reserved;
};

/* A checked file over bytes that somebody else owns. */
struct tokenfile {
    struct tokenfile_head head;
    struct span records;
    struct span bodies;
};

/* For a file of file_len bytes called token_id. SCA_INVALID with the reason in why (static text,
 * also of the two below); SCA_NOMEM. */
enum sca_status tokenfile_check_head(const struct tokenfile_head *head, const uint8_t *token_id,
                                     uint64_t file_len, const char **why);
enum sca_status tokenfile_check(struct span bytes, const uint8_t *token_id,
                                struct tokenfile *ret_file, const char **why);

/* Where a walk over the objects is; zeros at first. */
struct tokenfile_cursor {
    size_t index;
    size_t offset;
};

struct tokenfile_item {
    struct tokenfile_record record;
    struct span bytes; /* body and key, sealed if it is private */
};

/* False behind the last one. */
bool tokenfile_next(const struct tokenfile *file, struct tokenfile_cursor *cursor,
                    struct tokenfile_item *ret_item);

/* A file in the making. The caller fills the head but for object_count, bodies_len and digest. */
struct tokenfile_writer {
    struct tokenfile_head head;
    struct buf records;
    struct buf bodies;
};

void tokenfile_writer_init(struct tokenfile_writer *writer, const struct tokenfile_head *head);
void tokenfile_writer_fini(struct tokenfile_writer *writer);

/* Objects in rising number. SCA_INVALID over a limit. */
enum sca_status tokenfile_writer_add(struct tokenfile_writer *writer,
                                     const struct tokenfile_item *item);

/* All objects of a file as they are. */
enum sca_status tokenfile_writer_add_all(struct tokenfile_writer *writer,
                                         const struct tokenfile *file);

/* The caller buf_fini()s ret_bytes in every case. */
enum sca_status tokenfile_writer_finish(struct tokenfile_writer *writer, struct buf *ret_bytes);

#endif
