/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/body.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/catalogue/image.h"

/* der first: the others are looked for in it. */
static const size_t certificate_spans[] = {
    offsetof(struct certificate, der),         offsetof(struct certificate, subject),
    offsetof(struct certificate, issuer),      offsetof(struct certificate, serial),
    offsetof(struct certificate, spki),        offsetof(struct certificate, id),
    offsetof(struct certificate, modulus),     offsetof(struct certificate, exponent),
    offsetof(struct certificate, common_name),
};

enum { SPANS = ARRAY_LEN(certificate_spans) };

struct place {
    uint32_t offset;
    uint32_t len;
};

static enum sca_status put(struct buf *bytes, const void *ptr, size_t len)
{
    enum sca_status st = buf_append(bytes, span_of(ptr, len));
    return st == SCA_PROTOCOL ? SCA_INVALID : st;
}

static enum sca_status put_u32(struct buf *bytes, uint32_t number)
{
    return put(bytes, &number, sizeof(number));
}

static enum sca_status put_text(struct buf *bytes, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (len > IMAGE_BODY_MAX)
        return SCA_INVALID;
    enum sca_status st = put_u32(bytes, (uint32_t)len);
    return st == SCA_OK ? put(bytes, text ? text : "", len + 1) : st;
}

/* Where in blob the bytes are, appended to it if they are not there yet. */
static enum sca_status place_in(struct buf *blob, struct span bytes, struct place *ret_place)
{
    *ret_place = (struct place){0};
    if (bytes.len == 0)
        return SCA_OK;
    const uint8_t *found = blob->len ? memmem(blob->ptr, blob->len, bytes.ptr, bytes.len) : NULL;
    *ret_place = (struct place){
        .offset = (uint32_t)(found ? (size_t)(found - blob->ptr) : blob->len),
        .len = (uint32_t)bytes.len,
    };
    return found ? SCA_OK : put(blob, bytes.ptr, bytes.len);
}

static const struct span *span_in(const struct certificate *certificate, size_t i)
{
    return (const struct span *)(const void *)((const char *)certificate + certificate_spans[i]);
}

enum sca_status body_put_certificate(struct buf *bytes, const struct certificate *certificate)
{
    AUTO(buf_fini) struct buf blob;
    struct place places[SPANS];
    const int64_t times[] = {certificate->not_before, certificate->not_after};

    buf_init(&blob, IMAGE_BODY_MAX, false);
    enum sca_status st = SCA_OK;
    for (size_t i = 0; st == SCA_OK && i < SPANS; i++)
        st = place_in(&blob, *span_in(certificate, i), &places[i]);
    if (st == SCA_OK)
        st = put(bytes, times, sizeof(times));
    if (st == SCA_OK)
        st = put(bytes, places, sizeof(places));
    if (st == SCA_OK)
        st = put_u32(bytes, (uint32_t)blob.len);
    return st == SCA_OK ? put(bytes, blob.ptr, blob.len) : st;
}

static bool is_text(const char *text, size_t max)
{
    return !text || (strlen(text) <= max && utf8_is_valid(span_text(text)));
}

bool body_view_is_valid(const struct catalogue_view *view)
{
    return is_text(view->display_name, CATALOGUE_NAME_MAX) &&
           is_text(view->signature_text, CATALOGUE_TEXT_MAX) &&
           view->display_mode <= DISPLAY_IMAGE && view->signature_image.len <= CATALOGUE_IMAGE_MAX;
}

static enum sca_status put_view(struct buf *bytes, const struct catalogue_view *view)
{
    const uint32_t numbers[] = {view->is_default, view->has_appearance, view->display_mode,
                                (uint32_t)view->signature_image.len};

    if (!body_view_is_valid(view))
        return SCA_INVALID;
    enum sca_status st = put_text(bytes, view->display_name);
    if (st == SCA_OK)
        st = put_text(bytes, view->signature_text);
    if (st == SCA_OK)
        st = put(bytes, numbers, sizeof(numbers));
    return st == SCA_OK ? put(bytes, view->signature_image.ptr, view->signature_image.len) : st;
}

enum sca_status body_put_entry(struct buf *bytes, const struct catalogue_entry *entry,
                               const uint32_t shared[static CATALOGUE_CHAIN_MAX])
{
    const uint32_t numbers[] = {entry->has_certificate, entry->state, (uint32_t)entry->chain_len};
    const char *const texts[] = {entry->url, entry->user_id, entry->service_serial,
                                 entry->service_status};

    if (entry->chain_len > CATALOGUE_CHAIN_MAX)
        return SCA_INVALID;
    enum sca_status st = put(bytes, &entry->fetched_at, sizeof(entry->fetched_at));
    if (st == SCA_OK)
        st = put(bytes, numbers, sizeof(numbers));
    if (st == SCA_OK)
        st = put(bytes, shared, entry->chain_len * sizeof(*shared));
    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(texts); i++)
        st = put_text(bytes, texts[i]);
    if (st == SCA_OK)
        st = put_view(bytes, &entry->view);
    return st == SCA_OK && entry->has_certificate ? body_put_certificate(bytes, &entry->leaf) : st;
}

/* What is left to read. Reading past the end gives zeros and is remembered. */
struct cursor {
    struct span left;
    bool is_bad;
};

static struct span take(struct cursor *cursor, size_t len)
{
    if (cursor->is_bad || cursor->left.len < len) {
        cursor->is_bad = true;
        return span_of(NULL, 0);
    }
    struct span taken = span_of(cursor->left.ptr, len);
    cursor->left = span_of(cursor->left.ptr + len, cursor->left.len - len);
    return taken;
}

static void take_into(struct cursor *cursor, void *out, size_t len)
{
    struct span taken = take(cursor, len);
    memset(out, 0, len);
    if (taken.len)
        memcpy(out, taken.ptr, taken.len);
}

static uint32_t take_u32(struct cursor *cursor)
{
    uint32_t number = 0;
    take_into(cursor, &number, sizeof(number));
    return number;
}

static const char *take_text(struct cursor *cursor)
{
    size_t len = take_u32(cursor);
    struct span taken = take(cursor, len + 1);
    if (taken.len == 0 || memchr(taken.ptr, 0, taken.len) != taken.ptr + len) {
        cursor->is_bad = true;
        return "";
    }
    return (const char *)taken.ptr;
}

static void take_certificate(struct cursor *cursor, struct certificate *certificate)
{
    int64_t times[2];
    struct place places[SPANS];

    take_into(cursor, times, sizeof(times));
    take_into(cursor, places, sizeof(places));
    struct span blob = take(cursor, take_u32(cursor));
    certificate->not_before = times[0];
    certificate->not_after = times[1];
    for (size_t i = 0; i < SPANS; i++) {
        struct span *span = (struct span *)(void *)((char *)certificate + certificate_spans[i]);
        bool is_inside =
            places[i].offset <= blob.len && places[i].len <= blob.len - places[i].offset;
        cursor->is_bad |= !is_inside;
        *span = is_inside && places[i].len ? span_of(blob.ptr + places[i].offset, places[i].len)
                                           : span_of(NULL, 0);
    }
}

static void take_view(struct cursor *cursor, struct catalogue_view *view)
{
    uint32_t numbers[4]; /* is_default, has_appearance, display_mode, length of the image */

    view->display_name = take_text(cursor);
    view->signature_text = take_text(cursor);
    take_into(cursor, numbers, sizeof(numbers));
    view->signature_image = take(cursor, numbers[3]);
    view->is_default = numbers[0];
    view->has_appearance = numbers[1];
    cursor->is_bad |= numbers[0] > 1 || numbers[1] > 1 || numbers[2] > DISPLAY_IMAGE;
    if (cursor->is_bad)
        return;
    view->display_mode = (enum display_mode)numbers[2];
    cursor->is_bad = !body_view_is_valid(view);
}

static enum sca_status finish(const struct cursor *cursor)
{
    return cursor->is_bad || cursor->left.len ? SCA_INVALID : SCA_OK;
}

enum sca_status body_get_certificate(struct span body, struct certificate *ret_certificate)
{
    struct cursor cursor = {.left = body};
    struct certificate certificate = {0};

    take_certificate(&cursor, &certificate);
    enum sca_status st = finish(&cursor);
    if (st == SCA_OK)
        *ret_certificate = certificate;
    return st;
}

static enum sca_status get_entry(struct span body, bool has_view, struct catalogue_entry *ret_entry,
                                 uint32_t ret_shared[static CATALOGUE_CHAIN_MAX])
{
    struct cursor cursor = {.left = body};
    struct catalogue_entry entry = {.view = {.display_name = "", .signature_text = ""}};
    uint32_t numbers[3]; /* has_certificate, state, chain_len */

    take_into(&cursor, &entry.fetched_at, sizeof(entry.fetched_at));
    take_into(&cursor, numbers, sizeof(numbers));
    if (numbers[0] > 1 || numbers[1] > CERTIFICATE_UNUSABLE || numbers[2] > CATALOGUE_CHAIN_MAX)
        return SCA_INVALID;
    entry.has_certificate = numbers[0];
    entry.state = (enum certificate_state)numbers[1];
    entry.chain_len = numbers[2];
    take_into(&cursor, ret_shared, entry.chain_len * sizeof(*ret_shared));
    entry.url = take_text(&cursor);
    entry.user_id = take_text(&cursor);
    entry.service_serial = take_text(&cursor);
    entry.service_status = take_text(&cursor);
    if (has_view)
        take_view(&cursor, &entry.view);
    if (entry.has_certificate)
        take_certificate(&cursor, &entry.leaf);
    enum sca_status st = finish(&cursor);
    if (st == SCA_OK)
        *ret_entry = entry;
    return st;
}

enum sca_status body_get_entry(struct span body, struct catalogue_entry *ret_entry,
                               uint32_t ret_shared[static CATALOGUE_CHAIN_MAX])
{
    return get_entry(body, true, ret_entry, ret_shared);
}

enum sca_status body_get_plain_entry(struct span body, struct catalogue_entry *ret_entry,
                                     uint32_t ret_shared[static CATALOGUE_CHAIN_MAX])
{
    return get_entry(body, false, ret_entry, ret_shared);
}
