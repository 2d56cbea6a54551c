/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/certificate_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>

#include <cmocka.h>

#include "remote/base/crypto.h"

enum { DER_MAX = 65536 };

EVP_PKEY *certificate_rsa;

int certificate_stage_begin(void **state)
{
    (void)state;
    certificate_rsa = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "RSA", (size_t)2048);
    return certificate_rsa ? 0 : -1;
}

int certificate_stage_end(void **state)
{
    (void)state;
    EVP_PKEY_free(certificate_rsa);
    return 0;
}

X509 *certificate_draft(EVP_PKEY *key)
{
    X509 *x509 = X509_new();

    assert_non_null(x509);
    assert_int_equal(X509_set_version(x509, 2), 1);
    assert_int_equal(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), 0x8123456789abcdefu), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notBefore(x509), "20240229120000Z"), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notAfter(x509), "20500101000000Z"), 1);
    assert_int_equal(X509_set_pubkey(x509, key), 1);
    return x509;
}

void certificate_add_name(X509_NAME *name, const char *field, int type, const char *text)
{
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, field, type, (const unsigned char *)text, -1, -1, 0), 1);
}

struct buf certificate_finish(X509 *take_x509, EVP_PKEY *key)
{
    struct buf der;
    uint8_t *bytes = NULL;

    assert_true(X509_sign(take_x509, key, EVP_sha256()) > 0);
    int len = i2d_X509(take_x509, &bytes);
    assert_true(len > 0);
    buf_init(&der, DER_MAX, false);
    assert_int_equal(buf_append(&der, span_of(bytes, (size_t)len)), SCA_OK);
    OPENSSL_free(bytes);
    X509_free(take_x509);
    return der;
}

struct buf certificate_plain(EVP_PKEY *key)
{
    X509 *x509 = certificate_draft(key);
    certificate_add_name(X509_get_subject_name(x509), "C", MBSTRING_UTF8, "VN");
    certificate_add_name(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, CN);
    certificate_add_name(X509_get_issuer_name(x509), "CN", MBSTRING_UTF8, "VNPT-CA");
    return certificate_finish(x509, key);
}

struct parsed_certificate *certificate_stage_parse(struct span der)
{
    struct parsed_certificate *parsed = NULL;
    const char *why = "";

    assert_int_equal(certificate_parse(crypto_libctx(), der, &parsed, &why), SCA_OK);
    assert_null(why);
    return parsed;
}

void certificate_stage_refused(struct span der, const char *reason)
{
    struct parsed_certificate *parsed = NULL;
    const char *why = NULL;

    assert_int_equal(certificate_parse(crypto_libctx(), der, &parsed, &why), SCA_PROTOCOL);
    assert_null(parsed);
    assert_string_equal(why, reason);
    assert_int_equal(ERR_peek_error(), 0);
}

bool certificate_stage_has(struct span whole, struct span part)
{
    return part.len > 0 && memmem(whole.ptr, whole.len, part.ptr, part.len);
}

void certificate_overwrite(struct buf *der, struct span old, struct span new)
{
    uint8_t *at = memmem(der->ptr, der->len, old.ptr, old.len);
    assert_non_null(at);
    assert_int_equal(old.len, new.len);
    (void)memcpy(at, new.ptr, new.len);
}
