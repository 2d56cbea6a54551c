/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/keystore/tokenfile.h"

void tokenfile_writer_init(struct tokenfile_writer *writer, const struct tokenfile_head *head)
{
    writer->head = *head;
    buf_init(&writer->records, KEYSTORE_OBJECTS_MAX * sizeof(struct tokenfile_record), false);
    buf_init(&writer->bodies, TOKENFILE_MAX, false);
}

void tokenfile_writer_fini(struct tokenfile_writer *writer)
{
    buf_fini(&writer->records);
    buf_fini(&writer->bodies);
}

static enum sca_status append(struct buf *to, struct span bytes)
{
    enum sca_status st = buf_append(to, bytes);
    return st == SCA_PROTOCOL ? SCA_INVALID : st;
}

enum sca_status tokenfile_writer_add(struct tokenfile_writer *writer,
                                     const struct tokenfile_item *item)
{
    if (item->bytes.len > TOKENFILE_OBJECT_MAX)
        return SCA_INVALID;
    enum sca_status st = append(&writer->bodies, item->bytes);
    return st == SCA_OK ? append(&writer->records, span_of(&item->record, sizeof(item->record)))
                        : st;
}

enum sca_status tokenfile_writer_add_all(struct tokenfile_writer *writer,
                                         const struct tokenfile *file)
{
    enum sca_status st = append(&writer->bodies, file->bodies);
    return st == SCA_OK ? append(&writer->records, file->records) : st;
}

enum sca_status tokenfile_writer_finish(struct tokenfile_writer *writer, struct buf *ret_bytes)
{
    struct tokenfile_head *head = &writer->head;
    const struct span checked = span_of(head, offsetof(struct tokenfile_head, digest));
    uint8_t digest[CRYPT_DIGEST_SIZE];

    head->object_count = (uint32_t)(writer->records.len / sizeof(struct tokenfile_record));
    head->bodies_len = writer->bodies.len;
    buf_init(ret_bytes, TOKENFILE_MAX, false);
    enum sca_status st = crypt_digest(&checked, 1, head->digest);

    const struct span parts[] = {span_of(head, sizeof(*head)), buf_span(&writer->records),
                                 buf_span(&writer->bodies)};
    if (st == SCA_OK)
        st = crypt_digest(parts, ARRAY_LEN(parts), digest);
    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(parts); i++)
        st = append(ret_bytes, parts[i]);
    return st == SCA_OK ? append(ret_bytes, span_of(digest, sizeof(digest))) : st;
}
