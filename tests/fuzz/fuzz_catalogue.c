/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a catalogue. Checksums are put right first if the input's last byte is odd, so that
 * what is behind them is reached too. What can be read must write and read back as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/catalogue/body.h"
#include "remote/catalogue/image.h"
#include "tests/fuzz/fuzz.h"

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

/* The header and as many records as there is room for, made to agree with what they describe. */
static void put_right(uint8_t *bytes, size_t size)
{
    struct image_header header;
    struct image_record record;

    if (size < sizeof(header))
        return;
    memcpy(&header, bytes, sizeof(header));
    size_t rest = size - sizeof(header);
    size_t room = rest / sizeof(record);
    header.entry_count %= (uint32_t)room + 1;
    header.shared_count %= (uint32_t)(room - header.entry_count) + 1;
    size_t count = header.entry_count + header.shared_count;
    uint8_t *records = bytes + sizeof(header);
    const uint8_t *bodies = records + count * sizeof(record);
    header.bodies_len = rest - count * sizeof(record);

    uint64_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(&record, records + i * sizeof(record), sizeof(record));
        uint64_t left = header.bodies_len - offset;
        record.len = i + 1 == count ? (uint32_t)left : (uint32_t)(record.len % (left + 1));
        record.offset = offset;
        record.checksum = image_checksum(span_of(bodies + offset, record.len));
        offset += record.len;
        memcpy(records + i * sizeof(record), &record, sizeof(record));
    }
    header.records_checksum = image_checksum(span_of(records, count * sizeof(record)));
    header.header_checksum =
        image_checksum(span_of(&header, offsetof(struct image_header, header_checksum)));
    memcpy(bytes, &header, sizeof(header));
}

static void require_same_view(const struct catalogue_view *view, const struct catalogue_view *same)
{
    require(strcmp(view->display_name, same->display_name) == 0);
    require(strlen(view->display_name) <= CATALOGUE_NAME_MAX);
    require(strcmp(view->signature_text, same->signature_text) == 0);
    require(strlen(view->signature_text) <= CATALOGUE_TEXT_MAX);
    require(view->is_default == same->is_default && view->has_appearance == same->has_appearance);
    require(view->display_mode == same->display_mode && view->display_mode <= DISPLAY_IMAGE);
    require(span_equal(view->signature_image, same->signature_image));
    require(view->signature_image.len <= CATALOGUE_IMAGE_MAX);
}

static void check_entry(struct span body, bool is_plain)
{
    AUTO(buf_fini) struct buf again;
    struct catalogue_entry entry;
    struct catalogue_entry same;
    uint32_t shared[CATALOGUE_CHAIN_MAX] = {0};

    buf_init(&again, IMAGE_BODY_MAX, false);
    enum sca_status found = is_plain ? body_get_plain_entry(body, &entry, shared)
                                     : body_get_entry(body, &entry, shared);
    if (found != SCA_OK)
        return;
    enum sca_status st = body_put_entry(&again, &entry, shared);
    if (st == SCA_INVALID) /* parts that overlapped may need more room apart */
        return;
    require(st == SCA_OK && body_get_entry(buf_span(&again), &same, shared) == SCA_OK);
    require(strcmp(entry.url, same.url) == 0 && strcmp(entry.user_id, same.user_id) == 0);
    require(strcmp(entry.service_serial, same.service_serial) == 0);
    require(strcmp(entry.service_status, same.service_status) == 0);
    require_same_view(&entry.view, &same.view);
    require(entry.state == same.state && entry.chain_len == same.chain_len);
    require(span_equal(entry.leaf.der, same.leaf.der));
    require(span_equal(entry.leaf.common_name, same.leaf.common_name));
}

static void check_image(struct span file)
{
    struct image image;
    const char *why = NULL;

    enum sca_status st = image_check(file, &image, &why);
    require((st == SCA_OK) == (why == NULL));
    (void)image_next_slot_id(file);
    if (st != SCA_OK)
        return;
    size_t count = (size_t)image.header.entry_count + image.header.shared_count;
    for (size_t i = 0; i < count; i++) {
        struct certificate certificate;
        struct image_record record = image_record(&image, i);
        (void)image_body_is_intact(&image, &record);
        check_entry(image_body(&image, &record), image.header.version == IMAGE_VERSION_PLAIN);
        (void)body_get_certificate(image_body(&image, &record), &certificate);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_image(span_of(data, size));
    if (size == 0 || data[size - 1] % 2 == 0)
        return 0;
    AUTO(freep) uint8_t *copy = malloc(size);
    require(copy != NULL);
    memcpy(copy, data, size);
    put_right(copy, size);
    check_image(span_of(copy, size));
    return 0;
}
