/* SPDX-License-Identifier: Apache-2.0 */
/* Finding: the matches are fixed at C_FindObjectsInit, whatever happens to the token later. */
#include <stdlib.h>
#include <string.h>

#include "module/token/handlers.h"
#include "module/token/session.h"
#include "remote/base/cleanup.h"

/* Where the matches of a find go. */
struct catch
{
    struct operation *find;
    CK_ULONG room;
    enum slot_login login;
};

/* For snapshot_each: false without memory. */
static bool take(const struct object *object, void *arg)
{
    struct catch *catch = arg;
    struct operation *find = catch->find;

    if (!slot_shows(catch->login, object))
        return true;
    if (find->found_count == catch->room) {
        CK_ULONG room = catch->room ? 2 * catch->room : 8;
        CK_OBJECT_HANDLE *found = realloc(find->found, room * sizeof(*found));
        if (!found)
            return false;
        find->found = found;
        catch->room = room;
    }
    find->found[find->found_count++] = object->handle;
    return true;
}

static CK_RV collect(struct session *s, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct catch catch = {&s->operation, 0, slot_login_state(s->slot)};
    AUTO(snapshot_unrefp) struct snapshot *token_objects = NULL;
    AUTO(snapshot_unrefp) struct snapshot *session_objects = slot_session_objects(s->slot);

    CK_RV rv = slot_snapshot(s->slot, true, &token_objects);
    if (rv != CKR_OK)
        return rv;
    bool is_complete = snapshot_each(token_objects, template, count, take, &catch);
    if (is_complete && session_objects)
        is_complete = snapshot_each(session_objects, template, count, take, &catch);
    return is_complete ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV find_init(struct session *s, CK_ATTRIBUTE *template, CK_ULONG count)
{
    if ((!template && count) || count > TEMPLATE_MAX)
        return CKR_ARGUMENTS_BAD;
    CK_RV rv = operation_begin(s, OPERATION_FIND);
    if (rv != CKR_OK)
        return rv;
    rv = collect(s, template, count);
    return operation_return(s, rv != CKR_OK, rv);
}

CK_RV find_next(struct session *s, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count)
{
    struct operation *find = NULL;
    CK_RV rv = operation_borrow(s, OPERATION_FIND, OPERATION_FRESH, &find);
    if (rv != CKR_OK)
        return rv;
    if (!count || (!objects && max))
        return operation_return(s, false, CKR_ARGUMENTS_BAD);

    CK_ULONG left = find->found_count - find->found_next;
    *count = left < max ? left : max;
    if (*count)
        memcpy(objects, find->found + find->found_next, *count * sizeof(*objects));
    find->found_next += *count;
    return operation_return(s, false, CKR_OK);
}

CK_RV find_final(struct session *s)
{
    struct operation *find = NULL;
    CK_RV rv = operation_borrow(s, OPERATION_FIND, OPERATION_FRESH, &find);
    return rv == CKR_OK ? operation_return(s, true, CKR_OK) : rv;
}
