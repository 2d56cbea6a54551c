/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates for objects to be made, copied and changed, and the stored form of keys. Input: a byte
 * for what is done and one for the class that is named; then per attribute a byte for its type and
 * one for its value: bytes of the input, a value that is good for something, a number, or nothing.
 * For a certificate, two bytes for its length and its DER come first.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "module/token/blueprint.h"
#include "module/token/object.h"
#include "remote/base/cleanup.h"
#include "tests/fuzz/decoded_key.h"
#include "tests/fuzz/fuzz.h"

enum { ATTRIBUTES_AT_MOST = 40, BYTES_AT_MOST = 64 };

static const CK_ATTRIBUTE_TYPE types[] = {
    CKA_CLASS,
    CKA_TOKEN,
    CKA_PRIVATE,
    CKA_MODIFIABLE,
    CKA_COPYABLE,
    CKA_LABEL,
    CKA_UNIQUE_ID,
    CKA_APPLICATION,
    CKA_VALUE,
    CKA_CERTIFICATE_TYPE,
    CKA_TRUSTED,
    CKA_ISSUER,
    CKA_SERIAL_NUMBER,
    CKA_SUBJECT,
    CKA_ID,
    CKA_START_DATE,
    CKA_PUBLIC_KEY_INFO,
    CKA_KEY_TYPE,
    CKA_DERIVE,
    CKA_ALLOWED_MECHANISMS,
    CKA_SENSITIVE,
    CKA_EXTRACTABLE,
    CKA_SIGN,
    CKA_ALWAYS_AUTHENTICATE,
    CKA_LOCAL,
    CKA_MODULUS,
    CKA_PUBLIC_EXPONENT,
    CKA_MODULUS_BITS,
    CKA_PRIVATE_EXPONENT,
    CKA_PRIME_1,
    CKA_PRIME_2,
    CKA_EXPONENT_1,
    CKA_EXPONENT_2,
    CKA_COEFFICIENT,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    0x8000beefUL,
};

/* Good values: curves, a generator point, a number, an Ed25519 SPKI; no RSA key, which is slow. */
static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static const uint8_t point[] = {
    0x04, 0x41, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6,
    0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
    0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f,
    0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b,
    0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
static const uint8_t one[32] = {[31] = 1};
static const uint8_t spki[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65,
                                 0x70, 0x03, 0x21, 0x00, 0x01, 0x02, 0x03};

static const struct span pool[] = {
    {p256, sizeof(p256)}, {ed25519, sizeof(ed25519)}, {point, sizeof(point)},
    {one, sizeof(one)},   {spki, sizeof(spki)},
};

struct request {
    CK_ATTRIBUTE list[ATTRIBUTES_AT_MOST];
    CK_ULONG numbers[ATTRIBUTES_AT_MOST];
    CK_ULONG count;
};

static struct span take(struct span *rest, size_t len)
{
    struct span taken = span_of(rest->ptr, len < rest->len ? len : rest->len);
    *rest = span_of(rest->ptr + taken.len, rest->len - taken.len);
    return taken;
}

static void add_value(struct request *request, CK_ATTRIBUTE *attribute, uint8_t choice,
                      struct span *rest)
{
    struct span value = {NULL, 0};
    CK_ULONG *number = &request->numbers[request->count];
    uint8_t what = choice >> 2;
    switch (choice & 3) {
    case 0:
        value = take(rest, what % BYTES_AT_MOST);
        break;
    case 1:
        value = pool[what % ARRAY_LEN(pool)];
        break;
    case 2:
        /* A number, or a bool of one byte: 0 to 31 in either form. */
        *number = what & 0x1f;
        value = span_of(number, what & 0x20 ? 1 : sizeof(*number));
        break;
    default:
        attribute->ulValueLen = what & 1 ? CK_UNAVAILABLE_INFORMATION : what / 2;
        return;
    }
    attribute->pValue = (void *)(uintptr_t)value.ptr;
    attribute->ulValueLen = value.len;
}

static void build(struct request *request, struct span *rest)
{
    request->count = 0;
    while (rest->len >= 2 && request->count < ATTRIBUTES_AT_MOST) {
        struct span choice = take(rest, 2);
        CK_ATTRIBUTE *attribute = &request->list[request->count];
        *attribute = (CK_ATTRIBUTE){.type = types[choice.ptr[0] % ARRAY_LEN(types)]};
        add_value(request, attribute, choice.ptr[1], rest);
        request->count++;
    }
}

/* What holds of every object, whatever was asked for. */
static void check(const struct blueprint *blueprint)
{
    const struct attributes *attributes = &blueprint->attributes;
    struct object *object = object_new(attributes->list, attributes->count, blueprint->is_private);
    if (!object || object_bool(object, CKA_TOKEN) != blueprint->is_token ||
        object_bool(object, CKA_PRIVATE) != blueprint->is_private)
        abort();
    bool is_key = object->class == CKO_PRIVATE_KEY;
    if ((is_key && blueprint->is_token && !blueprint->is_private) ||
        object_bool(object, CKA_TRUSTED) || object_bool(object, CKA_DERIVE) ||
        object_bool(object, CKA_ALWAYS_AUTHENTICATE))
        abort();
    for (CK_ULONG i = 0; i < object->count; i++)
        if (key_part_is_secret(object->class, object->attributes[i].type) ||
            (i && object->attributes[i].type == object->attributes[i - 1].type))
            abort();
    object_unref(object);
}

static struct object *original(const uint8_t *form)
{
    static const CK_OBJECT_CLASS classes[] = {CKO_DATA, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY};
    CK_OBJECT_CLASS class = classes[*form % ARRAY_LEN(classes)];
    CK_KEY_TYPE type = CKK_EC;
    CK_BBOOL is_shut = *form & 0x40 ? CK_TRUE : CK_FALSE;
    CK_BBOOL is_open = *form & 0x40 ? CK_FALSE : CK_TRUE;
    CK_BBOOL yes = CK_TRUE;
    const CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof(class)}, {CKA_COPYABLE, &yes, 1},
        {CKA_MODIFIABLE, &yes, 1},          {CKA_KEY_TYPE, &type, sizeof(type)},
        {CKA_SENSITIVE, &is_shut, 1},       {CKA_EXTRACTABLE, &is_open, 1},
    };
    CK_ULONG count = class == CKO_DATA ? 3 : class == CKO_PUBLIC_KEY ? 4 : 6;
    struct object *object = object_new(attributes, count, false);
    if (!object)
        abort();
    return object;
}

static void edit(const struct request *request, uint8_t form, bool is_copy)
{
    AUTO(blueprint_fini) struct blueprint blueprint;
    AUTO(object_unrefp) struct object *object = original(&form);
    blueprint_init(&blueprint);
    CK_RV rv = is_copy ? blueprint_copy(object, request->list, request->count, &blueprint)
                       : blueprint_change(object, request->list, request->count, &blueprint);
    if (rv != CKR_OK)
        return;
    check(&blueprint);
    AUTO(object_unrefp)
    struct object *edited =
        object_new(blueprint.attributes.list, blueprint.attributes.count, false);
    if (!edited || (object_bool(object, CKA_SENSITIVE) && !object_bool(edited, CKA_SENSITIVE)) ||
        (object->class == CKO_PRIVATE_KEY && !object_bool(object, CKA_EXTRACTABLE) &&
         object_bool(edited, CKA_EXTRACTABLE)))
        abort();
}

static void create(const struct request *request)
{
    AUTO(blueprint_fini) struct blueprint blueprint;
    blueprint_init(&blueprint);
    if (blueprint_create(request->list, request->count, &blueprint) == CKR_OK)
        check(&blueprint);
}

static void generate(const struct request *request, uint8_t form)
{
    AUTO(blueprint_fini) struct blueprint public_key;
    AUTO(blueprint_fini) struct blueprint private_key;
    CK_MECHANISM mechanism = {form & 1 ? CKM_EC_KEY_PAIR_GEN : CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL,
                              0};
    CK_ULONG half = request->count / 2;
    blueprint_init(&public_key);
    blueprint_init(&private_key);
    if (blueprint_generate(&mechanism, request->list, half, request->list + half,
                           request->count - half, &public_key, &private_key) != CKR_OK)
        return;
    check(&public_key);
    check(&private_key);
    if (public_key.key || !private_key.key)
        abort();
}

static void require_part(const struct object *object, CK_ATTRIBUTE_TYPE type)
{
    const CK_ATTRIBUTE *part = object_attribute(object, type);
    if (!part || !part->pValue || !part->ulValueLen)
        abort();
}

/* What an accepted certificate says of itself can be read from the object. */
static void certify(struct span rest)
{
    static const CK_ATTRIBUTE_TYPE parts[] = {CKA_SUBJECT, CKA_ISSUER, CKA_SERIAL_NUMBER,
                                              CKA_PUBLIC_KEY_INFO, CKA_ID};
    AUTO(blueprint_fini) struct blueprint blueprint;
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    struct request request;
    struct span head = take(&rest, 2);
    struct span der = take(&rest, head.len == 2 ? (size_t)(head.ptr[0] | head.ptr[1] << 8) : 0);
    blueprint_init(&blueprint);
    build(&request, &rest);
    if (request.count > ATTRIBUTES_AT_MOST - 3)
        return;
    request.list[request.count++] = (CK_ATTRIBUTE){CKA_CLASS, &class, sizeof(class)};
    request.list[request.count++] = (CK_ATTRIBUTE){CKA_CERTIFICATE_TYPE, &type, sizeof(type)};
    request.list[request.count++] = (CK_ATTRIBUTE){CKA_VALUE, (void *)(uintptr_t)der.ptr, der.len};
    if (template_check(request.list, request.count) != CKR_OK ||
        blueprint_create(request.list, request.count, &blueprint) != CKR_OK)
        return;
    check(&blueprint);
    AUTO(object_unrefp)
    struct object *object =
        object_new(blueprint.attributes.list, blueprint.attributes.count, false);
    if (!object)
        abort();
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        require_part(object, parts[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request;
    struct span rest = span_of(data, size);
    if (size < 2)
        return 0;
    struct span head = take(&rest, 2);
    if (head.ptr[0] % 5 == 4) {
        if (head.ptr[1] % 2)
            certify(rest);
        else
            decoded_key(rest);
        return 0;
    }
    build(&request, &rest);
    if (template_check(request.list, request.count) != CKR_OK)
        return 0;
    if (head.ptr[0] % 5 == 0)
        create(&request);
    else if (head.ptr[0] % 5 == 1)
        generate(&request, head.ptr[1]);
    else
        edit(&request, head.ptr[1], head.ptr[0] % 5 == 2);
    return 0;
}
