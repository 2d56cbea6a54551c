/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"

/* Below this many, looking at each is quicker than to make an index. */
enum { INDEX_FROM = 24 };

/*
 * Handles are below 2^31 for applications that keep them in an int, in three ranges:
 *   0x00000001  slot id and number, the same in every run: tokens with few objects
 *   0x40000000  number alone, the same in every run: the rest of a large token
 *   0x60000000  session objects
 * Two slots so far apart that their handles coincide do no harm: a handle is only looked up in its
 * session's slot.
 */
enum {
    PER_SLOT = 256,
    SLOT_MASK = 0x3fffff,
    LARGE_BASE = 0x40000000,
    SESSION_BASE = 0x60000000,
    SESSION_MASK = 0x1fffffff,
};

CK_OBJECT_HANDLE handle_of_token_object(CK_SLOT_ID slot_id, unsigned number)
{
    return number < PER_SLOT ? (slot_id & SLOT_MASK) * PER_SLOT + number : LARGE_BASE + number;
}

CK_OBJECT_HANDLE handle_of_session_object(void)
{
    static atomic_uint last;
    return SESSION_BASE + (atomic_fetch_add(&last, 1) & SESSION_MASK);
}

static int compare_objects(const void *a, const void *b)
{
    const struct object *const *left = a;
    const struct object *const *right = b;
    return (*left)->handle < (*right)->handle ? -1 : (*left)->handle > (*right)->handle;
}

/* Takes the reference in every case. */
static enum sca_status append(struct snapshot *snapshot, struct object *take_object)
{
    if (snapshot->count == snapshot->room) {
        size_t room = snapshot->room ? 2 * snapshot->room : 8;
        struct object **objects = realloc(snapshot->objects, room * sizeof(*objects));
        if (!objects) {
            object_unref(take_object);
            return SCA_NOMEM;
        }
        snapshot->objects = objects;
        snapshot->room = room;
    }
    snapshot->objects[snapshot->count++] = take_object;
    return SCA_OK;
}

static enum sca_status add_object(struct object_sink *sink, unsigned number, bool is_private,
                                  const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct snapshot *snapshot = (struct snapshot *)sink;
    struct object *object = object_new(attributes, count, is_private);
    if (!object)
        return SCA_NOMEM;
    object->number = number;
    object->handle = handle_of_token_object(snapshot->slot_id, number);
    return append(snapshot, object);
}

static struct snapshot *snapshot_alloc(void)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (snapshot) {
        snapshot->sink.add = add_object;
        atomic_init(&snapshot->refs, 1);
    }
    return snapshot;
}

static void finish(struct snapshot *snapshot)
{
    if (snapshot->count)
        qsort(snapshot->objects, snapshot->count, sizeof(*snapshot->objects), compare_objects);
    if (snapshot->count >= INDEX_FROM)
        snapshot->index = object_index_new(snapshot->objects, snapshot->count);
}

enum sca_status snapshot_new(struct token *token, struct snapshot **ret_snapshot)
{
    AUTO(snapshot_unrefp) struct snapshot *snapshot = snapshot_alloc();
    if (!snapshot)
        return SCA_NOMEM;
    snapshot->slot_id = token->slot_id;
    enum sca_status st = token->ops->list(token, &snapshot->sink);
    if (st != SCA_OK)
        return st;
    finish(snapshot);
    *ret_snapshot = TAKE(snapshot);
    return SCA_OK;
}

enum sca_status snapshot_edit(const struct snapshot *old,
                              bool (*drops)(const struct object *object, const void *arg),
                              const void *arg, struct object *added, struct snapshot **ret_snapshot)
{
    AUTO(snapshot_unrefp) struct snapshot *snapshot = snapshot_alloc();
    if (!snapshot)
        return SCA_NOMEM;
    enum sca_status st = SCA_OK;
    for (size_t i = 0; st == SCA_OK && old && i < old->count; i++)
        if (!drops(old->objects[i], arg))
            st = append(snapshot, object_ref(old->objects[i]));
    if (st == SCA_OK && added)
        st = append(snapshot, object_ref(added));
    if (st != SCA_OK)
        return st;
    finish(snapshot);
    *ret_snapshot = TAKE(snapshot);
    return SCA_OK;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->refs, 1);
    return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub(&snapshot->refs, 1) != 1)
        return;
    for (size_t i = 0; i < snapshot->count; i++)
        object_unref(snapshot->objects[i]);
    object_index_free(snapshot->index);
    free(snapshot->objects);
    free(snapshot);
}

void snapshot_unrefp(struct snapshot **snapshot)
{
    snapshot_unref(*snapshot);
    *snapshot = NULL;
}

struct object *snapshot_find(const struct snapshot *snapshot, CK_OBJECT_HANDLE handle)
{
    size_t low = 0;
    size_t high = snapshot->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot->objects[middle]->handle < handle)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == snapshot->count || snapshot->objects[low]->handle != handle)
        return NULL;
    return snapshot->objects[low];
}

bool snapshot_each(const struct snapshot *snapshot, const CK_ATTRIBUTE *template, CK_ULONG count,
                   bool (*each)(const struct object *object, void *arg), void *arg)
{
    struct object_walk walk;
    if (snapshot->index && object_walk_begin(snapshot->index, template, count, &walk)) {
        size_t number = 0;
        while (object_walk_next(&walk, &number))
            if (object_matches(snapshot->objects[number], template, count) &&
                !each(snapshot->objects[number], arg))
                return false;
        return true;
    }
    for (size_t i = 0; i < snapshot->count; i++)
        if (object_matches(snapshot->objects[i], template, count) &&
            !each(snapshot->objects[i], arg))
            return false;
    return true;
}
