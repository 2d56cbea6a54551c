/* SPDX-License-Identifier: Apache-2.0 */
/* Every section and key there is, as rows: what a key means is decided here and nowhere else. */
#ifndef REMOTE_CONFIG_SCHEMA_H
#define REMOTE_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits, so that a key can say in which sections it may stand. */
enum section_kind {
    SECTION_UNKNOWN = 0,
    SECTION_MODULE = 1,
    SECTION_SMARTCA = 2,
    SECTION_ACCOUNT = 4,
    SECTION_ECONTRACT = 8,
    SECTION_SELFSIGNED = 16,
    SECTION_TOKEN = 32,
};

struct section_rule {
    const char *name;
    enum section_kind kind;
    bool is_named; /* [account NAME] */
};

enum value_kind {
    VALUE_TEXT,   /* char * */
    VALUE_NUMBER, /* unsigned */
    VALUE_CHOICE, /* number of the choice, as an enum of 32 bits */
    VALUE_FLAG,   /* the same, as bool: the second choice is true */
    VALUE_SECRET, /* struct secret_ref */
};

/* Which struct holds the value of a key. */
enum key_target {
    TARGET_NONE, /* checked, but nothing in this version uses it */
    TARGET_MODULE,
    TARGET_SERVICE,
    TARGET_ACCOUNT,
    TARGET_SELFSIGNED,
    TARGET_ECONTRACT,
    TARGET_TOKEN,
};

struct key_rule {
    const char *name;
    unsigned in;          /* set of enum section_kind */
    unsigned required_in; /* likewise */
    enum value_kind kind;
    unsigned scale; /* VALUE_NUMBER: 1000: decimals are allowed */
    unsigned min;   /* VALUE_NUMBER: in units of the stored number */
    unsigned max;
    const char *(*check)(const char *text); /* VALUE_TEXT: see checks.h */
    const char *const *choices;             /* NULL-terminated */
    const char *fallback;                   /* what holds when nobody says it; NULL: nothing */
    size_t offset;
    enum key_target target;
    bool is_vault_unavailable; /* VALUE_SECRET */
    bool drops_slashes;        /* VALUE_TEXT: at the end */
};

enum { SCHEMA_KEYS_MAX = 64 };

/* The rule of "smartca", "account work" ...; ret_name is the rest behind the first word, or "". */
const struct section_rule *schema_find_section(const char *heading, const char **ret_name);
const struct section_rule *schema_section(enum section_kind kind);
const struct key_rule *schema_find_key(enum section_kind kind, const char *name);

/* What somebody may have meant; NULL if nothing is near. */
const char *schema_nearest_section(const char *heading);
const char *schema_nearest_key(enum section_kind kind, const char *name);

/* All keys, at most SCHEMA_KEYS_MAX. */
const struct key_rule *schema_keys(size_t *ret_count);

/* One bit per key. */
uint64_t schema_bit(const struct key_rule *rule);

#endif
