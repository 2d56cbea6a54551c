/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/json.h"

#include "remote/base/cleanup.h"
#include "remote/base/secret.h"
#include "remote/base/wording.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Doubles hold every integer up to here, and none of its neighbours is rounded to it. */
#define JSON_INTEGER_MAX 9007199254740991.0

/* One pass over the bytes, before anything is allocated for them. */
struct scan {
    struct span bytes;
    size_t at;
    unsigned depth;
    unsigned nodes; /* at least as many as there are values */
};

/* Leaves scan->at on the closing quote. cJSON cuts a string at an escaped NUL, so none may pass. */
static const char *scan_string(struct scan *scan)
{
    const uint8_t *p = scan->bytes.ptr;
    size_t begin = ++scan->at;

    for (; scan->at < scan->bytes.len && p[scan->at] != '"'; scan->at++) {
        if (scan->at - begin >= JSON_STRING_MAX)
            return wording("a string is too long");
        if (p[scan->at] != '\\')
            continue;
        scan->at++;
        if (scan->bytes.len - scan->at >= 5 && memcmp(p + scan->at, "u0000", 5) == 0)
            return wording("a string holds a NUL");
    }
    return scan->at < scan->bytes.len ? NULL : wording("a string does not end");
}

static const char *scan_token(struct scan *scan)
{
    switch (scan->bytes.ptr[scan->at]) {
    case '"':
        return scan_string(scan);
    case '{':
    case '[':
        scan->nodes++;
        return ++scan->depth > JSON_DEPTH_MAX ? wording("nested too deeply") : NULL;
    case '}':
    case ']':
        return scan->depth-- == 0 ? wording("unbalanced brackets") : NULL;
    case ',':
        return ++scan->nodes >= JSON_NODES_MAX ? wording("too many values") : NULL;
    default:
        return NULL;
    }
}

/* NULL when cJSON may have the bytes, else what is wrong with them. */
static const char *scan_limits(struct span bytes, unsigned *ret_nodes)
{
    struct scan scan = {.bytes = bytes};

    if (bytes.len == 0)
        return wording("empty");
    if (memchr(bytes.ptr, 0, bytes.len))
        return wording("a NUL byte");
    if (!utf8_is_valid(bytes))
        return wording("not UTF-8");
    for (; scan.at < bytes.len; scan.at++) {
        const char *why = scan_token(&scan);
        if (why)
            return why;
    }
    *ret_nodes = scan.nodes;
    return NULL;
}

/* As much as cJSON asks for at most: a value, its text and its name for each node. */
static bool has_memory_for(struct span bytes, unsigned nodes)
{
    /* volatile: compilers leave out what is only freed. */
    void *volatile room = malloc(2 * bytes.len + (2 * (size_t)nodes + 2) * sizeof(cJSON));
    bool has_memory = room != NULL;

    free(room);
    return has_memory;
}

/* The NUL is part of the length: cJSON then looks for it right after the value, never past it. */
static cJSON *parse(struct span bytes)
{
    return cJSON_ParseWithLengthOpts((const char *)bytes.ptr, bytes.len + 1, NULL, true);
}

/*
 * Looked for in the tree because escapes can hide that two keys are the same. A member against all
 * later ones is affordable: JSON_MEMBERS_MAX bounds it. Recursion ends at JSON_DEPTH_MAX.
 */
static const char *find_duplicate(const cJSON *parent)
{
    size_t members = 0;

    for (const cJSON *item = parent->child; item; item = item->next) {
        const char *why = NULL;
        if (cJSON_IsObject(parent) && ++members > JSON_MEMBERS_MAX)
            return wording("an object has too many members");
        for (const cJSON *other = item->next; other && item->string; other = other->next)
            if (strcmp(item->string, other->string) == 0)
                return wording("a key is there twice");
        if (item->child && (why = find_duplicate(item)))
            return why;
    }
    return NULL;
}

enum sca_status json_parse(struct span bytes, cJSON **ret_json, const char **why)
{
    AUTO(json_deletep) cJSON *json = NULL;
    unsigned nodes = 0;

    *why = scan_limits(bytes, &nodes);
    if (*why)
        return SCA_PROTOCOL;

    json = parse(bytes);
    if (!json && !has_memory_for(bytes, nodes)) {
        *why = wording("no memory");
        return SCA_NOMEM;
    }
    /* cJSON does not tell what is wrong from what it had no memory for: only what it says with
     * memory at hand is believed. A line of the journal that is skipped is a transaction lost. */
    if (!json)
        json = parse(bytes);
    *why = json ? find_duplicate(json) : wording("not JSON");
    if (*why)
        return SCA_PROTOCOL;

    *ret_json = TAKE(json);
    return SCA_OK;
}

/* References are somebody else's, such as the password in a request that is being built. */
static void wipe_texts(cJSON *first)
{
    for (cJSON *item = first; item; item = item->next) {
        if (item->type & cJSON_IsReference)
            continue;
        if (cJSON_IsString(item) && item->valuestring)
            secret_wipe(item->valuestring, strlen(item->valuestring));
        if (item->child)
            wipe_texts(item->child);
    }
}

void json_deletep(cJSON **json)
{
    wipe_texts(*json);
    cJSON_Delete(*json);
    *json = NULL;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const cJSON *json_object(const cJSON *object, const char *name)
{
    const cJSON *item = member(object, name);
    return cJSON_IsObject(item) ? item : NULL;
}

const cJSON *json_array(const cJSON *object, const char *name)
{
    const cJSON *item = member(object, name);
    return cJSON_IsArray(item) ? item : NULL;
}

const char *json_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(member(object, name));
}

bool json_integer(const cJSON *object, const char *name, long *ret_value)
{
    const cJSON *item = member(object, name);
    if (!cJSON_IsNumber(item))
        return false;

    double value = item->valuedouble;
    if (!(value >= -JSON_INTEGER_MAX && value <= JSON_INTEGER_MAX))
        return false;
    int64_t whole = (int64_t)value;
    if ((double)whole != value || (long)whole != whole)
        return false;
    *ret_value = (long)whole;
    return true;
}
