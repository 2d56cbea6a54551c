/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#8 PrivateKeyInfo (RFC 5208): RSAPrivateKey (RFC 8017 A.1.2), ECPrivateKey (RFC 5915) and
 * Ed25519 (RFC 8410) in it. By our own hands: see der.h.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "module/token/blueprint.h"
#include "module/token/der.h"
#include "module/token/key_material.h"
#include "module/token/key_numbers.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

/* AlgorithmIdentifier without its header: RSA's is whole, the curve's OID follows EC's. */
static const uint8_t rsa[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                              0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
static const uint8_t ec[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t version_0[] = {DER_INTEGER, 1, 0};
static const uint8_t version_1[] = {DER_INTEGER, 1, 1};
static const uint8_t no_unused_bits[] = {0}; /* what a BIT STRING starts with */

static struct span rsa_algorithm(void)
{
    return span_of(rsa, sizeof(rsa));
}

static struct span ec_algorithm(void)
{
    return span_of(ec, sizeof(ec));
}

static bool write_rsa(struct der_writer *writer, const EVP_PKEY *key)
{
    uint8_t number[KEY_NUMBER_SIZE];
    size_t end = writer->start;
    bool is_whole = true;
    for (size_t i = KEY_RSA_NUMBERS; i > 0 && is_whole; i--) {
        size_t len = key_number_get(key, key_rsa_numbers[i - 1].name, 0, number);
        is_whole = len > 0;
        der_put_integer(writer, span_of(number, len));
    }
    secret_wipe(number, sizeof(number));
    der_put(writer, span_of(version_0, sizeof(version_0)));
    der_wrap(writer, DER_SEQUENCE, end);
    return is_whole;
}

/* With the public point, which a reader would have to compute otherwise. */
static bool write_ec(struct der_writer *writer, const EVP_PKEY *key, const struct curve *curve)
{
    uint8_t bytes[KEY_NUMBER_SIZE];
    size_t end = writer->start;
    size_t point_len = 0;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof(bytes),
                                        &point_len) != 1)
        return false;
    der_put(writer, span_of(bytes, point_len));
    der_put(writer, span_of(no_unused_bits, sizeof(no_unused_bits)));
    der_wrap(writer, DER_BIT_STRING, end);
    der_wrap(writer, DER_CONTEXT_1, end);
    size_t after_number = writer->start;
    size_t len = key_number_get(key, OSSL_PKEY_PARAM_PRIV_KEY, curve->field_len, bytes);
    der_put(writer, span_of(bytes, len));
    der_wrap(writer, DER_OCTET_STRING, after_number);
    secret_wipe(bytes, sizeof(bytes));
    der_put(writer, span_of(version_1, sizeof(version_1)));
    der_wrap(writer, DER_SEQUENCE, end);
    return len > 0;
}

static bool write_edwards(struct der_writer *writer, const EVP_PKEY *key)
{
    uint8_t raw[KEY_EDWARDS_SIZE];
    size_t end = writer->start;
    bool is_whole = key_edwards_get(key, raw);
    der_put(writer, span_of(raw, sizeof(raw)));
    der_wrap(writer, DER_OCTET_STRING, end);
    secret_wipe(raw, sizeof(raw));
    return is_whole;
}

static bool write_info(struct der_writer *writer, const EVP_PKEY *key)
{
    size_t end = writer->start;
    const struct curve *curve = key_curve(key);
    bool is_whole = false;
    if (!curve)
        is_whole = EVP_PKEY_is_a(key, "RSA") && write_rsa(writer, key);
    else if (curve->type == CKK_EC)
        is_whole = write_ec(writer, key, curve);
    else
        is_whole = write_edwards(writer, key);
    der_wrap(writer, DER_OCTET_STRING, end);
    size_t after_algorithm = writer->start;
    der_put(writer, curve ? curve->oid : rsa_algorithm());
    if (curve && curve->type == CKK_EC)
        der_put(writer, ec_algorithm());
    der_wrap(writer, DER_SEQUENCE, after_algorithm);
    der_put(writer, span_of(version_0, sizeof(version_0)));
    der_wrap(writer, DER_SEQUENCE, end);
    return is_whole && !writer->is_full;
}

enum sca_status key_to_pkcs8(const EVP_PKEY *key, struct secret **ret_der)
{
    uint8_t room[SECRET_MAX];
    struct der_writer writer = der_writer_of(room, sizeof(room));
    (void)ERR_set_mark();
    bool is_whole = write_info(&writer, key);
    (void)ERR_pop_to_mark();
    enum sca_status st = SCA_INVALID;
    if (is_whole)
        st = secret_new(span_of(room + writer.start, sizeof(room) - writer.start), ret_der);
    secret_wipe(room, sizeof(room));
    return st;
}

static bool take_version(struct span *rest, uint8_t version)
{
    struct span number;
    return der_take(rest, DER_INTEGER, &number) && number.len == 1 && number.ptr[0] == version;
}

static EVP_PKEY *read_rsa(struct span body)
{
    struct key_numbers numbers;
    struct span content;
    if (!der_take(&body, DER_SEQUENCE, &content) || body.len || !take_version(&content, 0) ||
        !key_numbers_init(&numbers))
        return NULL;
    for (size_t i = 0; i < KEY_RSA_NUMBERS; i++) {
        struct span number = {NULL, 0};
        if (!der_take(&content, DER_INTEGER, &number))
            numbers.is_bad = true;
        key_numbers_add(&numbers, key_rsa_numbers[i].name, number);
    }
    AUTO(crypto_pkey_freep)
    EVP_PKEY *key = content.len ? NULL : key_numbers_make(&numbers, "RSA", true);
    key_numbers_fini(&numbers);
    int bits = key ? EVP_PKEY_get_bits(key) : 0;
    return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? TAKE(key) : NULL;
}

/* Both as a template has it, so that it is checked like one. */
static EVP_PKEY *read_on_curve(CK_KEY_TYPE type, struct span params, struct span value,
                               struct span point)
{
    const CK_ATTRIBUTE template[] = {
        {CKA_EC_PARAMS, (void *)(uintptr_t)params.ptr, params.len},
        {CKA_VALUE, (void *)(uintptr_t)value.ptr, value.len},
        {CKA_EC_POINT, (void *)(uintptr_t)point.ptr, point.len},
    };
    EVP_PKEY *key = NULL;
    CK_RV rv = key_read_on_curve(type, true, template, ARRAY_LEN(template), &key);
    return rv == CKR_OK ? key : NULL;
}

/* The parameters are in the AlgorithmIdentifier, and may be here again; the point need not be. */
static EVP_PKEY *read_ec(struct span params, struct span body)
{
    struct span content;
    struct span value;
    struct span again;
    struct span wrapped;
    struct span point = {NULL, 0};
    if (!der_take(&body, DER_SEQUENCE, &content) || body.len || !take_version(&content, 1) ||
        !der_take(&content, DER_OCTET_STRING, &value))
        return NULL;
    if (der_take(&content, DER_CONTEXT_0, &again) && !span_equal(again, params))
        return NULL;
    if (der_take(&content, DER_CONTEXT_1, &wrapped)) {
        if (!der_take(&wrapped, DER_BIT_STRING, &point) || point.len < 2 || point.ptr[0])
            return NULL;
        point = span_of(point.ptr + 1, point.len - 1);
    }
    return content.len ? NULL : read_on_curve(CKK_EC, params, value, point);
}

static EVP_PKEY *read_edwards(struct span params, struct span body)
{
    struct span value;
    if (!der_take(&body, DER_OCTET_STRING, &value) || body.len)
        return NULL;
    return read_on_curve(CKK_EC_EDWARDS, params, value, span_of(NULL, 0));
}

static EVP_PKEY *read_info(struct span der)
{
    struct span content;
    struct span algorithm;
    struct span body;
    if (!der_take(&der, DER_SEQUENCE, &content) || der.len || !take_version(&content, 0) ||
        !der_take(&content, DER_SEQUENCE, &algorithm) ||
        !der_take(&content, DER_OCTET_STRING, &body) || content.len)
        return NULL;
    if (span_equal(algorithm, rsa_algorithm()))
        return read_rsa(body);
    struct span of_ec = ec_algorithm();
    if (algorithm.len > of_ec.len && memcmp(algorithm.ptr, of_ec.ptr, of_ec.len) == 0)
        return read_ec(span_of(algorithm.ptr + of_ec.len, algorithm.len - of_ec.len), body);
    return read_edwards(algorithm, body);
}

enum sca_status key_from_pkcs8(struct span der, EVP_PKEY **ret_key)
{
    unsigned long before = ERR_peek_last_error();
    (void)ERR_set_mark();
    EVP_PKEY *key = read_info(der);
    bool lacked_memory = !key && crypto_lacked_memory(before);
    (void)ERR_pop_to_mark();
    if (!key)
        return lacked_memory ? SCA_NOMEM : SCA_INVALID;
    *ret_key = key;
    return SCA_OK;
}
