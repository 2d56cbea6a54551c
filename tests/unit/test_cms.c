/* SPDX-License-Identifier: Apache-2.0 */
/* CMS signatures made with a signature value from outside, and what checking them finds out. */
#include "remote/cli/cms_build.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ess.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/cms_check.h"
#include "tests/lib/folder.h"

#define DOCUMENT "Hợp đồng số 1\n"

enum { DAY = 86400, RAW_MAX = 1024 };

static const time_t signing_time = 1767225600; /* 2026-01-01 */
static char dir[64];

static int begin(void **state)
{
    (void)state;
    (void)strcpy(dir, "/tmp/cms.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return folder_remove(dir);
}

/* A token in memory: what C_Sign would be given goes in, what it would give comes out. */
struct signer {
    EVP_PKEY *key;
    X509 *x509;
    const struct cms_scheme *scheme;
};

static X509 *certify(EVP_PKEY *key, time_t until)
{
    bool is_edwards = EVP_PKEY_is_a(key, "ED25519");
    X509 *x509 = X509_new_ex(crypto_libctx(), NULL);
    X509_NAME *name = X509_get_subject_name(x509);

    (void)X509_set_version(x509, X509_VERSION_3);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x509), 4711);
    (void)ASN1_TIME_set(X509_getm_notBefore(x509), signing_time - DAY);
    (void)ASN1_TIME_set(X509_getm_notAfter(x509), until);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"Ánh", -1,
                                     -1, 0);
    (void)X509_set_issuer_name(x509, name);
    (void)X509_set_pubkey(x509, key);
    assert_true(X509_sign(x509, key, is_edwards ? NULL : crypto_md(CRYPTO_SHA256)) > 0);

    /* Read again, as a token would give it. */
    AUTO(buf_fini) struct buf der;
    unsigned char *bytes = NULL;
    int len = i2d_X509(x509, &bytes);
    buf_init(&der, CMS_SIZE_MAX, false);
    assert_int_equal(buf_append(&der, span_of(bytes, (size_t)len)), SCA_OK);
    OPENSSL_free(bytes);
    X509_free(x509);
    const unsigned char *at = der.ptr;
    X509 *read = X509_new_ex(crypto_libctx(), NULL);
    assert_non_null(d2i_X509(&read, &at, len));
    return read;
}

static struct signer signer_new(const char *type, const char *group)
{
    struct signer signer = {0};

    if (strcmp(type, "RSA") == 0)
        signer.key = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "RSA", (size_t)2048);
    else if (group)
        signer.key = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, type, group);
    else
        signer.key = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, type);
    signer.x509 = certify(signer.key, signing_time + DAY);
    signer.scheme = cms_scheme_of(X509_get0_pubkey(signer.x509));
    return signer;
}

static void signer_fini(struct signer *signer)
{
    X509_free(signer->x509);
    EVP_PKEY_free(signer->key);
}

static size_t to_halves(struct span der, size_t half, uint8_t *out)
{
    const unsigned char *at = der.ptr;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der.len);

    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, (int)half), half);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + half, (int)half), half);
    ECDSA_SIG_free(pair);
    return 2 * half;
}

/* The three inputs of cms_scheme.h as three tokens take them; the length of the signature. */
static size_t token_signs(const struct signer *signer, enum cms_input input, struct span bytes,
                          uint8_t out[static RAW_MAX])
{
    uint8_t signature[RAW_MAX];
    size_t len = sizeof(signature);

    if (input == CMS_INPUT_WHOLE) {
        const char *md = EVP_PKEY_is_a(signer->key, "RSA") ? "SHA256" : NULL;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        assert_int_equal(
            EVP_DigestSignInit_ex(ctx, NULL, md, crypto_libctx(), NULL, signer->key, NULL), 1);
        assert_int_equal(EVP_DigestSign(ctx, signature, &len, bytes.ptr, bytes.len), 1);
        EVP_MD_CTX_free(ctx);
    } else {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(), signer->key, NULL);
        assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
        assert_int_equal(EVP_PKEY_sign(ctx, signature, &len, bytes.ptr, bytes.len), 1);
        EVP_PKEY_CTX_free(ctx);
    }
    if (EVP_PKEY_is_a(signer->key, "EC"))
        return to_halves(span_of(signature, len), ((size_t)EVP_PKEY_get_bits(signer->key) + 7) / 8,
                         out);
    memcpy(out, signature, len);
    return len;
}

static struct cms_draft *draft_new(const struct signer *signer)
{
    const struct cms_plan plan = {
        .signer = signer->x509, .scheme = signer->scheme, .signing_time = signing_time};
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct cms_draft *draft = NULL;

    assert_int_equal(EVP_Digest(DOCUMENT, strlen(DOCUMENT), digest, &len,
                                crypto_md(signer->scheme->digest), NULL),
                     1);
    assert_int_equal(cms_draft_new(&plan, span_of(digest, len), &draft), SCA_OK);
    return draft;
}

/* The caller buf_fini()s ret_cms. spoil: the signature is of other attributes. */
static void sign(const struct signer *signer, enum cms_input input, bool is_pem, bool spoil,
                 struct buf *ret_cms)
{
    AUTO(cms_draft_freep) struct cms_draft *draft = draft_new(signer);
    AUTO(buf_fini) struct buf bytes;
    struct span attributes = spoil ? span_text("other") : cms_draft_attributes(draft);
    uint8_t raw[RAW_MAX];

    assert_int_equal(cms_scheme_input(signer->scheme, input, attributes, &bytes), SCA_OK);
    size_t len = token_signs(signer, input, buf_span(&bytes), raw);
    assert_int_equal(cms_draft_finish(draft, span_of(raw, len), is_pem, ret_cms), SCA_OK);
}

static enum sca_status check(struct span cms, const char *content, struct cms_report *ret_report)
{
    char path[sizeof(dir) + 16];
    (void)snprintf(path, sizeof(path), "%s/content", dir);
    AUTO(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, span_text(content)), SCA_OK);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return cms_check(cms, fd, ret_report);
}

/* One signer, found to be so. */
static void assert_state(struct span cms, const char *content, enum cms_state expected)
{
    AUTO(cms_report_fini) struct cms_report report;

    assert_int_equal(check(cms, content, &report), SCA_OK);
    assert_int_equal(report.count, 1);
    assert_int_equal(report.items[0].state, expected);
}

static void each_kind_of_key_signs_with_its_digest(void **state)
{
    static const struct {
        const char *type;
        const char *group;
        enum crypto_hash digest;
        CK_MECHANISM_TYPE mechanism;
    } rows[] = {
        {"RSA", NULL, CRYPTO_SHA256, CKM_SHA256_RSA_PKCS},
        {"EC", "P-256", CRYPTO_SHA256, CKM_ECDSA},
        {"EC", "P-384", CRYPTO_SHA384, CKM_ECDSA},
        {"EC", "P-521", CRYPTO_SHA512, CKM_ECDSA},
        {"ED25519", NULL, CRYPTO_SHA512, 0x1057UL},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s %s\n", rows[i].type, rows[i].group ? rows[i].group : "");
        AUTO(signer_fini) struct signer signer = signer_new(rows[i].type, rows[i].group);
        AUTO(buf_fini) struct buf cms;
        assert_non_null(signer.scheme);

        sign(&signer, signer.scheme->input, false, false, &cms);

        assert_int_equal(signer.scheme->digest, rows[i].digest);
        assert_int_equal(signer.scheme->mechanism, rows[i].mechanism);
        assert_state(buf_span(&cms), DOCUMENT, CMS_STATE_RIGHT);
        assert_state(buf_span(&cms), "another", CMS_STATE_CHANGED);
    }
}

static void other_keys_do_not_sign(void **state)
{
    EVP_PKEY *curve = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", "secp256k1");
    EVP_PKEY *edwards = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "ED448");
    (void)state;

    assert_null(cms_scheme_of(curve));
    assert_null(cms_scheme_of(edwards));
    assert_null(cms_scheme_of(NULL));
    EVP_PKEY_free(curve);
    EVP_PKEY_free(edwards);
}

static void a_token_that_takes_digest_infos_makes_the_same_signature(void **state)
{
    AUTO(signer_fini) struct signer signer = signer_new("RSA", NULL);
    AUTO(buf_fini) struct buf whole;
    AUTO(buf_fini) struct buf plain = {0};
    (void)state;

    sign(&signer, CMS_INPUT_WHOLE, false, false, &whole);
    sign(&signer, CMS_INPUT_DIGEST_INFO, false, false, &plain);

    assert_true(span_equal(buf_span(&whole), buf_span(&plain)));
}

static void the_attributes_are_those_of_cades(void **state)
{
    AUTO(signer_fini) struct signer signer = signer_new("RSA", NULL);
    AUTO(buf_fini) struct buf cms;
    uint8_t id[EVP_MAX_MD_SIZE];
    unsigned id_len = 0;
    (void)state;
    sign(&signer, CMS_INPUT_WHOLE, false, false, &cms);
    assert_int_equal(X509_digest(signer.x509, crypto_md(CRYPTO_SHA256), id, &id_len), 1);

    const unsigned char *at = cms.ptr;
    CMS_ContentInfo *read = d2i_CMS_ContentInfo(NULL, &at, (long)cms.len);
    const CMS_SignerInfo *info = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(read), 0);

    assert_int_equal(CMS_signed_get_attr_count(info), 4);
    assert_true(CMS_signed_get_attr_by_NID(info, NID_pkcs9_contentType, -1) >= 0);
    assert_true(CMS_signed_get_attr_by_NID(info, NID_pkcs9_messageDigest, -1) >= 0);
    assert_true(CMS_signed_get_attr_by_NID(info, NID_pkcs9_signingTime, -1) >= 0);
    const ASN1_STRING *value = CMS_signed_get0_data_by_OBJ(
        info, OBJ_nid2obj(NID_id_smime_aa_signingCertificateV2), -3, V_ASN1_SEQUENCE);
    assert_non_null(value);
    /* SEQUENCE { SEQUENCE { SEQUENCE { OCTET STRING id ...: no algorithm before it. */
    static const uint8_t octets[] = {V_ASN1_OCTET_STRING, 32};
    const uint8_t *found = memmem(ASN1_STRING_get0_data(value), 13, octets, sizeof(octets));
    assert_non_null(found);
    assert_memory_equal(found + sizeof(octets), id, 32);
    CMS_ContentInfo_free(read);
}

static void signing_time_and_signer_are_told(void **state)
{
    AUTO(signer_fini) struct signer signer = signer_new("EC", "P-256");
    AUTO(cms_report_fini) struct cms_report report;
    AUTO(buf_fini) struct buf cms;
    (void)state;
    sign(&signer, signer.scheme->input, true, false, &cms);
    assert_memory_equal(cms.ptr, "-----BEGIN CMS-----", 19);

    assert_int_equal(check(buf_span(&cms), DOCUMENT, &report), SCA_OK);

    assert_int_equal(report.items[0].state, CMS_STATE_RIGHT);
    assert_int_equal(report.items[0].signing_time, signing_time);
    assert_int_equal(X509_cmp(report.items[0].signer, signer.x509), 0);
    assert_int_equal(sk_X509_num(report.certificates), 1);
}

static void a_signature_of_something_else_is_wrong(void **state)
{
    static const char *const types[] = {"RSA", "ED25519"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        AUTO(signer_fini) struct signer signer = signer_new(types[i], NULL);
        AUTO(buf_fini) struct buf cms;
        sign(&signer, signer.scheme->input, false, true, &cms);

        assert_state(buf_span(&cms), DOCUMENT, CMS_STATE_WRONG);
    }
}

/* Same key, name and serial number: only the attribute tells the two apart. */
static void another_certificate_of_the_same_key_is_noticed(void **state)
{
    AUTO(signer_fini) struct signer signer = signer_new("RSA", NULL);
    X509 *other = certify(signer.key, signing_time + 2 * DAY);
    AUTO(buf_fini) struct buf cms;
    unsigned char *mine = NULL;
    unsigned char *theirs = NULL;
    (void)state;
    sign(&signer, signer.scheme->input, false, false, &cms);
    int len = i2d_X509(signer.x509, &mine);
    assert_int_equal(i2d_X509(other, &theirs), len);
    uint8_t *at = memmem(cms.ptr, cms.len, mine, (size_t)len);
    assert_non_null(at);
    memcpy(at, theirs, (size_t)len);

    assert_state(buf_span(&cms), DOCUMENT, CMS_STATE_MISATTRIBUTED);

    OPENSSL_free(mine);
    OPENSSL_free(theirs);
    X509_free(other);
}

static void what_is_no_detached_signature_is_refused(void **state)
{
    AUTO(signer_fini) struct signer signer = signer_new("EC", "P-256");
    AUTO(buf_fini) struct buf cms;
    AUTO(cms_report_fini) struct cms_report report;
    (void)state;
    sign(&signer, signer.scheme->input, false, false, &cms);
    const struct span rows[] = {
        span_text(""),
        span_text("no signature"),
        span_text("-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n"),
        span_of(cms.ptr, cms.len - 1),
        span_of(cms.ptr, 1),
        span_of(cms.ptr, CMS_FILE_MAX + 1), /* refused by its length alone */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("row %zu\n", i);
        assert_int_equal(check(rows[i], DOCUMENT, &report), SCA_PROTOCOL);
    }
}

static void a_content_that_cannot_be_read_is_told(void **state)
{
    AUTO(signer_fini) struct signer signer = signer_new("EC", "P-256");
    AUTO(buf_fini) struct buf cms;
    AUTO(cms_report_fini) struct cms_report report;
    AUTO(fd_closep) int folder = open(dir, O_RDONLY | O_CLOEXEC);
    (void)state;
    sign(&signer, signer.scheme->input, false, false, &cms);

    assert_int_equal(cms_check(buf_span(&cms), folder, &report), SCA_IO);
}

static void a_digest_or_signature_of_an_impossible_length_is_refused(void **state)
{
    AUTO(signer_fini) struct signer signer = signer_new("EC", "P-256");
    AUTO(cms_draft_freep) struct cms_draft *draft = draft_new(&signer);
    const struct cms_plan plan = {
        .signer = signer.x509, .scheme = signer.scheme, .signing_time = signing_time};
    struct cms_draft *none = NULL;
    uint8_t zeros[RAW_MAX * 4] = {0};
    struct buf cms;
    (void)state;

    assert_int_equal(cms_draft_new(&plan, span_of(zeros, 20), &none), SCA_INVALID);
    assert_null(none);
    static const size_t lengths[] = {0, 63, sizeof(zeros)};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
        assert_int_equal(cms_draft_finish(draft, span_of(zeros, lengths[i]), false, &cms),
                         SCA_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_signs_with_its_digest),
        cmocka_unit_test(other_keys_do_not_sign),
        cmocka_unit_test(a_token_that_takes_digest_infos_makes_the_same_signature),
        cmocka_unit_test(the_attributes_are_those_of_cades),
        cmocka_unit_test(signing_time_and_signer_are_told),
        cmocka_unit_test(a_signature_of_something_else_is_wrong),
        cmocka_unit_test(another_certificate_of_the_same_key_is_noticed),
        cmocka_unit_test(what_is_no_detached_signature_is_refused),
        cmocka_unit_test(a_content_that_cannot_be_read_is_told),
        cmocka_unit_test(a_digest_or_signature_of_an_impossible_length_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
