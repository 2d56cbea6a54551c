/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a token file. Counts and digests are put right first if the input's last byte is
 * odd, so that what is behind them is reached too. What can be read must write as the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/keystore/seal.h"
#include "remote/keystore/tokenfile.h"
#include "tests/fuzz/fuzz.h"

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

/* As many records as there is room for, made to agree with the bodies; then the digests. */
static void put_right(uint8_t *bytes, size_t size)
{
    struct tokenfile_head head;
    struct tokenfile_record record;
    const size_t fixed = sizeof(head) + CRYPT_DIGEST_SIZE;

    if (size < fixed)
        return;
    memcpy(&head, bytes, sizeof(head));
    size_t rest = size - fixed;
    head.object_count %= (uint32_t)(rest / sizeof(record)) + 1;
    head.bodies_len = rest - head.object_count * sizeof(record);
    uint64_t left = head.bodies_len;
    for (size_t i = 0; i < head.object_count; i++) {
        uint8_t *at = bytes + sizeof(head) + i * sizeof(record);
        memcpy(&record, at, sizeof(record));
        record.key_len %= (uint32_t)(left + 1);
        left -= record.key_len;
        record.body_len =
            i + 1 == head.object_count ? (uint32_t)left : record.body_len % (uint32_t)(left + 1);
        left -= record.body_len;
        memcpy(at, &record, sizeof(record));
    }
    const struct span checked = span_of(&head, offsetof(struct tokenfile_head, digest));
    require(crypt_digest(&checked, 1, head.digest) == SCA_OK);
    memcpy(bytes, &head, sizeof(head));
    const struct span all = span_of(bytes, size - CRYPT_DIGEST_SIZE);
    require(crypt_digest(&all, 1, bytes + all.len) == SCA_OK);
}

/* No master key is of this file, and no object opens. */
static void check_seals(const struct tokenfile *file)
{
    static const uint8_t bytes[CRYPT_KEY_SIZE] = {1};
    AUTO(secret_freep) struct secret *key = NULL;
    AUTO(seal_freep) struct seal *seal = NULL;

    require(secret_new(span_of(bytes, sizeof(bytes)), &key) == SCA_OK);
    require(seal_new(&file->head, key, &seal) == SCA_GONE);
    struct tokenfile_head head = file->head;
    require(seal_key_check(&head, key, head.key_check) == SCA_OK);
    require(seal_new(&head, key, &seal) == SCA_OK);
    const char *why = NULL;
    require(seal_verify(seal, file, &why) == SCA_INVALID && why);

    struct tokenfile_cursor cursor = {0};
    struct tokenfile_item item;
    while (tokenfile_next(file, &cursor, &item)) {
        AUTO(freep) uint8_t *out = malloc(item.bytes.len + 1);
        require(out && seal_get(seal, &item, out, &why) == SCA_INVALID);
    }
}

static void check_file(struct span bytes)
{
    AUTO(tokenfile_writer_fini) struct tokenfile_writer writer;
    AUTO(buf_fini) struct buf again;
    uint8_t token_id[WRAP_ID_SIZE] = {0};
    struct tokenfile file;
    const char *why = NULL;

    buf_init(&again, 0, false);
    tokenfile_writer_init(&writer, &(const struct tokenfile_head){.version = 0});
    if (bytes.len >= offsetof(struct tokenfile_head, epoch))
        memcpy(token_id, bytes.ptr + offsetof(struct tokenfile_head, token_id), sizeof(token_id));
    enum sca_status st = tokenfile_check(bytes, token_id, &file, &why);
    require((st == SCA_OK) == (why == NULL));
    if (st != SCA_OK)
        return;

    struct tokenfile_cursor cursor = {0};
    struct tokenfile_item item;
    writer.head = file.head;
    while (tokenfile_next(&file, &cursor, &item))
        require(tokenfile_writer_add(&writer, &item) == SCA_OK);
    require(tokenfile_writer_finish(&writer, &again) == SCA_OK);
    require(span_equal(buf_span(&again), bytes));
    check_seals(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_file(span_of(data, size));
    if (size == 0 || data[size - 1] % 2 == 0)
        return 0;
    AUTO(freep) uint8_t *copy = malloc(size);
    require(copy != NULL);
    memcpy(copy, data, size);
    put_right(copy, size);
    check_file(span_of(copy, size));
    return 0;
}
