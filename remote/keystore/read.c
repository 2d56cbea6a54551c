/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a token, lent one after the other. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/keystore/seal.h"
#include "remote/keystore/shelf.h"

/* Room for the largest private object, wiped as far as it was used. */
struct room {
    uint8_t *ptr;
    size_t used;
};

static void room_fini(struct room *room)
{
    if (room->ptr)
        secret_wipe(room->ptr, room->used);
    free(room->ptr);
}

struct reading {
    struct seal *seal;
    uint32_t number;
    enum sca_status (*each)(void *arg, const struct keystore_object *object);
    void *arg;
    struct room room;
};

static enum sca_status make_room(struct room *room, const struct tokenfile *file)
{
    struct tokenfile_cursor cursor = {0};
    struct tokenfile_item item;
    size_t most = 1;

    while (tokenfile_next(file, &cursor, &item))
        if (item.record.is_private && item.bytes.len > most)
            most = item.bytes.len;
    room->ptr = malloc(most);
    return room->ptr ? SCA_OK : SCA_NOMEM;
}

static enum sca_status lend(struct reading *reading, const struct tokenfile_item *item,
                            const char **why)
{
    struct keystore_object object = {
        .number = item->record.number,
        .is_private = item->record.is_private != 0,
    };
    const uint8_t *bytes = item->bytes.ptr;

    if (object.is_private) {
        struct room *room = &reading->room;
        enum sca_status st = seal_get(reading->seal, item, room->ptr, why);
        if (st != SCA_OK)
            return st;
        room->used = item->bytes.len > room->used ? item->bytes.len : room->used;
        bytes = room->ptr;
    }
    object.body = span_of(bytes, item->record.body_len);
    object.key = span_of(bytes + item->record.body_len, item->record.key_len);
    return reading->each(reading->arg, &object);
}

static enum sca_status read_all(struct reading *reading, const struct tokenfile *file,
                                const char **why)
{
    struct tokenfile_cursor cursor = {0};
    struct tokenfile_item item;
    bool is_found = reading->number == 0;
    enum sca_status st = SCA_OK;

    while (st == SCA_OK && tokenfile_next(file, &cursor, &item)) {
        bool is_wanted = reading->number == 0 || reading->number == item.record.number;
        if (!is_wanted || (item.record.is_private && !reading->seal))
            continue;
        is_found = true;
        st = lend(reading, &item, why);
    }
    return st == SCA_OK && !is_found ? SCA_NOT_FOUND : st;
}

enum sca_status
keystore_read(const struct keystore *keystore, const struct secret *master_key, uint32_t number,
              enum sca_status (*each)(void *arg, const struct keystore_object *object), void *arg,
              const char **why)
{
    AUTO(shelf_fini) struct shelf shelf = {.dir = NULL};
    AUTO(shelf_file_fini) struct shelf_file loaded = {.bytes = NULL};
    AUTO(seal_freep) struct seal *seal = NULL;
    AUTO(room_fini) struct room room = {.ptr = NULL};

    *why = NULL;
    enum sca_status st = shelf_init(&shelf, keystore, why);
    if (st == SCA_OK)
        st = shelf_read(&shelf, &loaded, why);
    if (st == SCA_OK && master_key)
        st = seal_new(&loaded.file.head, master_key, &seal);
    if (st == SCA_OK && seal)
        st = seal_verify(seal, &loaded.file, why);
    if (st == SCA_OK && seal)
        st = make_room(&room, &loaded.file);
    if (st != SCA_OK)
        return st;
    struct reading reading = {
        .seal = seal, .number = number, .each = each, .arg = arg, .room = room};
    st = read_all(&reading, &loaded.file, why);
    room = reading.room;
    return st;
}
