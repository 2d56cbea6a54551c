/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates as RFC 5280 wants them, signed by somebody behind a function. */
#include "remote/cli/x509_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "remote/base/cleanup.h"
#include "remote/cli/day.h"
#include "remote/cli/output.h"
#include "remote/cli/x509_read.h"

enum { KINDS = 7, YEAR = 365 * 86400 };

static const char *const kinds[KINDS] = {"ec:p256",  "ec:p384",  "ec:p521", "ed25519",
                                         "rsa:2048", "rsa:3072", "rsa:4096"};

/* A key in memory that signs as a token would. */
struct holder {
    EVP_PKEY *key;
    const struct key_spec *spec;
    enum sca_status answer;
    bool is_forged;
    unsigned asked;
};

static EVP_PKEY *make_key(const struct key_spec *spec)
{
    if (spec->type == CKK_RSA)
        return EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "RSA", (size_t)spec->bits);
    if (spec->type == CKK_EC)
        return EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", spec->group);
    return EVP_PKEY_Q_keygen(crypto_libctx(), NULL, spec->group);
}

static struct holder holder_of(const char *kind)
{
    struct holder holder = {.spec = key_spec_find(kind), .answer = SCA_OK};

    assert_non_null(holder.spec);
    holder.key = make_key(holder.spec);
    assert_ptr_equal(key_spec_of(holder.key), holder.spec);
    return holder;
}

static enum sca_status sign(void *sign_arg, struct span tbs, struct buf *ret_signature)
{
    struct holder *holder = sign_arg;
    static const char *const hashes[] = {
        [CRYPTO_SHA256] = "SHA256", [CRYPTO_SHA384] = "SHA384", [CRYPTO_SHA512] = "SHA512"};
    enum crypto_hash hash = holder->spec->type == CKK_RSA ? CRYPTO_SHA256 : holder->spec->hash;
    unsigned char signature[1024] = {0};
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    holder->asked++;
    if (EVP_DigestSignInit_ex(ctx, NULL, hash == CRYPTO_NO_HASH ? NULL : hashes[hash],
                              crypto_libctx(), NULL, holder->key, NULL) != 1 ||
        EVP_DigestSign(ctx, signature, &len, tbs.ptr, tbs.len) != 1)
        fail_msg("OpenSSL does not sign");
    EVP_MD_CTX_free(ctx);
    if (holder->is_forged)
        signature[len / 2] ^= 1;
    if (holder->answer != SCA_OK)
        return holder->answer;
    return buf_append(ret_signature, span_of(signature, len));
}

static enum sca_status build(const struct x509_plan *plan, struct holder *holder, X509 **ret_x509)
{
    const struct x509_signer signer = {
        .spec = holder->spec, .key = holder->key, .sign = sign, .sign_arg = holder};

    return x509_build(plan, &signer, ret_x509);
}

static struct x509_plan plan_for(EVP_PKEY *key)
{
    return (struct x509_plan){.subject = {.country = "VN",
                                          .state = "TP Hồ Chí Minh",
                                          .locality = "Quận 3",
                                          .organization = "VNPT Group",
                                          .organizational_unit = "VNPT-IT2",
                                          .common_name = "Nguyễn Văn Ánh",
                                          .user_id = "anh.nv"},
                              .key = key,
                              .not_before = 1767225600,
                              .not_after = 1767225600 + YEAR};
}

/* As `openssl verify -x509_strict` does it, at the time when the certificate begins. */
static int verify(X509 *x509, X509 *anchor, int64_t when)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(crypto_libctx(), NULL);

    assert_int_equal(X509_STORE_add_cert(store, anchor), 1);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, x509, NULL), 1);
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    X509_STORE_CTX_set_time(ctx, 0, (time_t)when);
    (void)X509_verify_cert(ctx);
    int error = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return error;
}

static void a_self_signed_certificate_of_every_kind_of_key_verifies(void **state)
{
    (void)state;

    for (size_t i = 0; i < KINDS - 2; i++) {
        struct holder holder = holder_of(kinds[i]);
        const struct x509_plan plan = plan_for(holder.key);
        AUTO(x509_freep) X509 *x509 = NULL;
        print_message("%s\n", kinds[i]);

        assert_int_equal(build(&plan, &holder, &x509), SCA_OK);

        assert_int_equal(holder.asked, 1);
        assert_int_equal(X509_get_version(x509), X509_VERSION_3);
        assert_int_equal(X509_get_signature_nid(x509), holder.spec->signature_nid);
        assert_int_equal(verify(x509, x509, plan.not_before), X509_V_OK);
        assert_int_equal(X509_get_extension_flags(x509) & EXFLAG_INVALID, 0);
        EVP_PKEY_free(holder.key);
    }
}

static void the_name_has_its_parts_in_order_and_in_utf8(void **state)
{
    struct holder holder = holder_of("ec:p256");
    const struct x509_plan plan = plan_for(holder.key);
    static const struct {
        int nid;
        int type;
        const char *text;
    } parts[] = {
        {NID_countryName, V_ASN1_PRINTABLESTRING, "VN"},
        {NID_stateOrProvinceName, V_ASN1_UTF8STRING, "TP Hồ Chí Minh"},
        {NID_localityName, V_ASN1_UTF8STRING, "Quận 3"},
        {NID_organizationName, V_ASN1_UTF8STRING, "VNPT Group"},
        {NID_organizationalUnitName, V_ASN1_UTF8STRING, "VNPT-IT2"},
        {NID_commonName, V_ASN1_UTF8STRING, "Nguyễn Văn Ánh"},
        {NID_userId, V_ASN1_UTF8STRING, "anh.nv"},
    };
    AUTO(x509_freep) X509 *x509 = NULL;
    (void)state;

    assert_int_equal(build(&plan, &holder, &x509), SCA_OK);

    const X509_NAME *name = X509_get_subject_name(x509);
    assert_int_equal(X509_NAME_entry_count(name), ARRAY_LEN(parts));
    for (int i = 0; i < (int)ARRAY_LEN(parts); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        const ASN1_STRING *data = X509_NAME_ENTRY_get_data(entry);
        AUTO(freep) char *text = x509_name_part(name, parts[i].nid);
        assert_int_equal(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)), parts[i].nid);
        assert_int_equal(ASN1_STRING_type(data), parts[i].type);
        assert_string_equal(text, parts[i].text);
    }
    assert_int_equal(X509_NAME_cmp(name, X509_get_issuer_name(x509)), 0);
    EVP_PKEY_free(holder.key);
}

static void what_is_not_said_is_left_out(void **state)
{
    struct holder holder = holder_of("ec:p256");
    struct x509_plan plan = plan_for(holder.key);
    AUTO(x509_freep) X509 *x509 = NULL;
    (void)state;
    plan.subject = (struct x509_subject){.common_name = "A"};

    assert_int_equal(build(&plan, &holder, &x509), SCA_OK);

    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(x509)), 1);
    assert_null(x509_name_part(X509_get_subject_name(x509), NID_userId));
    EVP_PKEY_free(holder.key);
}

static void a_persons_certificate_signs_and_is_no_authority(void **state)
{
    struct holder holder = holder_of("ec:p256");
    const struct x509_plan plan = plan_for(holder.key);
    AUTO(x509_freep) X509 *x509 = NULL;
    uint8_t id[CERTIFICATE_ID_SIZE];
    (void)state;

    assert_int_equal(build(&plan, &holder, &x509), SCA_OK);

    assert_int_equal(X509_get_key_usage(x509), KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION);
    assert_false(x509_is_authority(x509));
    assert_int_equal(X509_get_ext_count(x509), 4);
    assert_true(X509_EXTENSION_get_critical(
        X509_get_ext(x509, X509_get_ext_by_NID(x509, NID_basic_constraints, -1))));
    assert_true(X509_EXTENSION_get_critical(
        X509_get_ext(x509, X509_get_ext_by_NID(x509, NID_key_usage, -1))));
    assert_true(x509_id_of_key(holder.key, id));
    assert_memory_equal(ASN1_STRING_get0_data(X509_get0_subject_key_id(x509)), id, sizeof(id));
    assert_memory_equal(ASN1_STRING_get0_data(X509_get0_authority_key_id(x509)), id, sizeof(id));
    EVP_PKEY_free(holder.key);
}

static void an_authority_issues_for_people_only(void **state)
{
    struct holder issuer = holder_of("ec:p384");
    struct holder person = holder_of("ed25519");
    struct x509_plan of_issuer = plan_for(issuer.key);
    struct x509_plan of_person = plan_for(person.key);
    AUTO(x509_freep) X509 *authority = NULL;
    AUTO(x509_freep) X509 *x509 = NULL;
    (void)state;
    of_issuer.subject = (struct x509_subject){.country = "VN", .common_name = "Company"};
    of_issuer.is_authority = true;

    assert_int_equal(build(&of_issuer, &issuer, &authority), SCA_OK);
    of_person.issuer = authority;
    assert_int_equal(build(&of_person, &issuer, &x509), SCA_OK);

    assert_true(x509_is_authority(authority));
    assert_int_equal(X509_get_pathlen(authority), 0);
    assert_int_equal(X509_get_key_usage(authority), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(verify(authority, authority, of_issuer.not_before), X509_V_OK);
    assert_int_equal(verify(x509, authority, of_person.not_before), X509_V_OK);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(x509),
                                           X509_get0_subject_key_id(authority)),
                     0);
    assert_int_equal(X509_get_signature_nid(x509), NID_ecdsa_with_SHA384);
    EVP_PKEY_free(issuer.key);
    EVP_PKEY_free(person.key);
}

static void times_change_their_form_in_2050(void **state)
{
    struct holder holder = holder_of("ec:p256");
    struct x509_plan plan = plan_for(holder.key);
    AUTO(x509_freep) X509 *x509 = NULL;
    (void)state;
    assert_true(day_parse("2050-01-01", &plan.not_after));
    plan.not_before = plan.not_after - 1;

    assert_int_equal(build(&plan, &holder, &x509), SCA_OK);

    assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(x509)), V_ASN1_UTCTIME);
    assert_string_equal((const char *)ASN1_STRING_get0_data(X509_get0_notBefore(x509)),
                        "491231235959Z");
    assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(x509)), V_ASN1_GENERALIZEDTIME);
    assert_string_equal((const char *)ASN1_STRING_get0_data(X509_get0_notAfter(x509)),
                        "20500101000000Z");
    assert_int_equal(x509_time(X509_get0_notAfter(x509)), plan.not_after);
    EVP_PKEY_free(holder.key);
}

static void serial_numbers_have_128_bits_and_differ(void **state)
{
    struct holder holder = holder_of("ec:p256");
    const struct x509_plan plan = plan_for(holder.key);
    char seen[8][CERTIFICATE_SERIAL_HEX];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        AUTO(x509_freep) X509 *x509 = NULL;
        assert_int_equal(build(&plan, &holder, &x509), SCA_OK);
        assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(x509)), 16);
        assert_int_equal(ASN1_STRING_type(X509_get0_serialNumber(x509)), V_ASN1_INTEGER);
        assert_int_equal(strlen(x509_serial(x509, seen[i])), 32);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
    }
    EVP_PKEY_free(holder.key);
}

static void a_negative_serial_number_has_its_minus(void **state)
{
    static const struct {
        long serial;
        const char *text;
    } rows[] = {{0, "00"}, {251, "fb"}, {-5, "-05"}, {-251, "-fb"}, {-32768, "-8000"}};
    char text[CERTIFICATE_SERIAL_HEX];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(x509_freep) X509 *x509 = X509_new();
        assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), rows[i].serial), 1);
        assert_string_equal(x509_serial(x509, text), rows[i].text);
    }
}

static void a_time_has_a_year_of_four_digits(void **state)
{
    char text[OUTPUT_TIME_SIZE];
    (void)state;

    assert_string_equal(output_time(-62167219200, text), "0000-01-01T00:00:00Z");
    assert_string_equal(output_time(1769817600, text), "2026-01-31T00:00:00Z");
}

static void a_signature_that_does_not_verify_is_no_certificate(void **state)
{
    struct holder holder = holder_of("rsa:2048");
    const struct x509_plan plan = plan_for(holder.key);
    X509 *x509 = NULL;
    (void)state;
    holder.is_forged = true;

    assert_int_equal(build(&plan, &holder, &x509), SCA_MISMATCH);

    assert_null(x509);
    EVP_PKEY_free(holder.key);
}

static void who_does_not_sign_says_why(void **state)
{
    struct holder holder = holder_of("ec:p256");
    const struct x509_plan plan = plan_for(holder.key);
    X509 *x509 = NULL;
    (void)state;
    holder.answer = SCA_IO;

    assert_int_equal(build(&plan, &holder, &x509), SCA_IO);

    assert_null(x509);
    EVP_PKEY_free(holder.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_self_signed_certificate_of_every_kind_of_key_verifies),
        cmocka_unit_test(the_name_has_its_parts_in_order_and_in_utf8),
        cmocka_unit_test(what_is_not_said_is_left_out),
        cmocka_unit_test(a_persons_certificate_signs_and_is_no_authority),
        cmocka_unit_test(an_authority_issues_for_people_only),
        cmocka_unit_test(times_change_their_form_in_2050),
        cmocka_unit_test(a_negative_serial_number_has_its_minus),
        cmocka_unit_test(a_time_has_a_year_of_four_digits),
        cmocka_unit_test(serial_numbers_have_128_bits_and_differ),
        cmocka_unit_test(a_signature_that_does_not_verify_is_no_certificate),
        cmocka_unit_test(who_does_not_sign_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
