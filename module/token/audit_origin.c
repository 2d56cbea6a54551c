/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/audit_origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/token/failure.h"
#include "module/token/snapshot.h"
#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"

bool audit_key_is_same(const struct audit_key *a, const struct audit_key *b)
{
    return a->token == b->token && a->id_len == b->id_len && memcmp(a->id, b->id, a->id_len) == 0;
}

/* CKA_SERIAL_NUMBER is a DER INTEGER: what RFC 5280 allows has a length of one byte. */
static bool take_serial(const struct object *object, void *arg)
{
    enum { TAG_INTEGER = 2, HEADER = 2 };
    struct audit_origin *origin = arg;
    const CK_ATTRIBUTE *serial = object_attribute(object, CKA_SERIAL_NUMBER);
    const uint8_t *der = serial ? serial->pValue : NULL;
    size_t len = serial ? serial->ulValueLen : 0;

    if (len <= HEADER || der[0] != TAG_INTEGER || der[1] != len - HEADER)
        return true;
    der += HEADER;
    len -= HEADER;
    if (len > 1 && der[0] == 0) { /* it is positive */
        der++;
        len--;
    }
    if (2 * len + 1 > sizeof(origin->serial))
        return true;
    hex_encode(span_of(der, len), origin->serial);
    return false;
}

static void find_serial(struct audit_origin *origin)
{
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    struct audit_key *key = &origin->key;
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    const CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)},
                                     {CKA_ID, key->id, key->id_len}};

    if (key->id_len == 0 || key->slot->token != key->token)
        return;
    if (slot_snapshot(key->slot, false, &snapshot) != CKR_OK) {
        (void)failure_take(); /* the call's own note, if it left one, was told by now */
        return;
    }
    (void)snapshot_each(snapshot, template, ARRAY_LEN(template), take_serial, origin);
}

static void find_label(struct audit_origin *origin)
{
    struct token *token = origin->key.token;
    struct token_state state = {.label = ""};
    const char *label = token->identity.label;

    if (token->ops->write && token->ops->state && token->ops->state(token, &state) == SCA_OK)
        label = state.label;
    size_t len = label ? utf8_cut(label, sizeof(origin->label) - 1) : 0;
    if (len > 0)
        memcpy(origin->label, label, len);
    origin->label[len] = 0;
}

const struct audit_origin *audit_origin_find(struct audit_origin **list,
                                             const struct audit_key *key)
{
    for (const struct audit_origin *origin = *list; origin; origin = origin->next)
        if (audit_key_is_same(&origin->key, key))
            return origin;
    struct audit_origin *origin = calloc(1, sizeof(*origin));
    if (!origin)
        return NULL;
    origin->key = *key;
    find_label(origin);
    find_serial(origin);
    origin->next = *list;
    *list = origin;
    return origin;
}

void audit_origin_free_all(struct audit_origin **list)
{
    while (*list) {
        struct audit_origin *next = (*list)->next;
        free(*list);
        *list = next;
    }
}
