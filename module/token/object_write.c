/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, copying, changing and destroying objects: on a token that takes writes, or in a session
 * of one. Others refuse, with the code that says why.
 */
#include <string.h>

#include <openssl/evp.h>

#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/object_access.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

/* A write waits for other processes' writes at most this long. */
enum { WRITE_PATIENCE_MS = 30000 };

static const CK_ATTRIBUTE *template_find(const CK_ATTRIBUTE *template, CK_ULONG count,
                                         CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type)
            return &template[i];
    return NULL;
}

bool template_says(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                   bool otherwise)
{
    const CK_ATTRIBUTE *attribute = template_find(template, count, type);
    if (!attribute || attribute->ulValueLen != sizeof(CK_BBOOL) || !attribute->pValue)
        return otherwise;
    return *(const CK_BBOOL *)attribute->pValue != CK_FALSE;
}

/* What every write to a write-protected token ends with. */
static CK_RV refuse_write(const struct session *s)
{
    return session_is_rw(s) ? CKR_TOKEN_WRITE_PROTECTED : CKR_SESSION_READ_ONLY;
}

CK_RV object_check_may_write(struct session *s, bool is_token, bool is_private)
{
    if (is_token && !session_is_rw(s))
        return CKR_SESSION_READ_ONLY;
    if (is_private && slot_login_state(s->slot) != SLOT_USER)
        return CKR_USER_NOT_LOGGED_IN;
    return CKR_OK;
}

/* Hands changes to the backend; whoever looks next sees the result. */
static enum sca_status hand_over(struct session *s, struct object_change *changes, size_t count,
                                 CK_RV *ret_rv)
{
    struct token *token = s->slot->token;
    struct call call;

    call_init(&call, &clock_system, WRITE_PATIENCE_MS);
    enum sca_status st = token->ops->write->apply(token, &call, changes, count);
    *ret_rv = st == SCA_NOT_FOUND ? CKR_OBJECT_HANDLE_INVALID : failure_of(st, &call);
    call_fini(&call);
    slot_forget_objects(s->slot);
    return st;
}

static CK_RV apply(struct session *s, struct object_change *changes, size_t count)
{
    CK_RV rv = CKR_OK;

    (void)hand_over(s, changes, count, &rv);
    return rv;
}

enum { STORE_MAX = 2 };

static CK_RV store_on_token(struct session *s, struct new_object *objects[static STORE_MAX],
                            size_t count)
{
    struct object_change changes[STORE_MAX] = {{.number = 0}};
    struct secret *keys[STORE_MAX] = {NULL};
    enum sca_status st = SCA_OK;

    for (size_t i = 0; i < count && st == SCA_OK; i++) {
        const struct blueprint *blueprint = objects[i]->blueprint;
        if (objects[i]->key)
            st = key_to_pkcs8(objects[i]->key, &keys[i]);
        changes[i] = (struct object_change){
            .is_private = blueprint->is_private,
            .attributes = blueprint->attributes.list,
            .count = blueprint->attributes.count,
            .key = keys[i] ? secret_get(keys[i]) : span_of(NULL, 0),
        };
    }
    CK_RV rv = st == SCA_OK ? apply(s, changes, count) : failure_of(st, NULL);
    for (size_t i = 0; i < count; i++) {
        if (rv == CKR_OK)
            objects[i]->handle = handle_of_token_object(s->slot->token->slot_id, changes[i].number);
        secret_free(keys[i]);
    }
    return rv;
}

/* replaced: the object that it is a change of, or NULL for a new one of this session. */
static CK_RV store_in_session(struct session *s, struct new_object *new_object,
                              const struct object *replaced)
{
    const struct attributes *attributes = &new_object->blueprint->attributes;
    AUTO(object_unrefp)
    struct object *object =
        object_new(attributes->list, attributes->count, new_object->blueprint->is_private);
    if (!object)
        return CKR_HOST_MEMORY;
    object->handle = replaced ? replaced->handle : handle_of_session_object();
    object->owner = replaced ? replaced->owner : s->handle;
    if (new_object->key && EVP_PKEY_up_ref(new_object->key) != 1)
        return CKR_HOST_MEMORY;
    object->key = new_object->key;
    CK_RV rv = slot_put_session_object(s->slot, object, replaced, s);
    if (rv == CKR_OK)
        new_object->handle = object->handle;
    return rv;
}

CK_RV object_store(struct session *s, struct new_object *objects, size_t count)
{
    struct new_object *for_token[STORE_MAX] = {NULL};
    size_t for_token_count = 0;
    CK_RV rv = CKR_OK;

    for (size_t i = 0; i < count && rv == CKR_OK; i++) {
        const struct blueprint *blueprint = objects[i].blueprint;
        rv = object_check_may_write(s, blueprint->is_token, blueprint->is_private);
        if (blueprint->is_token)
            for_token[for_token_count++] = &objects[i];
    }
    if (rv == CKR_OK && for_token_count)
        rv = store_on_token(s, for_token, for_token_count);
    for (size_t i = 0; i < count && rv == CKR_OK; i++)
        if (!objects[i].blueprint->is_token)
            rv = store_in_session(s, &objects[i], NULL);
    return rv;
}

/* What a write-protected token answers: the template is looked at as far as it matters. */
static CK_RV refuse_create(const struct session *s, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (template_find(template, count, CKA_UNIQUE_ID))
        return CKR_ATTRIBUTE_READ_ONLY;
    if (!template_find(template, count, CKA_CLASS))
        return CKR_TEMPLATE_INCOMPLETE;
    /* A session object would do in any session; there are none here. */
    return template_says(template, count, CKA_TOKEN, false) ? refuse_write(s)
                                                            : CKR_TOKEN_WRITE_PROTECTED;
}

CK_RV object_create(struct session *s, CK_ATTRIBUTE *template, CK_ULONG count,
                    CK_OBJECT_HANDLE *handle)
{
    AUTO(blueprint_fini) struct blueprint blueprint;
    blueprint_init(&blueprint);
    if (!handle)
        return CKR_ARGUMENTS_BAD;
    CK_RV rv = template_check(template, count);
    if (rv != CKR_OK)
        return rv;
    if (!slot_is_writable(s->slot))
        return refuse_create(s, template, count);

    rv = blueprint_create(template, count, &blueprint);
    struct new_object object = {.blueprint = &blueprint, .key = blueprint.key};
    if (rv == CKR_OK)
        rv = object_store(s, &object, 1);
    if (rv == CKR_OK)
        *handle = object.handle;
    return rv;
}

CK_RV object_copy(struct session *s, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *template,
                  CK_ULONG count, CK_OBJECT_HANDLE *copy)
{
    AUTO(object_unrefp) struct object *original = NULL;
    AUTO(blueprint_fini) struct blueprint blueprint;
    blueprint_init(&blueprint);
    CK_RV rv = object_find_fresh(s, handle, &original);
    if (rv != CKR_OK)
        return rv;
    if (!copy)
        return CKR_ARGUMENTS_BAD;
    rv = template_check(template, count);
    if (rv != CKR_OK)
        return rv;
    if (!slot_is_writable(s->slot))
        return object_bool(original, CKA_COPYABLE) ? refuse_write(s) : CKR_ACTION_PROHIBITED;

    struct new_object object = {.blueprint = &blueprint};
    rv = blueprint_copy(original, template, count, &blueprint);
    if (rv == CKR_OK && original->class == CKO_PRIVATE_KEY)
        rv = object_load_key(s, original, &object.key);
    if (rv == CKR_OK)
        rv = object_store(s, &object, 1);
    crypto_pkey_free(object.key);
    if (rv == CKR_OK)
        *copy = object.handle;
    return rv;
}

CK_RV object_destroy(struct session *s, CK_OBJECT_HANDLE handle)
{
    AUTO(object_unrefp) struct object *object = NULL;
    CK_RV rv = object_find_visible(s, handle, &object);
    if (rv != CKR_OK)
        return rv;
    if (object->number == 0)
        return object_bool(object, CKA_DESTROYABLE) ? slot_remove_session_object(s->slot, handle)
                                                    : CKR_ACTION_PROHIBITED;
    if (!session_is_rw(s))
        return CKR_SESSION_READ_ONLY;
    if (!object_bool(object, CKA_DESTROYABLE))
        return CKR_ACTION_PROHIBITED;
    if (!slot_is_writable(s->slot))
        return CKR_TOKEN_WRITE_PROTECTED;
    struct object_change change = {.number = object->number, .is_removed = true};
    return apply(s, &change, 1);
}

/* True: the object has changed since, and the change is to be made again from what it is now. */
static bool change_on_token(struct session *s, const struct object *object,
                            const struct blueprint *blueprint, CK_RV *ret_rv)
{
    struct object_change change = {
        .number = object->number,
        .is_private = blueprint->is_private,
        .attributes = blueprint->attributes.list,
        .count = blueprint->attributes.count,
        .base = object->attributes,
        .base_count = object->count,
    };
    return hand_over(s, &change, 1, ret_rv) == SCA_BUSY;
}

static CK_RV check_change(struct session *s, const struct object *object,
                          const CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (object->number != 0 && !session_is_rw(s))
        return CKR_SESSION_READ_ONLY;
    if (template_find(template, count, CKA_CLASS) ||
        template_find(template, count, CKA_UNIQUE_ID) || !object_bool(object, CKA_MODIFIABLE))
        return CKR_ATTRIBUTE_READ_ONLY;
    return slot_is_writable(s->slot) ? CKR_OK : CKR_TOKEN_WRITE_PROTECTED;
}

/* True: to be tried again. */
static bool try_change(struct session *s, CK_OBJECT_HANDLE handle, const CK_ATTRIBUTE *template,
                       CK_ULONG count, CK_RV *ret_rv)
{
    AUTO(object_unrefp) struct object *object = NULL;
    AUTO(blueprint_fini) struct blueprint blueprint;
    blueprint_init(&blueprint);

    CK_RV rv = object_find_visible(s, handle, &object);
    if (rv == CKR_OK)
        rv = check_change(s, object, template, count);
    if (rv == CKR_OK)
        rv = blueprint_change(object, template, count, &blueprint);
    *ret_rv = rv;
    if (rv != CKR_OK)
        return false;
    if (object->number != 0)
        return change_on_token(s, object, &blueprint, ret_rv);
    struct new_object changed = {.blueprint = &blueprint, .key = object->key};
    *ret_rv = store_in_session(s, &changed, object);
    return *ret_rv == CKR_OBJECT_HANDLE_INVALID; /* gone, or another thread has changed it */
}

/*
 * A change is made from what the object is, in this or another process, when it is written: what
 * somebody has made sensitive meanwhile stays so.
 */
CK_RV object_set_attributes(struct session *s, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *template,
                            CK_ULONG count)
{
    enum { TRIES = 64 };
    AUTO(object_unrefp) struct object *object = NULL;

    CK_RV rv = object_find_visible(s, handle, &object);
    if (rv == CKR_OK)
        rv = template_check(template, count);
    if (rv != CKR_OK)
        return rv;
    for (int i = 0; i < TRIES; i++)
        if (!try_change(s, handle, template, count, &rv))
            return rv;
    return failure(CKR_FUNCTION_FAILED, "others change the object all the time");
}
