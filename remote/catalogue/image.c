/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/image.h"

#include <string.h>

#include "remote/base/wording.h"

uint64_t image_checksum(struct span bytes)
{
    /* Odd, so that multiplying loses nothing: every step is a bijection of sum. */
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t sum = UINT64_C(0x2545f4914f6cdd1d) ^ bytes.len;

    for (size_t i = 0; i < bytes.len; i += sizeof(uint64_t)) {
        size_t left = bytes.len - i;
        uint64_t word = 0;
        memcpy(&word, bytes.ptr + i, left < sizeof(word) ? left : sizeof(word));
        sum = (sum ^ word) * factor;
        sum ^= sum >> 32;
    }
    return sum;
}

static uint64_t header_checksum(const struct image_header *header)
{
    return image_checksum(span_of(header, offsetof(struct image_header, header_checksum)));
}

static const char *header_fault(const struct image_header *header)
{
    if (memcmp(header->magic, IMAGE_MAGIC, sizeof(header->magic)) != 0)
        return wording("it is not a catalogue");
    if (header->byte_order != IMAGE_BYTE_ORDER)
        return wording("it was written on a computer of the other byte order");
    if (header->header_checksum != header_checksum(header))
        return wording("its header is damaged");
    if (header->version != IMAGE_VERSION && header->version != IMAGE_VERSION_PLAIN)
        return wording("it was written by another version");
    if (header->spare_slot_id >= header->next_slot_id || header->entry_count > IMAGE_ENTRIES_MAX ||
        header->shared_count > IMAGE_ENTRIES_MAX * CATALOGUE_CHAIN_MAX ||
        header->bodies_len > IMAGE_FILE_MAX)
        return wording("its header makes no sense");
    return NULL;
}

struct image_record image_record(const struct image *image, size_t index)
{
    struct image_record record;
    memcpy(&record, image->records.ptr + index * sizeof(record), sizeof(record));
    return record;
}

static bool are_records_sound(const struct image *image)
{
    size_t count = (size_t)image->header.entry_count + image->header.shared_count;
    uint64_t offset = 0;

    for (size_t i = 0; i < count; i++) {
        struct image_record record = image_record(image, i);
        bool is_entry = i < image->header.entry_count;
        bool has_id = record.slot_id < image->header.next_slot_id &&
                      record.slot_id != image->header.spare_slot_id;
        if (record.offset != offset || record.len > IMAGE_BODY_MAX ||
            (is_entry ? !has_id : record.slot_id != 0))
            return false;
        offset += record.len;
    }
    return offset == image->header.bodies_len;
}

enum sca_status image_check(struct span file, struct image *ret_image, const char **why)
{
    struct image image = {.file = file};

    *why = wording("it is shorter than its header");
    if (file.len < sizeof(image.header))
        return SCA_INVALID;
    memcpy(&image.header, file.ptr, sizeof(image.header));
    *why = header_fault(&image.header);
    if (*why)
        return SCA_INVALID;

    size_t count = (size_t)image.header.entry_count + image.header.shared_count;
    size_t records_len = count * sizeof(struct image_record);
    size_t rest = file.len - sizeof(image.header);
    *why = wording("its length is not what its header says");
    if (rest < records_len || rest - records_len != image.header.bodies_len)
        return SCA_INVALID;
    image.records = span_of(file.ptr + sizeof(image.header), records_len);
    image.bodies = span_of(image.records.ptr + records_len, rest - records_len);

    *why = wording("its index is damaged");
    if (image_checksum(image.records) != image.header.records_checksum ||
        !are_records_sound(&image))
        return SCA_INVALID;
    *why = NULL;
    *ret_image = image;
    return SCA_OK;
}

uint32_t image_next_slot_id(struct span file)
{
    struct image_header header;

    if (file.len < sizeof(header))
        return 1;
    memcpy(&header, file.ptr, sizeof(header));
    return header_fault(&header) ? 1 : header.next_slot_id;
}

uint32_t image_spare_slot_id(struct span file)
{
    struct image_header header;

    if (file.len < sizeof(header))
        return 0;
    memcpy(&header, file.ptr, sizeof(header));
    return header_fault(&header) ? 0 : header.spare_slot_id;
}

struct span image_body(const struct image *image, const struct image_record *record)
{
    return span_of(image->bodies.ptr + record->offset, record->len);
}

bool image_body_is_intact(const struct image *image, const struct image_record *record)
{
    return image_checksum(image_body(image, record)) == record->checksum;
}
