/* SPDX-License-Identifier: Apache-2.0 */
/* Whose signatures they were: what the audit log says of a token and its certificate. */
#ifndef MODULE_TOKEN_AUDIT_ORIGIN_H
#define MODULE_TOKEN_AUDIT_ORIGIN_H

#include "module/token/slot.h"

enum {
    AUDIT_KEY_ID_MAX = 32,      /* bytes of CKA_ID; a longer one finds no certificate */
    AUDIT_SERIAL_SIZE = 2 * 32, /* RFC 5280 4.1.2.2: at most 20 bytes */
};

/* Which key it was. */
struct audit_key {
    struct slot *slot;
    struct token *token; /* the slot's then */
    uint8_t id[AUDIT_KEY_ID_MAX];
    uint8_t id_len; /* 0: without */
};

bool audit_key_is_same(const struct audit_key *a, const struct audit_key *b);

struct audit_origin {
    struct audit_origin *next; /* NULL at the end of a list */
    struct audit_key key;
    char label[33];                 /* UTF-8 */
    char serial[AUDIT_SERIAL_SIZE]; /* of the certificate, lower-case hex; "": there is none */
};

/* The one of that key in the list, or a new one, put in front. NULL without memory. */
const struct audit_origin *audit_origin_find(struct audit_origin **list,
                                             const struct audit_key *key);
void audit_origin_free_all(struct audit_origin **list);

#endif
