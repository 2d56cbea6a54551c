/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What PKCS#11 says of each attribute, one row each: its form, which objects have it, who sets it
 * and when (2.40 section 4 and the footnotes of its tables; 3.0 section 4).
 */
#ifndef MODULE_TOKEN_ATTRIBUTE_TABLE_H
#define MODULE_TOKEN_ATTRIBUTE_TABLE_H

#include <stdbool.h>

#include "module/cryptoki.h"

/* Kinds of objects, as bits. */
enum object_kind {
    KIND_DATA = 1,
    KIND_CERTIFICATE = 2,
    KIND_PUBLIC_RSA = 4,
    KIND_PUBLIC_EC = 8,
    KIND_PUBLIC_ED = 16,
    KIND_PRIVATE_RSA = 32,
    KIND_PRIVATE_EC = 64,
    KIND_PRIVATE_ED = 128,

    KIND_PUBLIC = KIND_PUBLIC_RSA | KIND_PUBLIC_EC | KIND_PUBLIC_ED,
    KIND_PRIVATE = KIND_PRIVATE_RSA | KIND_PRIVATE_EC | KIND_PRIVATE_ED,
    KIND_RSA = KIND_PUBLIC_RSA | KIND_PRIVATE_RSA,
    KIND_CURVE = KIND_PUBLIC_EC | KIND_PUBLIC_ED | KIND_PRIVATE_EC | KIND_PRIVATE_ED,
    KIND_KEY = KIND_PUBLIC | KIND_PRIVATE,
    KIND_ANY = KIND_DATA | KIND_CERTIFICATE | KIND_KEY,
};

enum attribute_form {
    FORM_BOOL,
    FORM_ULONG,
    FORM_DATE, /* CK_DATE, or nothing */
    FORM_BYTES,
    FORM_ULONGS, /* a list of CK_ULONG */
};

/* When an application may give it, as bits. */
enum attribute_moment {
    AT_CREATE = 1,
    AT_GENERATE = 2,
    AT_COPY = 4,
    AT_CHANGE = 8,
};

struct attribute_rule {
    CK_ATTRIBUTE_TYPE type;
    enum attribute_form form;
    unsigned kinds;   /* set of enum object_kind */
    unsigned moments; /* set of enum attribute_moment; none: the module decides */
    unsigned needed;  /* kinds that cannot be created without it */
    bool is_secret;   /* part of a private key: never among the attributes */
};

/* The row, NULL for an attribute that none of these objects has. */
const struct attribute_rule *attribute_rule_find(CK_ATTRIBUTE_TYPE type, unsigned kinds);

/* The rows in their order, NULL at the end. */
const struct attribute_rule *attribute_rule_at(size_t index);

/* Has the value the form? */
bool attribute_rule_fits(const struct attribute_rule *rule, const CK_ATTRIBUTE *attribute);

/* Usages that a key of this sign-only token never has, whatever a template asks for. */
bool attribute_is_unused(CK_ATTRIBUTE_TYPE type);

#endif
