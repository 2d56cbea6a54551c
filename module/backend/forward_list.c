/* SPDX-License-Identifier: Apache-2.0 */
/* The token's objects, read into the module's own model. */
#include <stdlib.h>
#include <string.h>

#include "module/backend/forward.h"
#include "module/backend/profiles.h"
#include "remote/base/cleanup.h"
#include "remote/base/log.h"

enum {
    OBJECTS_MAX = 1024, /* of a class; a smart card has room for dozens */
    FIND_AT_ONCE = 64,
    NUMBER_PROFILE = 1,
    NUMBER_BASE = 256, /* handles of lower numbers are the slot's */
};

/* Order: a reader that goes from certificate to key meets them so. */
static const CK_OBJECT_CLASS classes[] = {CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY};

struct found {
    CK_OBJECT_HANDLE handles[ARRAY_LEN(classes)][OBJECTS_MAX];
    size_t counts[ARRAY_LEN(classes)];
};

/* What the listing of one token carries along. */
struct listing {
    struct forward_token *token;
    struct object_sink *sink;
    CK_SESSION_HANDLE session;
    struct forward_keys keys;
    unsigned *numbers; /* in use */
    size_t number_count;
};

static CK_RV find_class(const struct inner *inner, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class,
                        CK_OBJECT_HANDLE handles[static OBJECTS_MAX], size_t *ret_count)
{
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
    size_t count = 0;
    CK_ULONG got = 0;

    CK_RV rv = inner->FindObjectsInit(session, &template, 1);
    if (rv != CKR_OK)
        return rv;
    do {
        CK_ULONG ask = OBJECTS_MAX - count < FIND_AT_ONCE ? OBJECTS_MAX - count : FIND_AT_ONCE;
        got = 0;
        rv = inner->FindObjects(session, handles + count, ask, &got);
        if (rv == CKR_OK && got > ask)
            rv = CKR_DEVICE_ERROR;
        count += rv == CKR_OK ? got : 0;
    } while (rv == CKR_OK && got > 0 && count < OBJECTS_MAX);
    CK_RV end = inner->FindObjectsFinal(session);
    *ret_count = count;
    return rv == CKR_OK ? end : rv;
}

static CK_RV find_all(struct forward_token *token, CK_SESSION_HANDLE session, struct found *found)
{
    CK_RV rv = CKR_OK;
    for (size_t i = 0; rv == CKR_OK && i < ARRAY_LEN(classes); i++)
        rv = find_class(token->inner, session, classes[i], found->handles[i], &found->counts[i]);
    return rv;
}

static bool is_used(const struct listing *listing, unsigned number)
{
    for (size_t i = 0; i < listing->number_count; i++)
        if (listing->numbers[i] == number)
            return true;
    return false;
}

/* From what the object is; of two that look the same, the second gets the next. */
static unsigned number_for(struct listing *listing, uint64_t hash)
{
    unsigned number = NUMBER_BASE + (unsigned)(hash % (OBJECT_NUMBER_MAX - NUMBER_BASE));

    while (is_used(listing, number))
        number = number < OBJECT_NUMBER_MAX ? number + 1 : NUMBER_BASE;
    listing->numbers[listing->number_count++] = number;
    return number;
}

static bool has(const struct attributes *attributes, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < attributes->count; i++)
        if (attributes->list[i].type == type)
            return attributes->list[i].ulValueLen > 0;
    return false;
}

/* In place of an empty one, or as a further attribute. */
static void put(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, struct span value)
{
    CK_ULONG i = 0;
    while (i < attributes->count && attributes->list[i].type != type)
        i++;
    if (i < attributes->count)
        attributes->list[i] = attributes->list[--attributes->count];
    attributes_add(attributes, type, value);
}

static enum sca_status add(struct listing *listing, struct forward_object *object,
                           CK_OBJECT_HANDLE handle)
{
    AUTO(buf_fini) struct buf spki = {.ptr = NULL};
    char unique_id[UNIQUE_ID_SIZE];
    unsigned number = number_for(listing, object->hash);
    struct attributes *attributes = &object->attributes;

    unique_id_add(attributes, "token", listing->token->identity.serial, number, unique_id);
    if (object->class == CKO_PUBLIC_KEY && !has(attributes, CKA_PUBLIC_KEY_INFO)) {
        enum sca_status st = forward_spki(attributes, &spki);
        if (st == SCA_NOMEM)
            return st;
        if (st == SCA_OK)
            put(attributes, CKA_PUBLIC_KEY_INFO, buf_span(&spki));
    }
    if (object->class == CKO_PRIVATE_KEY)
        listing->keys.items[listing->keys.count++] =
            (struct forward_key){.number = number,
                                 .handle = handle,
                                 .wants_login_each_time = object->wants_login_each_time};
    return listing->sink->add(listing->sink, number, object->is_private, attributes->list,
                              attributes->count);
}

static enum sca_status read_object(struct listing *listing, CK_OBJECT_CLASS class,
                                   CK_OBJECT_HANDLE handle)
{
    AUTO(forward_object_fini) struct forward_object object = {.class = class};
    const struct forward_token *token = listing->token;

    CK_RV rv = forward_object_read(token->inner, listing->session, handle, class, &object);
    if (rv == CKR_OK)
        return add(listing, &object, handle);
    if (rv == CKR_HOST_MEMORY)
        return SCA_NOMEM;
    /* One that cannot be read takes only itself away. */
    log_line(LOG_LEVEL_INFO, "[token %s] an object of class %lu cannot be read: 0x%lx",
             token->section->config->name, class, rv);
    return SCA_OK;
}

static enum sca_status read_all(struct listing *listing, const struct found *found)
{
    size_t count = found->counts[0] + found->counts[1] + found->counts[2];
    enum sca_status st = SCA_OK;

    listing->numbers = calloc(count + 1, sizeof(*listing->numbers));
    listing->keys.items = calloc(found->counts[2] + 1, sizeof(*listing->keys.items));
    if (!listing->numbers || !listing->keys.items)
        return SCA_NOMEM;
    for (size_t class = 0; class < ARRAY_LEN(classes); class ++)
        for (size_t i = 0; st == SCA_OK && i < found->counts[class]; i++)
            st = read_object(listing, classes[class], found->handles[class][i]);
    return st;
}

/* Which key is which: for signatures from now on. */
static void keep_keys(struct forward_token *token, struct forward_keys *keys,
                      unsigned long generation)
{
    lock_take(&token->lock);
    struct forward_keys older = token->keys;
    if (token->generation == generation) {
        token->keys = *keys;
        *keys = older;
    }
    lock_drop(&token->lock);
}

static CK_RV find_in(struct forward_token *token, struct forward_lease *lease, struct found *found)
{
    CK_RV rv = forward_take(token, NULL, 0, lease);
    if (rv != CKR_OK)
        return rv;
    rv = find_all(token, lease->session, found);
    if (rv != CKR_OK)
        forward_give(token, lease, false);
    return rv;
}

enum sca_status forward_list(struct token *base, struct object_sink *sink)
{
    struct forward_token *token = (struct forward_token *)base;
    struct listing listing = {.token = token, .sink = sink};
    struct forward_lease lease;
    AUTO(freep) struct found *found = calloc(1, sizeof(*found));

    if (!found)
        return SCA_NOMEM;
    CK_RV rv = find_in(token, &lease, found);
    if (rv != CKR_OK && forward_recover(token, rv))
        rv = find_in(token, &lease, found);
    if (rv != CKR_OK) {
        log_line(LOG_LEVEL_WARNING, "[token %s] its objects cannot be listed: 0x%lx",
                 token->section->config->name, rv);
        return forward_status(rv);
    }
    listing.session = lease.session;
    enum sca_status st = read_all(&listing, found);
    forward_give(token, &lease, true);
    if (st == SCA_OK)
        st = profiles_list("token", token->identity.serial, NUMBER_PROFILE, sink);
    if (st == SCA_OK)
        keep_keys(token, &listing.keys, lease.generation);
    free(listing.keys.items);
    free(listing.numbers);
    return st;
}
