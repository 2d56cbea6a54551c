/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/seal.h"

#include <string.h>

#include <openssl/crypto.h>

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"

/* Which token, and since when: salt of every key, and part of all that is bound. */
struct place {
    uint8_t token_id[WRAP_ID_SIZE];
    uint8_t epoch[WRAP_ID_SIZE];
};

struct seal {
    struct place place;
    struct crypt_box *box;
    struct secret *manifest_key;
};

/* What the tag of an object covers beside its content. */
struct bound {
    struct place place;
    uint64_t generation;
    uint32_t number;
    uint32_t body_len;
    uint32_t key_len;
    uint32_t reserved;
};

/* A private object in the manifest. */
struct row {
    uint64_t generation;
    uint32_t number;
    uint32_t reserved;
    uint8_t tag[CRYPT_TAG_SIZE];
};

_Static_assert(sizeof(struct bound) == sizeof(struct place) + 24, "no padding");
_Static_assert(sizeof(struct row) == 16 + CRYPT_TAG_SIZE, "no padding");

static struct place place_of(const struct tokenfile_head *head)
{
    struct place place;
    memcpy(place.token_id, head->token_id, sizeof(place.token_id));
    memcpy(place.epoch, head->epoch, sizeof(place.epoch));
    return place;
}

static enum sca_status derive(const struct tokenfile_head *head, const struct secret *master_key,
                              const char *purpose, uint8_t ret_key[static CRYPT_KEY_SIZE])
{
    struct place place = place_of(head);
    return crypt_derive(secret_get(master_key), span_of(&place, sizeof(place)), purpose, ret_key);
}

enum sca_status seal_key_check(const struct tokenfile_head *head, const struct secret *master_key,
                               uint8_t ret_check[static TOKENFILE_CHECK_SIZE])
{
    uint8_t key[CRYPT_KEY_SIZE];

    enum sca_status st = derive(head, master_key, "smartca token: key check", key);
    if (st == SCA_OK)
        memcpy(ret_check, key, TOKENFILE_CHECK_SIZE);
    secret_wipe(key, sizeof(key));
    return st;
}

void seal_free(struct seal *seal)
{
    if (!seal)
        return;
    crypt_box_free(seal->box);
    secret_free(seal->manifest_key);
    free(seal);
}

void seal_freep(struct seal **seal)
{
    seal_free(*seal);
    *seal = NULL;
}

static enum sca_status make_keys(struct seal *seal, const struct tokenfile_head *head,
                                 const struct secret *master_key)
{
    uint8_t key[CRYPT_KEY_SIZE];

    enum sca_status st = derive(head, master_key, "smartca token: objects", key);
    if (st == SCA_OK)
        st = crypt_box_new(key, &seal->box);
    if (st == SCA_OK)
        st = derive(head, master_key, "smartca token: manifest", key);
    if (st == SCA_OK)
        st = secret_new(span_of(key, sizeof(key)), &seal->manifest_key);
    secret_wipe(key, sizeof(key));
    return st;
}

enum sca_status seal_new(const struct tokenfile_head *head, const struct secret *master_key,
                         struct seal **ret_seal)
{
    AUTO(seal_freep) struct seal *seal = calloc(1, sizeof(*seal));
    uint8_t check[TOKENFILE_CHECK_SIZE];

    if (!seal)
        return SCA_NOMEM;
    enum sca_status st = seal_key_check(head, master_key, check);
    if (st != SCA_OK)
        return st;
    if (CRYPTO_memcmp(check, head->key_check, sizeof(check)) != 0)
        return SCA_GONE;
    seal->place = place_of(head);
    st = make_keys(seal, head, master_key);
    if (st == SCA_OK)
        *ret_seal = TAKE(seal);
    return st;
}

static struct bound bound_of(const struct seal *seal, const struct tokenfile_record *record)
{
    return (struct bound){
        .place = seal->place,
        .generation = record->generation,
        .number = record->number,
        .body_len = record->body_len,
        .key_len = record->key_len,
    };
}

enum sca_status seal_put(struct seal *seal, struct tokenfile_record *record,
                         const struct span parts[2], uint8_t *out)
{
    struct bound bound = bound_of(seal, record);
    return crypt_seal(seal->box, span_of(&bound, sizeof(bound)), parts, out, &record->mark);
}

enum sca_status seal_get(struct seal *seal, const struct tokenfile_item *item, uint8_t *out,
                         const char **why)
{
    struct bound bound = bound_of(seal, &item->record);

    enum sca_status st =
        crypt_open(seal->box, span_of(&bound, sizeof(bound)), &item->record.mark, item->bytes, out);
    if (st != SCA_MISMATCH)
        return st;
    *why = wording("damaged: a private object was changed by somebody without its PIN");
    return SCA_INVALID;
}

enum sca_status seal_manifest(const struct seal *seal, struct span records,
                              uint8_t ret_manifest[static CRYPT_DIGEST_SIZE])
{
    AUTO(buf_fini) struct buf rows;
    struct tokenfile_record record;
    enum sca_status st = SCA_OK;

    buf_init(&rows, KEYSTORE_OBJECTS_MAX * sizeof(struct row), false);
    for (size_t i = 0; st == SCA_OK && i < records.len; i += sizeof(record)) {
        memcpy(&record, records.ptr + i, sizeof(record));
        struct row row = {.generation = record.generation, .number = record.number};
        memcpy(row.tag, record.mark.tag, sizeof(row.tag));
        if (record.is_private)
            st = buf_append(&rows, span_of(&row, sizeof(row)));
    }
    if (st != SCA_OK)
        return st;
    const struct span parts[] = {span_of(&seal->place, sizeof(seal->place)), buf_span(&rows)};
    return crypt_hmac(secret_get(seal->manifest_key), parts, ARRAY_LEN(parts), ret_manifest);
}

enum sca_status seal_verify(const struct seal *seal, const struct tokenfile *file, const char **why)
{
    uint8_t manifest[CRYPT_DIGEST_SIZE];

    enum sca_status st = seal_manifest(seal, file->records, manifest);
    if (st != SCA_OK)
        return st;
    if (CRYPTO_memcmp(manifest, file->head.manifest, sizeof(manifest)) == 0)
        return SCA_OK;
    *why = wording(
        "damaged: private objects were removed, exchanged or brought back by somebody without "
        "their PIN");
    return SCA_INVALID;
}
