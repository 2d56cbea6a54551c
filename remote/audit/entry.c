/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/audit/entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/base/log.h"

enum {
    DIGEST_SHOWN = 4,
    NUMBER_SIZE = 24,
    OBJECT_MAX = 8 * 1024, /* ten texts in which every character is escaped, and their names */
};

/* An object while it is written: OBJECT_MAX is enough for whatever an entry can hold. */
struct object {
    size_t len;
    char text[OBJECT_MAX];
};

enum sca_status entry_format_time(int64_t seconds, char out[static CHAIN_TIME_SIZE])
{
    time_t now = (time_t)seconds;
    struct tm utc;

    if (!gmtime_r(&now, &utc) || strftime(out, CHAIN_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        return SCA_INVALID;
    return SCA_OK;
}

static void add(struct object *object, const char *text, size_t len)
{
    memcpy(object->text + object->len, text, len);
    object->len += len;
}

static void add_name(struct object *object, const char *name)
{
    add(object, object->len ? ",\"" : "{\"", 2);
    add(object, name, strlen(name));
    add(object, "\":", 2);
}

/* Shows it as text that every JSON reader prints as it is: no control characters, UTF-8 only. */
static void add_tidy(struct object *object, const char *text, size_t len)
{
    bool is_utf8 = utf8_is_valid(span_of(text, len));

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_plain = c >= ' ' && c != 0x7f && (c < 0x80 || is_utf8);
        if (c == '"' || c == '\\')
            object->text[object->len++] = '\\';
        object->text[object->len++] = is_plain ? text[i] : '?';
    }
}

/* identity (NULL: none) is not shown wherever it is in the text. */
static void add_text(struct object *object, const char *name, const char *text,
                     const char *identity)
{
    char hidden[AUDIT_TEXT_MAX + 1];

    if (!text)
        return;
    size_t len = utf8_cut(text, AUDIT_TEXT_MAX);
    if (identity && identity[0] && strstr(text, identity)) {
        memcpy(hidden, text, len);
        hidden[len] = 0;
        for (char *at = hidden; (at = strstr(at, identity)); at += strlen(identity))
            memset(at, '*', strlen(identity));
        text = hidden;
    }
    add_name(object, name);
    add(object, "\"", 1);
    add_tidy(object, text, len);
    add(object, "\"", 1);
}

static void add_number(struct object *object, const char *name, int64_t number)
{
    char digits[NUMBER_SIZE];

    if (number < 0)
        return;
    int len = snprintf(digits, sizeof(digits), "%" PRId64, number);
    add_name(object, name);
    add(object, digits, (size_t)len);
}

/* Order and names of the members: what audit.jsonl looks like. */
enum sca_status entry_write(const struct audit_entry *entry, const char *time, struct buf *out)
{
    char mask[LOG_MASK_SIZE];
    char digest[2 * DIGEST_SHOWN + 1];
    const char *id = entry->user;
    size_t shown = entry->digest.len < DIGEST_SHOWN ? entry->digest.len : DIGEST_SHOWN;
    struct object object;

    object.len = 0;
    hex_encode(span_of(entry->digest.ptr, shown), digest);
    add_text(&object, "time", time, NULL);
    add_text(&object, "user", id ? log_mask(id, mask) : entry->owner, NULL);
    add_text(&object, "account", entry->account, id);
    add_text(&object, "program", entry->program, id);
    add_number(&object, "slot", entry->slot);
    add_text(&object, "serial", entry->serial, id);
    add_text(&object, "mechanism", entry->mechanism, id);
    add_text(&object, "digest", shown ? digest : NULL, NULL);
    add_text(&object, "doc_id", entry->doc_id, id);
    add_text(&object, "transaction", entry->transaction, id);
    add_text(&object, "outcome", entry->outcome, id);
    add_number(&object, "milliseconds", entry->milliseconds);
    add(&object, "}", 1);
    return buf_append(out, span_of(object.text, object.len));
}

static bool is_alike(const struct audit_entry *a, const struct audit_entry *b)
{
    return a->user == b->user && a->owner == b->owner && a->account == b->account &&
           a->program == b->program && a->slot == b->slot && a->serial == b->serial &&
           a->mechanism == b->mechanism && a->doc_id == b->doc_id &&
           a->transaction == b->transaction && a->outcome == b->outcome &&
           a->milliseconds == b->milliseconds && a->digest.len == DIGEST_SHOWN &&
           b->digest.len == DIGEST_SHOWN;
}

/* Where the digits of the digest are, 0 if there are none. */
static size_t find_digest(const struct buf *object)
{
    static const char before[] = ",\"digest\":\""; /* no value can have it: quotes */
    const uint8_t *at = memmem(object->ptr, object->len, before, sizeof(before) - 1);

    return at ? (size_t)(at - object->ptr) + sizeof(before) - 1 : 0;
}

bool entry_rewrite(const struct audit_entry *entry, const char *time,
                   const struct audit_entry *like, struct buf *object, size_t *digest_at)
{
    static const char before_time[] = "{\"time\":\"";
    char digest[2 * DIGEST_SHOWN + 1];

    if (!is_alike(entry, like) || object->len == 0)
        return false;
    if (*digest_at == 0)
        *digest_at = find_digest(object);
    if (*digest_at == 0)
        return false;
    hex_encode(entry->digest, digest);
    memcpy(object->ptr + *digest_at, digest, sizeof(digest) - 1);
    memcpy(object->ptr + sizeof(before_time) - 1, time, CHAIN_TIME_SIZE - 1);
    return true;
}
