/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/token_private.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/cli/x509_read.h"

enum { NUMBERS_MAX = 8, NUMBER_SIZE = 1024, POINT_SIZE = 256 };

/* Numbers of a key: attribute and OpenSSL's name. The first two are the public ones. */
struct number {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
};

static const struct number rsa[NUMBERS_MAX] = {
    {CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
    {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
    {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
    {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
    {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
    {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};
static const struct number curve[] = {{CKA_VALUE, OSSL_PKEY_PARAM_PRIV_KEY}};

/* What is pushed has to live until the parameters are made. */
struct builder {
    OSSL_PARAM_BLD *build;
    BIGNUM *numbers[NUMBERS_MAX];
    size_t count;
};

static void builder_fini(struct builder *builder)
{
    for (size_t i = 0; i < builder->count; i++)
        BN_clear_free(builder->numbers[i]);
    OSSL_PARAM_BLD_free(builder->build);
}

static bool push_numbers(struct token *token, CK_OBJECT_HANDLE object, const struct number *numbers,
                         size_t count, struct builder *builder)
{
    for (size_t i = 0; i < count; i++) {
        AUTO(buf_fini) struct buf value;
        if (!token_read(token, object, numbers[i].type, &value) || value.len == 0)
            return false;
        BIGNUM *number = BN_secure_new();
        builder->numbers[builder->count++] = number;
        if (!number || !BN_bin2bn(value.ptr, (int)value.len, number) ||
            OSSL_PARAM_BLD_push_BN(builder->build, numbers[i].name, number) != 1)
            return false;
    }
    return true;
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = crypto_key_ctx(type);
    EVP_PKEY *key = NULL;

    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *read_edwards(struct token *token, CK_OBJECT_HANDLE object, const char *type)
{
    AUTO(buf_fini) struct buf value;

    if (!token_read(token, object, CKA_VALUE, &value))
        return NULL;
    return EVP_PKEY_new_raw_private_key_ex(crypto_libctx(), type, NULL, value.ptr, value.len);
}

static EVP_PKEY *read_key(struct token *token, const struct token_pair *pair)
{
    AUTO(builder_fini) struct builder builder = {.build = OSSL_PARAM_BLD_new()};
    unsigned char point[POINT_SIZE];
    size_t point_len = 0;

    if (!builder.build)
        return NULL;
    if (pair->spec->type == CKK_EC_EDWARDS)
        return read_edwards(token, pair->private_key, pair->spec->group);
    if (pair->spec->type == CKK_RSA)
        return push_numbers(token, pair->private_key, rsa, ARRAY_LEN(rsa), &builder)
                   ? make_key("RSA", builder.build)
                   : NULL;
    if (EVP_PKEY_get_octet_string_param(pair->key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
                                        &point_len) != 1 ||
        OSSL_PARAM_BLD_push_utf8_string(builder.build, OSSL_PKEY_PARAM_GROUP_NAME,
                                        pair->spec->group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         point_len) != 1 ||
        !push_numbers(token, pair->private_key, curve, ARRAY_LEN(curve), &builder))
        return NULL;
    return make_key("EC", builder.build);
}

bool token_private_read(struct token *token, const struct token_pair *pair, EVP_PKEY **ret_key,
                        struct trouble *trouble)
{
    EVP_PKEY *key = read_key(token, pair);

    if (key && EVP_PKEY_eq(key, pair->key) == 1) {
        *ret_key = key;
        return true;
    }
    EVP_PKEY_free(key);
    return trouble_say(trouble, "not_permitted",
                       _("keys made or imported with --exportable can be exported"), "%s",
                       _("the private key does not leave its token"));
}

/* Attributes while they are gathered; the values live in room, which is wiped. */
struct gathering {
    CK_ATTRIBUTE attributes[24];
    CK_ULONG count;
    uint8_t room[NUMBERS_MAX * NUMBER_SIZE];
    size_t used;
};

static void gathering_fini(struct gathering *gathering)
{
    secret_wipe(gathering->room, sizeof(gathering->room));
}

static bool gather(struct gathering *gathering, CK_ATTRIBUTE_TYPE type, const void *value,
                   size_t len)
{
    if (gathering->count == ARRAY_LEN(gathering->attributes) ||
        len > sizeof(gathering->room) - gathering->used)
        return false;
    uint8_t *at = gathering->room + gathering->used;
    memcpy(at, value, len);
    gathering->used += len;
    gathering->attributes[gathering->count++] = (CK_ATTRIBUTE){type, at, len};
    return true;
}

static bool gather_flag(struct gathering *gathering, CK_ATTRIBUTE_TYPE type, bool flag)
{
    CK_BBOOL value = flag ? CK_TRUE : CK_FALSE;
    return gather(gathering, type, &value, sizeof(value));
}

/* len 0: as long as it is. */
static bool gather_number(struct gathering *gathering, EVP_PKEY *key, const struct number *number,
                          int len)
{
    uint8_t bytes[NUMBER_SIZE];
    BIGNUM *value = NULL;

    if (EVP_PKEY_get_bn_param(key, number->name, &value) != 1)
        return false;
    int size = len ? len : BN_num_bytes(value);
    bool is_whole = size > 0 && size <= NUMBER_SIZE && BN_bn2binpad(value, bytes, size) == size &&
                    gather(gathering, number->type, bytes, (size_t)size);
    BN_clear_free(value);
    secret_wipe(bytes, sizeof(bytes));
    return is_whole;
}

static bool gather_private(struct gathering *gathering, EVP_PKEY *key, const struct key_spec *spec)
{
    uint8_t raw[64];
    size_t len = sizeof(raw);

    if (spec->type == CKK_RSA) {
        for (size_t i = 0; i < ARRAY_LEN(rsa); i++)
            if (!gather_number(gathering, key, &rsa[i], 0))
                return false;
        return true;
    }
    if (!gather(gathering, CKA_EC_PARAMS, spec->params.ptr, spec->params.len))
        return false;
    if (spec->type == CKK_EC)
        return gather_number(gathering, key, &curve[0], (EVP_PKEY_get_bits(key) + 7) / 8);
    bool is_read =
        EVP_PKEY_get_raw_private_key(key, raw, &len) == 1 && gather(gathering, CKA_VALUE, raw, len);
    secret_wipe(raw, sizeof(raw));
    return is_read;
}

static bool gather_public(struct gathering *gathering, EVP_PKEY *key, const struct key_spec *spec)
{
    uint8_t point[POINT_SIZE];
    size_t len = sizeof(point);

    if (spec->type == CKK_RSA)
        return gather_number(gathering, key, &rsa[0], 0) &&
               gather_number(gathering, key, &rsa[1], 0);
    bool is_read = spec->type == CKK_EC
                       ? EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                         sizeof(point), &len) == 1
                       : EVP_PKEY_get_raw_public_key(key, point, &len) == 1;
    ASN1_OCTET_STRING *octets = is_read ? ASN1_OCTET_STRING_new() : NULL;
    unsigned char *der = NULL;
    int der_len = octets && ASN1_OCTET_STRING_set(octets, point, (int)len) == 1
                      ? i2d_ASN1_OCTET_STRING(octets, &der)
                      : 0;
    bool is_whole = der_len > 0 &&
                    gather(gathering, CKA_EC_PARAMS, spec->params.ptr, spec->params.len) &&
                    gather(gathering, CKA_EC_POINT, der, (size_t)der_len);
    OPENSSL_free(der);
    ASN1_OCTET_STRING_free(octets);
    return is_whole;
}

static bool store(struct token *token, EVP_PKEY *key, const struct key_spec *spec,
                  const char *label, bool is_private, bool is_exportable, struct trouble *trouble)
{
    AUTO(gathering_fini) struct gathering gathering = {.count = 0};
    CK_OBJECT_CLASS class = is_private ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY;
    uint8_t id[CERTIFICATE_ID_SIZE];

    bool is_whole = x509_id_of_key(key, id) &&
                    gather(&gathering, CKA_CLASS, &class, sizeof(class)) &&
                    gather(&gathering, CKA_KEY_TYPE, &spec->type, sizeof(spec->type)) &&
                    gather(&gathering, CKA_ID, id, sizeof(id)) &&
                    gather(&gathering, CKA_LABEL, label, strlen(label)) &&
                    gather_flag(&gathering, CKA_TOKEN, true) &&
                    gather_flag(&gathering, CKA_PRIVATE, is_private) &&
                    gather_flag(&gathering, is_private ? CKA_SIGN : CKA_VERIFY, true);
    if (is_whole && is_private)
        is_whole = gather_flag(&gathering, CKA_SENSITIVE, !is_exportable) &&
                   gather_flag(&gathering, CKA_EXTRACTABLE, is_exportable) &&
                   gather_private(&gathering, key, spec);
    else if (is_whole)
        is_whole = gather_public(&gathering, key, spec);
    return is_whole ? token_create(token, gathering.attributes, gathering.count, trouble)
                    : trouble_no_memory(trouble);
}

/* CKA_ID says whose halves they are: one that an attempt which ended early has stored stays. */
static bool has(struct token *token, EVP_PKEY *key, CK_OBJECT_CLASS class)
{
    uint8_t id[CERTIFICATE_ID_SIZE];

    return x509_id_of_key(key, id) &&
           token_find_one(token, class, span_of(id, sizeof(id))) != CK_INVALID_HANDLE;
}

bool token_private_store(struct token *token, EVP_PKEY *key, const struct key_spec *spec,
                         const char *label, bool is_exportable, struct trouble *trouble)
{
    return (has(token, key, CKO_PRIVATE_KEY) ||
            store(token, key, spec, label, true, is_exportable, trouble)) &&
           (has(token, key, CKO_PUBLIC_KEY) ||
            store(token, key, spec, label, false, is_exportable, trouble));
}
