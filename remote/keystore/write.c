/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a token changed: the old file and the changes, merged by number, are the new one. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"
#include "remote/keystore/seal.h"
#include "remote/keystore/update.h"

struct writing {
    struct seal *seal; /* NULL: public objects only */
    struct tokenfile_writer writer;
    struct keystore_change *changes;
    struct keystore_change **known; /* those of existing objects, by number */
    size_t known_count;
    size_t done; /* of known: merging needs no search */
    const char *why;
};

static int compare_numbers(const void *a, const void *b)
{
    struct keystore_change *const *left = a;
    struct keystore_change *const *right = b;
    uint32_t l = (*left)->object.number;
    uint32_t r = (*right)->object.number;
    return l < r ? -1 : l > r;
}

/* Reasons why a change cannot be made, whatever the file holds. */
static enum sca_status check_change(const struct keystore_change *change, bool has_master_key)
{
    const struct keystore_object *object = &change->object;

    if (change->is_removed)
        return object->number ? SCA_OK : SCA_INVALID;
    if (object->body.len > TOKENFILE_OBJECT_MAX ||
        object->key.len > TOKENFILE_OBJECT_MAX - object->body.len)
        return SCA_INVALID;
    if (!object->is_private)
        return object->key.len ? SCA_INVALID : SCA_OK;
    return has_master_key ? SCA_OK : SCA_USER_AUTH;
}

static enum sca_status sort_changes(struct writing *writing, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct keystore_change *change = &writing->changes[i];
        enum sca_status st = check_change(change, writing->seal != NULL);
        if (st != SCA_OK)
            return st;
        if (change->object.number)
            writing->known[writing->known_count++] = change;
    }
    qsort(writing->known, writing->known_count, sizeof(*writing->known), compare_numbers);
    for (size_t i = 1; i < writing->known_count; i++)
        if (compare_numbers(&writing->known[i - 1], &writing->known[i]) == 0)
            return SCA_INVALID;
    return SCA_OK;
}

/* Its body and key in the clear, one behind the other. */
static enum sca_status open_old(struct writing *writing, const struct tokenfile_item *old,
                                struct buf *opened)
{
    enum sca_status st = buf_append(opened, old->bytes); /* for its room */
    return st == SCA_OK && old->record.is_private
               ? seal_get(writing->seal, old, opened->ptr, &writing->why)
               : st;
}

static enum sca_status change_opened(struct writing *writing, const struct tokenfile_item *old,
                                     const struct buf *opened, const struct keystore_change *change)
{
    const struct keystore_object *object = &change->object;
    struct span key = span_of(opened->ptr + old->record.body_len, old->record.key_len);

    if (change->is_base &&
        !change->is_base(change->arg, span_of(opened->ptr, old->record.body_len)))
        return SCA_BUSY;
    if (object->key.len)
        key = object->key;
    if (object->body.len > TOKENFILE_OBJECT_MAX - key.len)
        return SCA_INVALID;
    return update_put(writing->seal, &writing->writer, old->record.number,
                      &(struct keystore_object){
                          .is_private = object->is_private, .body = object->body, .key = key});
}

static enum sca_status change_one(struct writing *writing, const struct tokenfile_item *old,
                                  const struct keystore_change *change)
{
    AUTO(buf_fini) struct buf opened;

    buf_init(&opened, TOKENFILE_OBJECT_MAX, true);
    /* Its row in the manifest cannot be taken out without the key. */
    if (old->record.is_private && !writing->seal)
        return SCA_USER_AUTH;
    if (change->is_removed)
        return SCA_OK;
    if (change->object.is_private != (old->record.is_private != 0))
        return SCA_INVALID;
    enum sca_status st = open_old(writing, old, &opened);
    return st == SCA_OK ? change_opened(writing, old, &opened, change) : st;
}

/* The next change in the row, if it is for this object. */
static const struct keystore_change *change_for(struct writing *writing, uint32_t number)
{
    if (writing->done >= writing->known_count ||
        writing->known[writing->done]->object.number != number)
        return NULL;
    return writing->known[writing->done++];
}

static enum sca_status put_old(struct writing *writing, const struct tokenfile *file)
{
    struct tokenfile_cursor cursor = {0};
    struct tokenfile_item item;
    enum sca_status st = SCA_OK;

    while (st == SCA_OK && tokenfile_next(file, &cursor, &item)) {
        const struct keystore_change *change = change_for(writing, item.record.number);
        st = change ? change_one(writing, &item, change)
                    : tokenfile_writer_add(&writing->writer, &item);
    }
    /* Both rows rise: a change that was not reached has no object. */
    return st == SCA_OK && writing->done < writing->known_count ? SCA_NOT_FOUND : st;
}

static enum sca_status put_new(struct writing *writing, size_t count)
{
    struct tokenfile_head *head = &writing->writer.head;
    enum sca_status st = SCA_OK;

    for (size_t i = 0; st == SCA_OK && i < count; i++) {
        const struct keystore_object *object = &writing->changes[i].object;
        if (object->number)
            continue;
        st = head->next_number < UINT32_MAX
                 ? update_put(writing->seal, &writing->writer, head->next_number, object)
                 : SCA_INVALID;
        head->next_number++;
    }
    return st;
}

static void tell_numbers(struct keystore_change *changes, size_t count, uint32_t next_number)
{
    for (size_t i = 0; i < count; i++)
        if (changes[i].object.number == 0)
            changes[i].object.number = next_number++;
}

static enum sca_status merge(struct writing *writing, const struct tokenfile *file, size_t count)
{
    enum sca_status st = sort_changes(writing, count);
    if (st == SCA_OK && writing->seal)
        st = seal_verify(writing->seal, file, &writing->why);
    if (st == SCA_OK)
        st = put_old(writing, file);
    if (st == SCA_OK)
        st = put_new(writing, count);
    if (st == SCA_INVALID && !writing->why)
        writing->why =
            wording("a change is not acceptable, or an object or the token would be too large");
    if (st != SCA_OK || !writing->seal)
        return st;
    return seal_manifest(writing->seal, buf_span(&writing->writer.records),
                         writing->writer.head.manifest);
}

static void writing_fini(struct writing *writing)
{
    tokenfile_writer_fini(&writing->writer);
    seal_free(writing->seal);
    free(writing->known);
}

enum sca_status keystore_write(const struct keystore *keystore, struct call *call,
                               const struct secret *master_key, struct keystore_change *changes,
                               size_t count)
{
    AUTO(shelf_fini) struct shelf shelf = {.dir = NULL};
    AUTO(update_fini) struct update update = {.turn = -1};
    AUTO(writing_fini) struct writing writing = {.changes = changes};
    const char *why = NULL;

    enum sca_status st = shelf_fail(&shelf, call, shelf_init(&shelf, keystore, &why), why);
    if (st == SCA_OK)
        st = update_begin(&shelf, call, &update);
    if (st != SCA_OK)
        return st;
    if (master_key)
        st = seal_new(&update.head, master_key, &writing.seal);
    if (st != SCA_OK)
        return st;
    writing.known = calloc(count + 1, sizeof(struct keystore_change *));
    if (!writing.known)
        return SCA_NOMEM;
    tokenfile_writer_init(&writing.writer, &update.head);
    st = merge(&writing, &update.old.file, count);
    if (st == SCA_OK)
        st = update_save(&update, &writing.writer, UPDATE_KEEPS_OLD);
    if (st == SCA_OK)
        tell_numbers(changes, count, update.head.next_number);
    return shelf_fail(&shelf, call, st, writing.why);
}
