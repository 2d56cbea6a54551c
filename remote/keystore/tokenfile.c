/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/tokenfile.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"

_Static_assert(sizeof(struct tokenfile_head) == 16 + 2 * WRAP_ID_SIZE + KEYSTORE_SERIAL_SIZE +
                                                    KEYSTORE_LABEL_SIZE - 2 + 32 +
                                                    TOKENFILE_USERS * sizeof(struct wrap) +
                                                    TOKENFILE_CHECK_SIZE + 2 * CRYPT_DIGEST_SIZE,
               "no padding");
_Static_assert(sizeof(struct tokenfile_record) == 8 + 4 * 4 + sizeof(struct crypt_mark) + 4,
               "no padding");

/* All that is checked of a label but its zeros, which are not shown, is done when it is written. */
static bool is_text_sound(const struct tokenfile_head *head)
{
    size_t len = strnlen(head->label, sizeof(head->label));

    for (size_t i = len; i < sizeof(head->label); i++)
        if (head->label[i])
            return false;
    for (size_t i = 0; i < sizeof(head->serial); i++)
        if (!strchr("0123456789abcdef", head->serial[i]) || !head->serial[i])
            return false;
    return utf8_is_valid(span_of(head->label, len));
}

static bool is_size_sound(const struct tokenfile_head *head, uint64_t file_len)
{
    return head->object_count <= KEYSTORE_OBJECTS_MAX && head->bodies_len <= TOKENFILE_MAX &&
           file_len <= TOKENFILE_MAX &&
           file_len == sizeof(*head) +
                           (uint64_t)head->object_count * sizeof(struct tokenfile_record) +
                           head->bodies_len + CRYPT_DIGEST_SIZE;
}

/* Somebody can open it: user or security officer. */
static bool has_wrap(const struct tokenfile_head *head)
{
    for (int i = 0; i < TOKENFILE_USERS; i++)
        if (wrap_is_there(&head->wraps[i]))
            return true;
    return false;
}

/* The digest is right: whoever wrote this meant it. */
static const char *meaning_fault(const struct tokenfile_head *head, const uint8_t *token_id)
{
    if (head->version != TOKENFILE_VERSION)
        return wording("it was written by another version");
    if (memcmp(head->token_id, token_id, sizeof(head->token_id)) != 0)
        return wording("it is the file of another token, under this name");
    for (int i = 0; i < TOKENFILE_USERS; i++)
        if (!wrap_is_sound(&head->wraps[i]))
            return wording("its cost parameters are out of bounds: it is refused");
    if (head->reserved || head->next_number == 0 || head->generation == 0 || !has_wrap(head) ||
        !is_text_sound(head))
        return wording("damaged: its head makes no sense; NAME.token.old beside NAME.token is the "
                       "generation before: copy it over NAME.token to go back to it");
    return NULL;
}

enum sca_status tokenfile_check_head(const struct tokenfile_head *head, const uint8_t *token_id,
                                     uint64_t file_len, const char **why)
{
    const struct span checked = span_of(head, offsetof(struct tokenfile_head, digest));
    uint8_t digest[CRYPT_DIGEST_SIZE];

    enum sca_status st = crypt_digest(&checked, 1, digest);
    if (st != SCA_OK)
        return st;
    if (memcmp(head->magic, TOKENFILE_MAGIC, sizeof(head->magic)) != 0)
        *why = wording(
            "damaged: it does not begin as a token file does; NAME.token.old beside NAME.token is "
            "the generation before: copy it over NAME.token to go back to it");
    else if (head->byte_order != TOKENFILE_BYTE_ORDER)
        *why = wording(
            "damaged, or written on a computer of the other byte order; NAME.token.old beside "
            "NAME.token is the generation before: copy it over NAME.token to go back to it");
    else if (memcmp(head->digest, digest, sizeof(digest)) != 0)
        *why =
            wording("damaged: its head is not what was written; NAME.token.old beside NAME.token "
                    "is the generation before: copy it over NAME.token to go back to it");
    else
        *why = meaning_fault(head, token_id);
    if (!*why && !is_size_sound(head, file_len))
        *why = wording(
            "damaged: its length is not what its head says; NAME.token.old beside NAME.token is "
            "the generation before: copy it over NAME.token to go back to it");
    return *why ? SCA_INVALID : SCA_OK;
}

static struct tokenfile_record record_at(const struct tokenfile *file, size_t index)
{
    struct tokenfile_record record;
    memcpy(&record, file->records.ptr + index * sizeof(record), sizeof(record));
    return record;
}

static bool is_record_sound(const struct tokenfile_head *head,
                            const struct tokenfile_record *record)
{
    static const struct crypt_mark no_mark;

    if (record->reserved || record->is_private > 1 || record->number >= head->next_number ||
        record->generation > head->generation || record->body_len > TOKENFILE_OBJECT_MAX ||
        record->key_len > TOKENFILE_OBJECT_MAX - record->body_len)
        return false;
    return record->is_private ||
           (record->key_len == 0 && memcmp(&record->mark, &no_mark, sizeof(no_mark)) == 0);
}

static bool are_records_sound(const struct tokenfile *file)
{
    uint32_t last = 0;
    uint64_t len = 0;

    for (size_t i = 0; i < file->head.object_count; i++) {
        struct tokenfile_record record = record_at(file, i);
        if (record.number <= last || !is_record_sound(&file->head, &record))
            return false;
        last = record.number;
        len += (uint64_t)record.body_len + record.key_len;
    }
    return len == file->head.bodies_len;
}

enum sca_status tokenfile_check(struct span bytes, const uint8_t *token_id,
                                struct tokenfile *ret_file, const char **why)
{
    struct tokenfile file = {.records = {0}};
    uint8_t digest[CRYPT_DIGEST_SIZE];

    *why = wording("damaged: it is shorter than its head; NAME.token.old beside NAME.token is the "
                   "generation before: copy it over NAME.token to go back to it");
    if (bytes.len < sizeof(file.head))
        return SCA_INVALID;
    memcpy(&file.head, bytes.ptr, sizeof(file.head));
    *why = NULL;
    enum sca_status st = tokenfile_check_head(&file.head, token_id, bytes.len, why);
    if (st != SCA_OK)
        return st;

    const struct span checked = span_of(bytes.ptr, bytes.len - sizeof(digest));
    st = crypt_digest(&checked, 1, digest);
    if (st != SCA_OK)
        return st;
    *why = wording("damaged: its content is not what was written; NAME.token.old beside NAME.token "
                   "is the generation before: copy it over NAME.token to go back to it");
    if (memcmp(checked.ptr + checked.len, digest, sizeof(digest)) != 0)
        return SCA_INVALID;
    size_t records_len = file.head.object_count * sizeof(struct tokenfile_record);
    file.records = span_of(bytes.ptr + sizeof(file.head), records_len);
    file.bodies = span_of(file.records.ptr + records_len, (size_t)file.head.bodies_len);
    *why = wording("damaged: its index makes no sense; NAME.token.old beside NAME.token is the "
                   "generation before: copy it over NAME.token to go back to it");
    if (!are_records_sound(&file))
        return SCA_INVALID;
    *why = NULL;
    *ret_file = file;
    return SCA_OK;
}

bool tokenfile_next(const struct tokenfile *file, struct tokenfile_cursor *cursor,
                    struct tokenfile_item *ret_item)
{
    if (cursor->index >= file->head.object_count)
        return false;
    struct tokenfile_record record = record_at(file, cursor->index);
    size_t len = (size_t)record.body_len + record.key_len;
    *ret_item = (struct tokenfile_item){.record = record,
                                        .bytes = span_of(file->bodies.ptr + cursor->offset, len)};
    cursor->index++;
    cursor->offset += len;
    return true;
}
