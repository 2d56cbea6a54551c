/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without memory there is no verdict: what is right is never called wrong, whichever allocation
 * fails, for callers end a transaction, or forget a certificate, on the strength of it.
 */
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/catalogue/certificate.h"
#include "remote/smartca/ledger.h"
#include "remote/smartca/result.h"
#include "tests/inject/shim.h"
#include "tests/unit/signer_stage.h"

enum { RSA_LEN = 256, K_MAX = 20000 };

/* Tries it with the k-th allocation failing until none does; how many there were. */
static unsigned long refuse_each(bool (*is_right)(void))
{
    struct inject_result result = {.has_struck = true};
    struct inject_plan plan = {.kind = INJECT_MEMORY, .scope = INJECT_EVERYWHERE};

    assert_true(is_right()); /* what OpenSSL fetches, it has fetched then */
    for (plan.k = 1; result.has_struck && plan.k < K_MAX; plan.k++) {
        inject_arm(&plan);
        (void)is_right();
        inject_disarm(&result);
    }
    assert_true(plan.k < K_MAX);
    assert_true(is_right());
    return plan.k;
}

static uint8_t signature[RSA_LEN];
static uint8_t digest[32];
static struct span digest_span;
static char base64[RSA_LEN * 2];
static struct result_key *key;
static bool was_called_wrong;

static bool extract(void)
{
    uint8_t out[RSA_LEN];
    enum sca_status st = result_extract(key, digest_span, base64, out, sizeof(out));
    was_called_wrong = was_called_wrong || (st != SCA_OK && st != SCA_NOMEM);
    return st == SCA_OK;
}

static void make_signature(void)
{
    struct signer *signer =
        stage_signer(KEY_RSA, stage_mechanism(SCHEME_PKCS1, CRYPTO_SHA256), CKF_SIGN);

    digest_span = stage_digest(CRYPTO_SHA256, span_text("contract"), digest);
    assert_int_equal(signer_sign(signer, digest_span, signature), CKR_OK);
    signer_free(signer);
    was_called_wrong = false;
}

static void a_signature_from_the_service_is_not_called_false(void **state)
{
    uint8_t *spki = NULL;
    (void)state;
    make_signature();
    (void)EVP_EncodeBlock((uint8_t *)base64, signature, RSA_LEN);
    int len = i2d_PUBKEY(stage_key(KEY_RSA), &spki);
    assert_int_equal(result_key_new(crypto_libctx(), span_of(spki, (size_t)len), &key), SCA_OK);
    OPENSSL_free(spki);

    assert_true(refuse_each(extract) > 10);

    result_key_free(key);
    assert_false(was_called_wrong);
}

static struct signer *verifier;

static bool verify(void)
{
    CK_RV rv = signer_verify(verifier, digest_span, span_of(signature, RSA_LEN));
    was_called_wrong = was_called_wrong || (rv != CKR_OK && rv != CKR_HOST_MEMORY);
    return rv == CKR_OK;
}

static void a_signature_of_the_application_is_not_called_invalid(void **state)
{
    (void)state;
    make_signature();
    verifier = stage_signer(KEY_RSA, stage_mechanism(SCHEME_PKCS1, CRYPTO_SHA256), CKF_VERIFY);

    assert_true(refuse_each(verify) > 3);

    signer_free(verifier);
    assert_false(was_called_wrong);
}

static uint8_t *der;
static int der_len;

static bool parse(void)
{
    struct parsed_certificate *parsed = NULL;
    const char *why = NULL;
    enum sca_status st =
        certificate_parse(crypto_libctx(), span_of(der, (size_t)der_len), &parsed, &why);
    was_called_wrong = was_called_wrong || (st != SCA_OK && st != SCA_NOMEM);
    parsed_certificate_free(parsed);
    return st == SCA_OK;
}

static bool ask_usage(void)
{
    bool signs = false;
    enum sca_status st =
        certificate_may_sign(crypto_libctx(), span_of(der, (size_t)der_len), &signs);
    was_called_wrong = was_called_wrong || (st == SCA_OK ? !signs : st != SCA_NOMEM);
    return st == SCA_OK;
}

/* Nor one for something else. */
static void a_certificate_is_not_called_unreadable(void **state)
{
    X509 *x509 = X509_new();
    (void)state;
    was_called_wrong = false;
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), 4711), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notBefore(x509), "20240229120000Z"), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notAfter(x509), "20500101000000Z"), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                                                (const unsigned char *)"signer", -1, -1, 0),
                     1);
    X509_EXTENSION *usage = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "digitalSignature");
    assert_int_equal(X509_add_ext(x509, usage, -1), 1);
    X509_EXTENSION_free(usage);
    assert_int_equal(X509_set_pubkey(x509, stage_key(KEY_RSA)), 1);
    assert_true(X509_sign(x509, stage_key(KEY_RSA), EVP_sha256()) > 0);
    der_len = i2d_X509(x509, &der);
    X509_free(x509);

    assert_true(refuse_each(parse) > 100);
    assert_true(refuse_each(ask_usage) > 50);

    OPENSSL_free(der);
    assert_false(was_called_wrong);
}

static struct buf lines;
static bool was_lost;

/* The reader changes the lines it is given. */
static bool read_journal(void)
{
    struct buf copy;
    struct ledger ledger = {0};

    buf_init(&copy, LEDGER_SIZE_MAX, false);
    enum sca_status st = buf_append(&copy, buf_span(&lines));
    if (st == SCA_OK)
        st = ledger_read(&ledger, &copy);
    was_lost = was_lost || (st == SCA_OK ? ledger.count != 1 : st != SCA_NOMEM);
    ledger_fini(&ledger);
    buf_fini(&copy);
    return st == SCA_OK;
}

/* Else the next who asks for its signature would have the person asked again. */
static void a_transaction_in_the_journal_is_not_overlooked(void **state)
{
    struct journal_document document = {.digest_len = 32, .doc_id = "doc-1"};
    const struct journal_transaction transaction = {
        .id = "9f1c8a52-6d0e-4a7b-9c3d-2b1e0f4a5d6c",
        .tran_code = "code",
        .url = "https://127.0.0.1/sca/sp769",
        .user_id = "012345678901",
        .serial = "5402",
        .description = "a contract",
        .begun_at = 1000,
        .state = JOURNAL_SUBMITTED,
        .documents = &document,
        .document_count = 1,
    };
    (void)state;
    buf_init(&lines, LEDGER_SIZE_MAX, false);
    assert_int_equal(ledger_write_transaction(&transaction, &lines), SCA_OK);

    assert_true(refuse_each(read_journal) > 30);

    buf_fini(&lines);
    assert_false(was_lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_from_the_service_is_not_called_false),
        cmocka_unit_test(a_signature_of_the_application_is_not_called_invalid),
        cmocka_unit_test(a_transaction_in_the_journal_is_not_overlooked),
        cmocka_unit_test(a_certificate_is_not_called_unreadable),
    };
    return cmocka_run_group_tests(tests, NULL, stage_keys_free);
}
