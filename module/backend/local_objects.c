/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/local_objects.h"

#include <stdlib.h>
#include <string.h>

#include "module/backend/profiles.h"
#include "remote/base/cleanup.h"
#include "remote/base/log.h"

/* What comes before each value in a body. */
enum { TYPE_SIZE = sizeof(uint64_t), LEN_SIZE = sizeof(uint32_t) };

/* Above every object's own number. */
enum { NUMBER_PROFILE = OBJECT_NUMBER_MAX - PROFILES + 1 };

enum sca_status local_body_put(const CK_ATTRIBUTE *attributes, CK_ULONG count, struct buf *ret_body)
{
    enum sca_status st = SCA_OK;

    buf_init(ret_body, LOCAL_BODY_MAX, true);
    for (CK_ULONG i = 0; st == SCA_OK && i < count; i++) {
        uint64_t type = attributes[i].type;
        uint32_t len = (uint32_t)attributes[i].ulValueLen;
        if (attributes[i].ulValueLen > LOCAL_BODY_MAX)
            return SCA_NO_SPACE;
        st = buf_append(ret_body, span_of(&type, TYPE_SIZE));
        if (st == SCA_OK)
            st = buf_append(ret_body, span_of(&len, LEN_SIZE));
        if (st == SCA_OK)
            st = buf_append(ret_body, span_of(attributes[i].pValue, len));
    }
    return st == SCA_PROTOCOL ? SCA_NO_SPACE : st;
}

enum sca_status local_body_get(struct span body, struct attributes *ret_attributes)
{
    while (body.len) {
        uint64_t type = 0;
        uint32_t len = 0;
        if (body.len < TYPE_SIZE + LEN_SIZE || ret_attributes->count >= ATTRIBUTES_MAX - 1)
            return SCA_INVALID;
        memcpy(&type, body.ptr, TYPE_SIZE);
        memcpy(&len, body.ptr + TYPE_SIZE, LEN_SIZE);
        body = span_of(body.ptr + TYPE_SIZE + LEN_SIZE, body.len - TYPE_SIZE - LEN_SIZE);
        if (body.len < len)
            return SCA_INVALID;
        attributes_add(ret_attributes, (CK_ATTRIBUTE_TYPE)type, span_of(body.ptr, len));
        body = span_of(body.ptr + len, body.len - len);
    }
    return ret_attributes->count ? SCA_OK : SCA_INVALID;
}

/* One reading of a token's objects. */
struct listing {
    const char *name;
    const char *serial;
    struct object_sink *sink;
};

static enum sca_status list_one(void *arg, const struct keystore_object *object)
{
    const struct listing *listing = arg;
    struct attributes a = {.count = 0};
    char unique_id[UNIQUE_ID_SIZE];

    if (object->number >= NUMBER_PROFILE || local_body_get(object->body, &a) != SCA_OK) {
        log_line(LOG_LEVEL_WARNING,
                 "token %s: object %u was written by another version or is damaged; it is not "
                 "shown",
                 listing->name, (unsigned)object->number);
        return SCA_OK;
    }
    unique_id_add(&a, "local", listing->serial, object->number, unique_id);
    return listing->sink->add(listing->sink, object->number, object->is_private, a.list, a.count);
}

enum sca_status local_objects_list(const struct keystore *keystore, const char *serial,
                                   const struct secret *master_key, struct object_sink *sink,
                                   const char **why)
{
    struct listing listing = {.name = keystore->name, .serial = serial, .sink = sink};

    enum sca_status st = keystore_read(keystore, master_key, 0, list_one, &listing, why);
    return st == SCA_OK ? profiles_list("local", serial, NUMBER_PROFILE, sink) : st;
}

/* Changes as the keystore wants them, and the bodies they borrow. */
struct batch {
    struct keystore_change *changes;
    struct buf *bodies;
    size_t count; /* of bodies that were begun */
};

static void batch_fini(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        buf_fini(&batch->bodies[i]);
    free(batch->bodies);
    free(batch->changes);
}

/* keystore_change.is_base: are the stored attributes those that the change was made from? */
static bool is_base(const void *arg, struct span body)
{
    const struct object_change *change = arg;
    struct attributes stored = {.count = 0};
    CK_ULONG same = 0;

    if (local_body_get(body, &stored) != SCA_OK)
        return false;
    for (CK_ULONG i = 0; i < change->base_count; i++) {
        const CK_ATTRIBUTE *wanted = &change->base[i];
        bool is_there = wanted->type == CKA_UNIQUE_ID;
        same += is_there; /* it is made, not stored */
        for (CK_ULONG j = 0; !is_there && j < stored.count; j++) {
            is_there = stored.list[j].type == wanted->type &&
                       span_equal(span_of(stored.list[j].pValue, stored.list[j].ulValueLen),
                                  span_of(wanted->pValue, wanted->ulValueLen));
            same += is_there;
        }
        if (!is_there)
            return false;
    }
    return same == stored.count + 1;
}

static enum sca_status batch_add(struct batch *batch, const struct object_change *change)
{
    struct keystore_change *to = &batch->changes[batch->count];
    struct buf *body = &batch->bodies[batch->count++];

    enum sca_status st =
        local_body_put(change->attributes, change->is_removed ? 0 : change->count, body);
    *to = (struct keystore_change){
        .is_removed = change->is_removed,
        .is_base = change->base ? is_base : NULL,
        .arg = change,
        .object = {.number = change->number,
                   .is_private = change->is_private,
                   .body = buf_span(body),
                   .key = change->is_removed ? span_of(NULL, 0) : change->key},
    };
    return st;
}

enum sca_status local_objects_write(const struct keystore *keystore, struct call *call,
                                    const struct secret *master_key, struct object_change *changes,
                                    size_t count)
{
    AUTO(batch_fini)
    struct batch batch = {
        .changes = calloc(count + 1, sizeof(*batch.changes)),
        .bodies = calloc(count + 1, sizeof(*batch.bodies)),
    };
    enum sca_status st = batch.changes && batch.bodies ? SCA_OK : SCA_NOMEM;

    for (size_t i = 0; st == SCA_OK && i < count; i++)
        st = batch_add(&batch, &changes[i]);
    if (st == SCA_OK)
        st = keystore_write(keystore, call, master_key, batch.changes, count);
    for (size_t i = 0; st == SCA_OK && i < count; i++)
        changes[i].number = batch.changes[i].object.number;
    return st;
}
