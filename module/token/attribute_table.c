/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/attribute_table.h"

#include "remote/base/cleanup.h"

enum {
    BIRTH = AT_CREATE | AT_GENERATE,
    PLACE = BIRTH | AT_COPY,
    ALWAYS = BIRTH | AT_COPY | AT_CHANGE,
    MAKER = AT_CREATE,
    NEVER = 0,
    CERT = KIND_CERTIFICATE,
};

/* clang-format off */
static const struct attribute_rule rules[] = {
    {CKA_CLASS,                 FORM_ULONG,  KIND_ANY,     BIRTH,  KIND_ANY, false},
    {CKA_TOKEN,                 FORM_BOOL,   KIND_ANY,     PLACE,  0, false},
    {CKA_PRIVATE,               FORM_BOOL,   KIND_ANY,     PLACE,  0, false},
    {CKA_MODIFIABLE,            FORM_BOOL,   KIND_ANY,     PLACE,  0, false},
    {CKA_COPYABLE,              FORM_BOOL,   KIND_ANY,     ALWAYS, 0, false},
    {CKA_DESTROYABLE,           FORM_BOOL,   KIND_ANY,     PLACE,  0, false},
    {CKA_LABEL,                 FORM_BYTES,  KIND_ANY,     ALWAYS, 0, false},
    {CKA_UNIQUE_ID,             FORM_BYTES,  KIND_ANY,     NEVER,  0, false},

    {CKA_APPLICATION,           FORM_BYTES,  KIND_DATA,    AT_CREATE | AT_COPY | AT_CHANGE, 0, false},
    {CKA_OBJECT_ID,             FORM_BYTES,  KIND_DATA,    AT_CREATE | AT_COPY | AT_CHANGE, 0, false},
    {CKA_VALUE,                 FORM_BYTES,  KIND_DATA,    AT_CREATE | AT_COPY | AT_CHANGE, 0, false},

    {CKA_CERTIFICATE_TYPE,      FORM_ULONG,  CERT,         MAKER,  CERT, false},
    {CKA_TRUSTED,               FORM_BOOL,   CERT | KIND_PUBLIC, BIRTH, 0, false},
    {CKA_CERTIFICATE_CATEGORY,  FORM_ULONG,  CERT,         MAKER,  0, false},
    {CKA_CHECK_VALUE,           FORM_BYTES,  CERT,         MAKER,  0, false},
    {CKA_ISSUER,                FORM_BYTES,  CERT,         ALWAYS, 0, false},
    {CKA_SERIAL_NUMBER,         FORM_BYTES,  CERT,         ALWAYS, 0, false},
    {CKA_VALUE,                 FORM_BYTES,  CERT,         MAKER,  CERT, false},
    {CKA_URL,                   FORM_BYTES,  CERT,         MAKER,  0, false},
    {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, FORM_BYTES, CERT,     MAKER,  0, false},
    {CKA_HASH_OF_ISSUER_PUBLIC_KEY,  FORM_BYTES, CERT,     MAKER,  0, false},
    {CKA_JAVA_MIDP_SECURITY_DOMAIN,  FORM_ULONG, CERT,     MAKER,  0, false},
    {CKA_NAME_HASH_ALGORITHM,   FORM_ULONG,  CERT,         MAKER,  0, false},

    {CKA_SUBJECT,               FORM_BYTES,  CERT,         MAKER,  0, false},
    {CKA_SUBJECT,               FORM_BYTES,  KIND_KEY,     ALWAYS, 0, false},
    {CKA_ID,                    FORM_BYTES,  CERT | KIND_KEY, ALWAYS, 0, false},
    {CKA_START_DATE,            FORM_DATE,   CERT,         MAKER,  0, false},
    {CKA_START_DATE,            FORM_DATE,   KIND_KEY,     ALWAYS, 0, false},
    {CKA_END_DATE,              FORM_DATE,   CERT,         MAKER,  0, false},
    {CKA_END_DATE,              FORM_DATE,   KIND_KEY,     ALWAYS, 0, false},
    {CKA_PUBLIC_KEY_INFO,       FORM_BYTES,  CERT | KIND_KEY, MAKER, 0, false},

    {CKA_KEY_TYPE,              FORM_ULONG,  KIND_KEY,     BIRTH,  KIND_KEY, false},
    {CKA_DERIVE,                FORM_BOOL,   KIND_KEY,     ALWAYS, 0, false},
    {CKA_LOCAL,                 FORM_BOOL,   KIND_KEY,     NEVER,  0, false},
    {CKA_KEY_GEN_MECHANISM,     FORM_ULONG,  KIND_KEY,     NEVER,  0, false},
    {CKA_ALLOWED_MECHANISMS,    FORM_ULONGS, KIND_KEY,     BIRTH,  0, false},

    {CKA_ENCRYPT,               FORM_BOOL,   KIND_PUBLIC,  ALWAYS, 0, false},
    {CKA_VERIFY,                FORM_BOOL,   KIND_PUBLIC,  ALWAYS, 0, false},
    {CKA_VERIFY_RECOVER,        FORM_BOOL,   KIND_PUBLIC,  ALWAYS, 0, false},
    {CKA_WRAP,                  FORM_BOOL,   KIND_PUBLIC,  ALWAYS, 0, false},

    {CKA_SENSITIVE,             FORM_BOOL,   KIND_PRIVATE, ALWAYS, 0, false},
    {CKA_EXTRACTABLE,           FORM_BOOL,   KIND_PRIVATE, ALWAYS, 0, false},
    {CKA_DECRYPT,               FORM_BOOL,   KIND_PRIVATE, ALWAYS, 0, false},
    {CKA_SIGN,                  FORM_BOOL,   KIND_PRIVATE, ALWAYS, 0, false},
    {CKA_SIGN_RECOVER,          FORM_BOOL,   KIND_PRIVATE, ALWAYS, 0, false},
    {CKA_UNWRAP,                FORM_BOOL,   KIND_PRIVATE, ALWAYS, 0, false},
    {CKA_WRAP_WITH_TRUSTED,     FORM_BOOL,   KIND_PRIVATE, ALWAYS, 0, false},
    {CKA_ALWAYS_AUTHENTICATE,   FORM_BOOL,   KIND_PRIVATE, BIRTH,  0, false},
    {CKA_ALWAYS_SENSITIVE,      FORM_BOOL,   KIND_PRIVATE, NEVER,  0, false},
    {CKA_NEVER_EXTRACTABLE,     FORM_BOOL,   KIND_PRIVATE, NEVER,  0, false},

    {CKA_MODULUS,               FORM_BYTES,  KIND_RSA,     MAKER,  KIND_RSA, false},
    {CKA_PUBLIC_EXPONENT,       FORM_BYTES,  KIND_RSA,     BIRTH,  KIND_RSA, false},
    {CKA_MODULUS_BITS,          FORM_ULONG,  KIND_PUBLIC_RSA, AT_GENERATE, 0, false},
    {CKA_PRIVATE_EXPONENT,      FORM_BYTES,  KIND_PRIVATE_RSA, MAKER, KIND_PRIVATE_RSA, true},
    {CKA_PRIME_1,               FORM_BYTES,  KIND_PRIVATE_RSA, MAKER, KIND_PRIVATE_RSA, true},
    {CKA_PRIME_2,               FORM_BYTES,  KIND_PRIVATE_RSA, MAKER, KIND_PRIVATE_RSA, true},
    {CKA_EXPONENT_1,            FORM_BYTES,  KIND_PRIVATE_RSA, MAKER, KIND_PRIVATE_RSA, true},
    {CKA_EXPONENT_2,            FORM_BYTES,  KIND_PRIVATE_RSA, MAKER, KIND_PRIVATE_RSA, true},
    {CKA_COEFFICIENT,           FORM_BYTES,  KIND_PRIVATE_RSA, MAKER, KIND_PRIVATE_RSA, true},

    {CKA_EC_PARAMS,             FORM_BYTES,  KIND_CURVE,   BIRTH,  KIND_CURVE, false},
    {CKA_EC_POINT,              FORM_BYTES,  KIND_CURVE,   MAKER,  KIND_PUBLIC_EC | KIND_PUBLIC_ED, false},
    {CKA_VALUE,                 FORM_BYTES,  KIND_PRIVATE_EC | KIND_PRIVATE_ED, MAKER,
                                             KIND_PRIVATE_EC | KIND_PRIVATE_ED, true},
};
/* clang-format on */

const struct attribute_rule *attribute_rule_find(CK_ATTRIBUTE_TYPE type, unsigned kinds)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i].type == type && (rules[i].kinds & kinds))
            return &rules[i];
    return NULL;
}

const struct attribute_rule *attribute_rule_at(size_t index)
{
    return index < ARRAY_LEN(rules) ? &rules[index] : NULL;
}

bool attribute_rule_fits(const struct attribute_rule *rule, const CK_ATTRIBUTE *attribute)
{
    CK_ULONG len = attribute->ulValueLen;
    switch (rule->form) {
    case FORM_BOOL:
        return len == sizeof(CK_BBOOL) && *(const CK_BBOOL *)attribute->pValue <= CK_TRUE;
    case FORM_ULONG:
        return len == sizeof(CK_ULONG);
    case FORM_DATE:
        return len == 0 || len == sizeof(CK_DATE);
    case FORM_ULONGS:
        return len % sizeof(CK_ULONG) == 0;
    case FORM_BYTES:
    default:
        return true;
    }
}

bool attribute_is_unused(CK_ATTRIBUTE_TYPE type)
{
    return type == CKA_DECRYPT || type == CKA_UNWRAP || type == CKA_DERIVE || type == CKA_ENCRYPT ||
           type == CKA_WRAP;
}
