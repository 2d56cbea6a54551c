/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/update.h"

#include <stdlib.h>

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"
#include "remote/keystore/durable.h"
#include "remote/keystore/turn.h"

enum { WAIT_MS = 5000 };

void update_fini(struct update *update)
{
    shelf_file_fini(&update->old);
    turn_endp(&update->turn);
}

enum sca_status update_begin(const struct shelf *shelf, struct call *call, struct update *update)
{
    const char *why = NULL;

    update->shelf = shelf;
    /* Not for a token that is not there: the lock would stay behind. */
    enum sca_status st = shelf_read_head(shelf, &update->head, &why);
    if (st == SCA_OK)
        st = turn_take(shelf->dir, shelf->lock, call, WAIT_MS, &update->turn);
    if (st == SCA_OK)
        st = shelf_read(shelf, &update->old, &why);
    if (st != SCA_OK)
        return shelf_fail(shelf, call, st, why);
    update->head = update->old.file.head;
    update->head.generation++;
    return SCA_OK;
}

enum sca_status update_begin_new(const struct shelf *shelf, struct call *call,
                                 struct update *update)
{
    const char *why = NULL;

    update->shelf = shelf;
    enum sca_status st = turn_take(shelf->dir, shelf->lock, call, WAIT_MS, &update->turn);
    if (st != SCA_OK)
        return st;
    st = shelf_read_head(shelf, &update->head, &why);
    if (st == SCA_NOT_FOUND)
        return SCA_OK;
    if (st == SCA_OK)
        return shelf_fail(shelf, call, SCA_INVALID, wording("there is a token of this name"));
    return shelf_fail(shelf, call, st, why);
}

enum sca_status update_begin_over(const struct shelf *shelf, struct call *call,
                                  struct update *update)
{
    update->shelf = shelf;
    return turn_take(shelf->dir, shelf->lock, call, WAIT_MS, &update->turn);
}

enum sca_status update_put(struct seal *seal, struct tokenfile_writer *writer, uint32_t number,
                           const struct keystore_object *object)
{
    const struct span parts[] = {object->body, object->key};
    struct tokenfile_item item = {
        .record =
            {
                .generation = writer->head.generation,
                .number = number,
                .is_private = object->is_private,
                .body_len = (uint32_t)object->body.len,
                .key_len = (uint32_t)object->key.len,
            },
        .bytes = object->body,
    };

    if (!object->is_private)
        return tokenfile_writer_add(writer, &item);
    size_t len = object->body.len + object->key.len;
    AUTO(freep) uint8_t *sealed = malloc(len + 1);
    if (!sealed)
        return SCA_NOMEM;
    enum sca_status st = seal_put(seal, &item.record, parts, sealed);
    item.bytes = span_of(sealed, len);
    return st == SCA_OK ? tokenfile_writer_add(writer, &item) : st;
}

enum sca_status update_save(const struct update *update, struct tokenfile_writer *writer,
                            enum update_old old)
{
    AUTO(buf_fini) struct buf bytes;
    struct durable_file file = {
        .dir = update->shelf->dir,
        .name = update->shelf->token,
        .generation = writer->head.generation,
    };

    enum sca_status st = tokenfile_writer_finish(writer, &bytes);
    if (st != SCA_OK)
        return st;
    file.bytes = buf_span(&bytes);
    if (old == UPDATE_REPLACES_OLD) {
        /* First: a crash in between leaves the token as it was, not the old PIN beside a new one.
         */
        struct durable_file second = file;
        second.name = update->shelf->old;
        st = durable_replace(&second);
    } else {
        file.old = span_of(update->old.bytes, update->old.len);
    }
    return st == SCA_OK ? durable_replace(&file) : st;
}
