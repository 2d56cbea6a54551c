/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/result.h"

#include "remote/base/cleanup.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum { MODULUS = 256 };

/* Made once: key generation is what takes time here. */
static struct {
    OSSL_LIB_CTX *libctx;
    OSSL_PROVIDER *provider;
    EVP_PKEY *pkey;
    EVP_PKEY *stranger;
    struct result_key *key;
    uint8_t digest[64];
} world;

static struct span spki_of(EVP_PKEY *pkey, uint8_t **ret_der)
{
    *ret_der = NULL;
    int len = i2d_PUBKEY(pkey, ret_der);
    assert_true(len > 0);
    return span_of(*ret_der, (size_t)len);
}

static int make_world(void **state)
{
    (void)state;
    uint8_t *der = NULL;

    world.libctx = OSSL_LIB_CTX_new();
    world.provider = OSSL_PROVIDER_load(world.libctx, "default");
    assert_non_null(world.provider);
    world.pkey = EVP_PKEY_Q_keygen(world.libctx, NULL, "RSA", (size_t)2048);
    world.stranger = EVP_PKEY_Q_keygen(world.libctx, NULL, "RSA", (size_t)2048);
    assert_non_null(world.pkey);
    assert_non_null(world.stranger);
    assert_int_equal(result_key_new(world.libctx, spki_of(world.pkey, &der), &world.key), SCA_OK);
    OPENSSL_free(der);
    for (size_t i = 0; i < sizeof(world.digest); i++)
        world.digest[i] = (uint8_t)(i * 7 + 1);
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    result_key_free(world.key);
    EVP_PKEY_free(world.pkey);
    EVP_PKEY_free(world.stranger);
    OSSL_PROVIDER_unload(world.provider);
    OSSL_LIB_CTX_free(world.libctx);
    return 0;
}

static void sign(EVP_PKEY *pkey, struct span digest, int padding, uint8_t out[static MODULUS])
{
    const char *name = digest.len == 32 ? "SHA256" : digest.len == 48 ? "SHA384" : "SHA512";
    EVP_MD *md = EVP_MD_fetch(world.libctx, name, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(world.libctx, pkey, NULL);
    size_t len = MODULUS;

    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, md), 1);
    assert_int_equal(EVP_PKEY_sign(ctx, out, &len, digest.ptr, digest.len), 1);
    assert_int_equal(len, MODULUS);
    EVP_PKEY_CTX_free(ctx);
    EVP_MD_free(md);
}

struct value {
    char text[12288];
};

static struct value base64_of(struct span bytes)
{
    struct value value;

    assert_true(bytes.len < sizeof(value.text) / 4 * 3 - 3);
    (void)EVP_EncodeBlock((uint8_t *)value.text, bytes.ptr, (int)bytes.len);
    return value;
}

static struct span digest_of(size_t len)
{
    return span_of(world.digest, len);
}

static void assert_mismatch(struct span digest, const char *value)
{
    uint8_t out[MODULUS];
    uint8_t before[MODULUS];

    memset(out, 0x5a, sizeof(out));
    memset(before, 0x5a, sizeof(before));
    assert_int_equal(result_extract(world.key, digest, value, out, sizeof(out)), SCA_MISMATCH);
    assert_memory_equal(out, before, sizeof(out));
}

static void assert_extracted(struct span digest, const char *value, const uint8_t *expected)
{
    uint8_t out[MODULUS + 1];

    memset(out, 0x5a, sizeof(out));
    assert_int_equal(result_extract(world.key, digest, value, out, MODULUS), SCA_OK);
    assert_memory_equal(out, expected, MODULUS);
    assert_int_equal(out[MODULUS], 0x5a);
}

static void a_good_signature_is_handed_out(void **state)
{
    (void)state;
    static const size_t lens[] = {32, 48, 64};

    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        uint8_t sig[MODULUS];
        sign(world.pkey, digest_of(lens[i]), RSA_PKCS1_PADDING, sig);
        const struct value value = base64_of(span_of(sig, sizeof(sig)));
        assert_extracted(digest_of(lens[i]), value.text, sig);
    }
}

static void white_space_in_the_value_is_skipped(void **state)
{
    (void)state;
    uint8_t sig[MODULUS];
    char broken[1024] = "\r\n";
    sign(world.pkey, digest_of(32), RSA_PKCS1_PADDING, sig);
    const struct value value = base64_of(span_of(sig, sizeof(sig)));

    for (size_t i = 0; i < strlen(value.text); i += 76)
        (void)sprintf(broken + strlen(broken), "%.76s\r\n", value.text + i);

    assert_extracted(digest_of(32), broken, sig);
}

/* Signs digests until the signature begins with a zero byte: one in 256 does. */
static struct span digest_with_zero_signature(uint8_t digest[static 32],
                                              uint8_t sig[static MODULUS])
{
    memset(digest, 0, 32);
    sig[0] = 1;
    for (unsigned i = 0; sig[0] != 0 && i < 20000; i++) {
        digest[0] = (uint8_t)i;
        digest[1] = (uint8_t)(i >> 8);
        sign(world.pkey, span_of(digest, 32), RSA_PKCS1_PADDING, sig);
    }
    assert_int_equal(sig[0], 0);
    return span_of(digest, 32);
}

static void a_short_number_is_padded_on_the_left(void **state)
{
    (void)state;
    uint8_t digest[32];
    uint8_t sig[MODULUS];
    struct span short_digest = digest_with_zero_signature(digest, sig);
    const struct value value = base64_of(span_of(sig + 1, MODULUS - 1));

    assert_extracted(short_digest, value.text, sig);
}

static void a_sign_byte_in_front_is_taken_off(void **state)
{
    (void)state;
    uint8_t sig[MODULUS + 1] = {0};
    sign(world.pkey, digest_of(32), RSA_PKCS1_PADDING, sig + 1);
    const struct value value = base64_of(span_of(sig, sizeof(sig)));
    sig[0] = 1;
    const struct value wrong = base64_of(span_of(sig, sizeof(sig)));

    assert_extracted(digest_of(32), value.text, sig + 1);
    assert_mismatch(digest_of(32), wrong.text);
}

static void every_flipped_byte_is_noticed(void **state)
{
    (void)state;
    uint8_t sig[MODULUS];
    sign(world.pkey, digest_of(32), RSA_PKCS1_PADDING, sig);

    for (size_t i = 0; i < MODULUS; i++) {
        sig[i] ^= 1;
        const struct value value = base64_of(span_of(sig, sizeof(sig)));
        assert_mismatch(digest_of(32), value.text);
        sig[i] ^= 1;
    }
}

static void another_digest_is_a_mismatch(void **state)
{
    (void)state;
    uint8_t sig[MODULUS];
    uint8_t other[32] = {1, 2, 3};
    sign(world.pkey, span_of(other, 32), RSA_PKCS1_PADDING, sig);
    const struct value value = base64_of(span_of(sig, sizeof(sig)));

    assert_extracted(span_of(other, 32), value.text, sig);
    assert_mismatch(digest_of(32), value.text);
    assert_mismatch(digest_of(48), value.text);
}

static void the_hash_is_part_of_what_is_verified(void **state)
{
    (void)state;
    uint8_t sig[MODULUS];
    sign(world.pkey, digest_of(64), RSA_PKCS1_PADDING, sig);
    const struct value value = base64_of(span_of(sig, sizeof(sig)));

    assert_mismatch(digest_of(32), value.text);
    assert_mismatch(digest_of(48), value.text);
}

static void another_key_is_a_mismatch(void **state)
{
    (void)state;
    uint8_t sig[MODULUS];
    sign(world.stranger, digest_of(32), RSA_PKCS1_PADDING, sig);
    const struct value value = base64_of(span_of(sig, sizeof(sig)));

    assert_mismatch(digest_of(32), value.text);
}

static void another_padding_is_a_mismatch(void **state)
{
    (void)state;
    uint8_t sig[MODULUS];
    sign(world.pkey, digest_of(32), RSA_PKCS1_PSS_PADDING, sig);
    const struct value value = base64_of(span_of(sig, sizeof(sig)));

    assert_mismatch(digest_of(32), value.text);
}

static void what_is_no_signature_at_all_is_a_mismatch(void **state)
{
    (void)state;
    static const uint8_t zeros[4096];
    static const size_t lens[] = {1, 255, 256, 257, 258, 4096};
    static const char *const values[] = {"", "  ", "====", "not base64", "QUJD", "QUJ", "%00"};

    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        assert_mismatch(digest_of(32), values[i]);
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        const struct value value = base64_of(span_of(zeros, lens[i]));
        assert_mismatch(digest_of(32), value.text);
    }
}

static void a_value_over_the_limit_is_a_mismatch(void **state)
{
    (void)state;
    static char text[1000001];
    memset(text, 'A', sizeof(text) - 1);

    assert_mismatch(digest_of(32), text);
}

static void a_length_that_does_not_fit_is_invalid(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 19, 31, 33, 63};
    uint8_t sig[MODULUS];
    uint8_t out[MODULUS + 1] = {0};
    const uint8_t untouched[MODULUS + 1] = {0};
    sign(world.pkey, digest_of(32), RSA_PKCS1_PADDING, sig);
    const struct value value = base64_of(span_of(sig, sizeof(sig)));

    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        assert_int_equal(result_extract(world.key, digest_of(lens[i]), value.text, out, MODULUS),
                         SCA_INVALID);
    assert_int_equal(result_extract(world.key, digest_of(32), value.text, out, MODULUS - 1),
                     SCA_INVALID);
    assert_int_equal(result_extract(world.key, digest_of(32), value.text, out, MODULUS + 1),
                     SCA_INVALID);
    assert_memory_equal(out, untouched, sizeof(out));
}

static X509 *certificate_for(EVP_PKEY *pkey, const char *name)
{
    X509 *cert = X509_new_ex(world.libctx, NULL);
    EVP_MD *md = EVP_MD_fetch(world.libctx, "SHA256", NULL);

    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, pkey);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    assert_true(X509_sign(cert, pkey, md) > 0);
    EVP_MD_free(md);
    return cert;
}

static void add_signer(CMS_ContentInfo *cms, EVP_PKEY *pkey, const char *name, unsigned flags)
{
    X509 *cert = certificate_for(pkey, name);
    EVP_MD *md = EVP_MD_fetch(world.libctx, "SHA256", NULL);

    assert_non_null(CMS_add1_signer(cms, cert, pkey, md, flags));
    X509_free(cert);
    EVP_MD_free(md);
}

/* A detached SignedData over content, base64; by the stranger first, then by the key. */
static struct value cms_over(struct span content, unsigned flags, EVP_PKEY *second)
{
    BIO *data = BIO_new_mem_buf(content.ptr, (int)content.len);
    CMS_ContentInfo *cms = CMS_sign_ex(NULL, NULL, NULL, data,
                                       CMS_PARTIAL | CMS_DETACHED | CMS_BINARY, world.libctx, NULL);
    uint8_t *der = NULL;

    assert_non_null(cms);
    add_signer(cms, world.stranger, "stranger", flags);
    if (second)
        add_signer(cms, second, "signer", flags);
    assert_int_equal(CMS_final(cms, data, NULL, CMS_DETACHED | CMS_BINARY), 1);
    int len = i2d_CMS_ContentInfo(cms, &der);
    assert_true(len > MODULUS);
    const struct value value = base64_of(span_of(der, (size_t)len));
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    BIO_free(data);
    return value;
}

static struct span hash_of(struct span content, uint8_t out[static 32])
{
    assert_int_equal(
        EVP_Q_digest(world.libctx, "SHA256", NULL, content.ptr, content.len, out, NULL), 1);
    return span_of(out, 32);
}

static void a_cms_over_the_digest_is_opened(void **state)
{
    (void)state;
    struct span content = span_text("the document");
    uint8_t hash[32];
    uint8_t sig[MODULUS];
    struct span digest = hash_of(content, hash);
    sign(world.pkey, digest, RSA_PKCS1_PADDING, sig);
    const struct value value = cms_over(content, CMS_NOATTR | CMS_NOSMIMECAP, world.pkey);

    assert_extracted(digest, value.text, sig);
}

static void a_cms_that_signs_something_else_is_a_mismatch(void **state)
{
    (void)state;
    struct span content = span_text("the document");
    uint8_t hash[32];
    struct span digest = hash_of(content, hash);
    const struct value attributes = cms_over(content, 0, world.pkey);
    const struct value other = cms_over(span_text("another"), CMS_NOATTR, world.pkey);
    const struct value stranger = cms_over(content, CMS_NOATTR, NULL);

    assert_mismatch(digest, attributes.text);
    assert_mismatch(digest, other.text);
    assert_mismatch(digest, stranger.text);
}

static void a_damaged_cms_is_a_mismatch(void **state)
{
    (void)state;
    struct span content = span_text("the document");
    uint8_t hash[32];
    struct span digest = hash_of(content, hash);
    struct value value = cms_over(content, CMS_NOATTR, NULL);

    for (size_t cut = strlen(value.text) / 4 * 4; cut > 400; cut = cut > 500 ? cut - 100 : 0) {
        value.text[cut] = 0;
        assert_mismatch(digest, value.text);
    }
}

static void a_contentinfo_of_another_type_is_a_mismatch(void **state)
{
    (void)state;
    uint8_t bytes[300] = {0};
    BIO *data = BIO_new_mem_buf(bytes, sizeof(bytes));
    CMS_ContentInfo *cms = CMS_data_create(data, CMS_BINARY);
    uint8_t *der = NULL;
    int len = i2d_CMS_ContentInfo(cms, &der);
    const struct value value = base64_of(span_of(der, (size_t)len));

    assert_mismatch(digest_of(32), value.text);
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    BIO_free(data);
}

enum { THREADS = 4, ROUNDS = 100 };

/* Even threads hold the right signature, odd ones another digest's; each counts its answers. */
struct worker {
    pthread_t thread;
    const char *text;
    unsigned accepted;
    unsigned refused;
};

static void *extract_many(void *arg)
{
    struct worker *worker = arg;
    uint8_t out[MODULUS];

    for (int i = 0; i < ROUNDS; i++) {
        enum sca_status st = result_extract(world.key, digest_of(32), worker->text, out, MODULUS);
        worker->accepted += st == SCA_OK;
        worker->refused += st == SCA_MISMATCH;
    }
    return NULL;
}

static void threads_share_a_key(void **state)
{
    (void)state;
    uint8_t sig[MODULUS];
    struct worker workers[THREADS] = {0};
    sign(world.pkey, digest_of(32), RSA_PKCS1_PADDING, sig);
    const struct value good = base64_of(span_of(sig, sizeof(sig)));
    sign(world.pkey, digest_of(48), RSA_PKCS1_PADDING, sig);
    const struct value bad = base64_of(span_of(sig, sizeof(sig)));

    for (size_t i = 0; i < THREADS; i++) {
        workers[i].text = i % 2 ? bad.text : good.text;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, extract_many, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);

    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(workers[i].accepted, i % 2 ? 0 : ROUNDS);
        assert_int_equal(workers[i].refused, i % 2 ? ROUNDS : 0);
    }
}

static void the_error_queue_stays_as_it_was(void **state)
{
    (void)state;
    struct result_key *key = NULL;
    uint8_t out[MODULUS];
    static const uint8_t zeros[300];
    const struct value no_cms = base64_of(span_of(zeros, sizeof(zeros)));
    const struct value no_sig = base64_of(span_of(zeros, MODULUS));

    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 7);
    assert_int_equal(result_key_new(world.libctx, span_text("junk"), &key), SCA_INVALID);
    assert_int_equal(result_extract(world.key, digest_of(32), no_cms.text, out, MODULUS),
                     SCA_MISMATCH);
    assert_int_equal(result_extract(world.key, digest_of(32), no_sig.text, out, MODULUS),
                     SCA_MISMATCH);

    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
    assert_int_equal(ERR_get_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_signature_is_handed_out),
        cmocka_unit_test(white_space_in_the_value_is_skipped),
        cmocka_unit_test(a_short_number_is_padded_on_the_left),
        cmocka_unit_test(a_sign_byte_in_front_is_taken_off),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(another_digest_is_a_mismatch),
        cmocka_unit_test(the_hash_is_part_of_what_is_verified),
        cmocka_unit_test(another_key_is_a_mismatch),
        cmocka_unit_test(another_padding_is_a_mismatch),
        cmocka_unit_test(what_is_no_signature_at_all_is_a_mismatch),
        cmocka_unit_test(a_value_over_the_limit_is_a_mismatch),
        cmocka_unit_test(a_length_that_does_not_fit_is_invalid),
        cmocka_unit_test(a_cms_over_the_digest_is_opened),
        cmocka_unit_test(a_cms_that_signs_something_else_is_a_mismatch),
        cmocka_unit_test(a_damaged_cms_is_a_mismatch),
        cmocka_unit_test(a_contentinfo_of_another_type_is_a_mismatch),
        cmocka_unit_test(threads_share_a_key),
        cmocka_unit_test(the_error_queue_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
