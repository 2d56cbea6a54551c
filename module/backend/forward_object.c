/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "module/backend/forward.h"
#include "remote/base/cleanup.h"

enum { VALUES_MAX = 256 * 1024, ALIGN = sizeof(CK_ULONG) };

enum form {
    FORM_BYTES,
    FORM_BOOL,
    FORM_NUMBER,
    FORM_NUMBERS,
    FORM_DATE, /* or empty */
};

enum { CERTIFICATE = 1, PUBLIC = 2, PRIVATE = 4, KEYS = PUBLIC | PRIVATE, ANY = 7 };

/* What is read of an object, and what makes it the one it is. Never a secret part. */
static const struct row {
    CK_ATTRIBUTE_TYPE type;
    unsigned of;
    enum form form;
    bool is_identity;
} rows[] = {
    {CKA_LABEL, ANY, FORM_BYTES, false},
    {CKA_ID, ANY, FORM_BYTES, true},
    {CKA_SUBJECT, ANY, FORM_BYTES, false},
    {CKA_START_DATE, ANY, FORM_DATE, false},
    {CKA_END_DATE, ANY, FORM_DATE, false},
    {CKA_PUBLIC_KEY_INFO, ANY, FORM_BYTES, false},
    {CKA_TRUSTED, CERTIFICATE | PUBLIC, FORM_BOOL, false},
    {CKA_VALUE, CERTIFICATE, FORM_BYTES, true},
    {CKA_CERTIFICATE_TYPE, CERTIFICATE, FORM_NUMBER, true},
    {CKA_CERTIFICATE_CATEGORY, CERTIFICATE, FORM_NUMBER, false},
    {CKA_ISSUER, CERTIFICATE, FORM_BYTES, false},
    {CKA_SERIAL_NUMBER, CERTIFICATE, FORM_BYTES, false},
    {CKA_URL, CERTIFICATE, FORM_BYTES, false},
    {CKA_KEY_TYPE, KEYS, FORM_NUMBER, true},
    {CKA_MODULUS, KEYS, FORM_BYTES, true},
    {CKA_PUBLIC_EXPONENT, KEYS, FORM_BYTES, true},
    {CKA_EC_PARAMS, KEYS, FORM_BYTES, true},
    {CKA_LOCAL, KEYS, FORM_BOOL, false},
    {CKA_KEY_GEN_MECHANISM, KEYS, FORM_NUMBER, false},
    {CKA_EC_POINT, PUBLIC, FORM_BYTES, true},
    {CKA_MODULUS_BITS, PUBLIC, FORM_NUMBER, false},
    {CKA_VERIFY, PUBLIC, FORM_BOOL, false},
    {CKA_SIGN, PRIVATE, FORM_BOOL, false},
    {CKA_SENSITIVE, PRIVATE, FORM_BOOL, false},
    {CKA_EXTRACTABLE, PRIVATE, FORM_BOOL, false},
    {CKA_ALWAYS_SENSITIVE, PRIVATE, FORM_BOOL, false},
    {CKA_NEVER_EXTRACTABLE, PRIVATE, FORM_BOOL, false},
    {CKA_WRAP_WITH_TRUSTED, PRIVATE, FORM_BOOL, false},
    {CKA_ALWAYS_AUTHENTICATE, PRIVATE, FORM_BOOL, false},
    {CKA_ALLOWED_MECHANISMS, PRIVATE, FORM_NUMBERS, false},
    {CKA_PRIVATE, ANY, FORM_BOOL, false}, /* goes with the attributes of storage */
};

/* What the token may do with the key, but not through us. */
static const struct {
    CK_ATTRIBUTE_TYPE type;
    unsigned of;
} not_here[] = {
    {CKA_DERIVE, KEYS},           {CKA_DECRYPT, PRIVATE}, {CKA_UNWRAP, PRIVATE},
    {CKA_SIGN_RECOVER, PRIVATE},  {CKA_ENCRYPT, PUBLIC},  {CKA_WRAP, PUBLIC},
    {CKA_VERIFY_RECOVER, PUBLIC},
};

static unsigned bit_of(CK_OBJECT_CLASS class)
{
    if (class == CKO_CERTIFICATE)
        return CERTIFICATE;
    return class == CKO_PUBLIC_KEY ? PUBLIC : PRIVATE;
}

static bool is_form(enum form form, CK_ULONG len)
{
    switch (form) {
    case FORM_BOOL:
        return len == sizeof(CK_BBOOL);
    case FORM_NUMBER:
        return len == sizeof(CK_ULONG);
    case FORM_NUMBERS:
        return len % sizeof(CK_ULONG) == 0;
    case FORM_DATE:
        return len == 0 || len == sizeof(CK_DATE);
    case FORM_BYTES:
    default:
        return true;
    }
}

/* Codes that still leave every other attribute answered (2.40 section 5.7). */
static bool is_partial(CK_RV rv)
{
    return rv == CKR_OK || rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE;
}

/* The template for the values, in memory of the object's; what has no value that can be had gets a
 * length of nothing and no memory. */
static CK_RV make_room(struct forward_object *object, CK_ATTRIBUTE *template, size_t count)
{
    static const uint8_t blank[64];
    size_t need = 0;

    for (size_t i = 0; i < count; i++) {
        if (template[i].ulValueLen > VALUES_MAX) /* nothing, or absurd */
            template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
        else
            need += (template[i].ulValueLen + ALIGN - 1) / ALIGN * ALIGN;
    }
    if (need > VALUES_MAX)
        return CKR_DEVICE_ERROR;
    while (object->values.len < need) {
        size_t part =
            need - object->values.len < sizeof(blank) ? need - object->values.len : sizeof(blank);
        if (buf_append(&object->values, span_of(blank, part)) != SCA_OK)
            return CKR_HOST_MEMORY;
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (template[i].ulValueLen == CK_UNAVAILABLE_INFORMATION)
            continue;
        template[i].pValue = template[i].ulValueLen ? object->values.ptr + at : NULL;
        at += (template[i].ulValueLen + ALIGN - 1) / ALIGN * ALIGN;
    }
    return CKR_OK;
}

/* Takes out what has no value, so that the second question is about what has. */
static size_t keep_answered(CK_ATTRIBUTE *template, const struct row **asked, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (template[i].ulValueLen == CK_UNAVAILABLE_INFORMATION)
            continue;
        template[kept] = template[i];
        asked[kept++] = asked[i];
    }
    return kept;
}

static void take_value(struct forward_object *object, const struct row *row,
                       const CK_ATTRIBUTE *value)
{
    bool is_true = row->form == FORM_BOOL && *(const CK_BBOOL *)value->pValue != CK_FALSE;

    if (row->type == CKA_PRIVATE) {
        object->is_private = is_true;
        return;
    }
    if (row->type == CKA_ALWAYS_AUTHENTICATE)
        object->wants_login_each_time = is_true;
    if (row->is_identity) {
        object->hash = forward_sum(object->hash, &row->type, sizeof(row->type));
        object->hash = forward_sum(object->hash, value->pValue, value->ulValueLen);
    }
    attributes_add(&object->attributes, row->type, span_of(value->pValue, value->ulValueLen));
}

void forward_object_fini(struct forward_object *object)
{
    buf_fini(&object->values);
}

CK_RV forward_object_read(const struct inner *inner, CK_SESSION_HANDLE session,
                          CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS class,
                          struct forward_object *object)
{
    const struct row *asked[ARRAY_LEN(rows)];
    CK_ATTRIBUTE template[ARRAY_LEN(rows)];
    CK_ULONG room[ARRAY_LEN(rows)];
    size_t count = 0;

    object->class = class;
    object->is_private = class == CKO_PRIVATE_KEY;
    object->wants_login_each_time = false;
    object->attributes.count = 0;
    object->attributes.date_count = 0;
    object->hash = forward_sum(FORWARD_SUM_START, &class, sizeof(class));
    buf_init(&object->values, VALUES_MAX, false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!(rows[i].of & bit_of(class)))
            continue;
        asked[count] = &rows[i];
        template[count++] =
            (CK_ATTRIBUTE){.type = rows[i].type, .ulValueLen = CK_UNAVAILABLE_INFORMATION};
    }
    CK_RV rv = inner->GetAttributeValue(session, handle, template, count);
    if (!is_partial(rv))
        return rv;
    rv = make_room(object, template, count);
    if (rv != CKR_OK)
        return rv;
    count = keep_answered(template, asked, count);
    for (size_t i = 0; i < count; i++)
        room[i] = template[i].ulValueLen;
    rv = inner->GetAttributeValue(session, handle, template, count);
    if (!is_partial(rv))
        return rv;
    for (size_t i = 0; i < count; i++)
        if (template[i].ulValueLen <= room[i] && is_form(asked[i]->form, template[i].ulValueLen) &&
            (template[i].pValue || !template[i].ulValueLen))
            take_value(object, asked[i], &template[i]);
    for (size_t i = 0; i < ARRAY_LEN(not_here); i++)
        if (not_here[i].of & bit_of(class))
            attributes_add_bool(&object->attributes, not_here[i].type, false);
    attributes_add_storage(&object->attributes, class, object->is_private);
    return CKR_OK;
}
