/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/image_writer.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/catalogue/body.h"
#include "remote/catalogue/image.h"

void image_writer_init(struct image_writer *writer, uint32_t next_slot_id, uint32_t spare_slot_id)
{
    const size_t records_max =
        (size_t)IMAGE_ENTRIES_MAX * CATALOGUE_CHAIN_MAX * sizeof(struct image_record);

    buf_init(&writer->entry_records, IMAGE_ENTRIES_MAX * sizeof(struct image_record), false);
    buf_init(&writer->shared_records, records_max, false);
    buf_init(&writer->entry_bodies, IMAGE_FILE_MAX / 2, false);
    buf_init(&writer->shared_bodies, IMAGE_FILE_MAX / 4, false);
    writer->next_slot_id = next_slot_id;
    writer->spare_slot_id = spare_slot_id;
}

void image_writer_fini(struct image_writer *writer)
{
    buf_fini(&writer->entry_records);
    buf_fini(&writer->entry_bodies);
    buf_fini(&writer->shared_records);
    buf_fini(&writer->shared_bodies);
}

enum sca_status image_writer_new_id(struct image_writer *writer, uint32_t *ret_slot_id)
{
    if (writer->next_slot_id == UINT32_MAX)
        return SCA_INVALID;
    *ret_slot_id = writer->next_slot_id++;
    return SCA_OK;
}

static enum sca_status append(struct buf *to, const void *ptr, size_t len)
{
    enum sca_status st = buf_append(to, span_of(ptr, len));
    return st == SCA_PROTOCOL ? SCA_INVALID : st;
}

/* A body and the record that describes it. */
static enum sca_status add(struct buf *records, struct buf *bodies, uint32_t slot_id,
                           struct span body)
{
    const struct image_record record = {
        .slot_id = slot_id,
        .len = (uint32_t)body.len,
        .offset = bodies->len,
        .checksum = image_checksum(body),
    };
    enum sca_status st = append(bodies, body.ptr, body.len);
    return st == SCA_OK ? append(records, &record, sizeof(record)) : st;
}

static struct image_record record_at(const struct buf *records, size_t index)
{
    struct image_record record;
    memcpy(&record, records->ptr + index * sizeof(record), sizeof(record));
    return record;
}

/* The number of a shared certificate, added where it is new. */
static enum sca_status share(struct image_writer *writer, const struct certificate *certificate,
                             uint32_t *ret_number)
{
    AUTO(buf_fini) struct buf body;
    size_t count = writer->shared_records.len / sizeof(struct image_record);

    buf_init(&body, IMAGE_BODY_MAX, false);
    enum sca_status st = body_put_certificate(&body, certificate);
    if (st != SCA_OK)
        return st;
    uint64_t checksum = image_checksum(buf_span(&body));
    for (size_t i = 0; i < count; i++) {
        struct image_record record = record_at(&writer->shared_records, i);
        struct span other = span_of(writer->shared_bodies.ptr + record.offset, record.len);
        if (record.checksum != checksum || !span_equal(other, buf_span(&body)))
            continue;
        *ret_number = (uint32_t)i;
        return SCA_OK;
    }
    *ret_number = (uint32_t)count;
    return add(&writer->shared_records, &writer->shared_bodies, 0, buf_span(&body));
}

enum sca_status image_writer_add(struct image_writer *writer, const struct catalogue_entry *entry)
{
    AUTO(buf_fini) struct buf body;
    uint32_t shared[CATALOGUE_CHAIN_MAX] = {0};
    enum sca_status st = entry->chain_len <= CATALOGUE_CHAIN_MAX ? SCA_OK : SCA_INVALID;

    buf_init(&body, IMAGE_BODY_MAX, false);
    for (size_t i = 0; st == SCA_OK && i < entry->chain_len; i++)
        st = share(writer, &entry->chain[i], &shared[i]);
    if (st == SCA_OK)
        st = body_put_entry(&body, entry, shared);
    return st == SCA_OK
               ? add(&writer->entry_records, &writer->entry_bodies, entry->slot_id, buf_span(&body))
               : st;
}

/* Their bodies come behind those of the entries. */
static void move_shared(struct image_writer *writer)
{
    size_t count = writer->shared_records.len / sizeof(struct image_record);

    for (size_t i = 0; i < count; i++) {
        struct image_record record = record_at(&writer->shared_records, i);
        record.offset += writer->entry_bodies.len;
        memcpy(writer->shared_records.ptr + i * sizeof(record), &record, sizeof(record));
    }
}

enum sca_status image_writer_finish(struct image_writer *writer, struct buf *ret_file)
{
    AUTO(buf_fini) struct buf records;
    struct image_header header = {
        .magic = IMAGE_MAGIC,
        .byte_order = IMAGE_BYTE_ORDER,
        .version = IMAGE_VERSION,
        .entry_count = (uint32_t)(writer->entry_records.len / sizeof(struct image_record)),
        .shared_count = (uint32_t)(writer->shared_records.len / sizeof(struct image_record)),
        .next_slot_id = writer->next_slot_id,
        .spare_slot_id = writer->spare_slot_id,
        .bodies_len = writer->entry_bodies.len + writer->shared_bodies.len,
    };

    move_shared(writer);
    buf_init(ret_file, IMAGE_FILE_MAX, false);
    buf_init(&records, IMAGE_FILE_MAX, false);
    enum sca_status st = append(&records, writer->entry_records.ptr, writer->entry_records.len);
    if (st == SCA_OK)
        st = append(&records, writer->shared_records.ptr, writer->shared_records.len);
    header.records_checksum = image_checksum(buf_span(&records));
    header.header_checksum =
        image_checksum(span_of(&header, offsetof(struct image_header, header_checksum)));

    const struct span parts[] = {span_of(&header, sizeof(header)), buf_span(&records),
                                 buf_span(&writer->entry_bodies), buf_span(&writer->shared_bodies)};
    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(parts); i++)
        st = append(ret_file, parts[i].ptr, parts[i].len);
    return st;
}
