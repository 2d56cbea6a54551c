/* SPDX-License-Identifier: Apache-2.0 */
/* The host uses the same OpenSSL: what it left there it finds again. */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "tests/module/local_stage.h"

/* Every kind of key, good calls and calls that fail inside OpenSSL. */
static void live_a_life(void)
{
    static const struct {
        enum local_kind kind;
        CK_MECHANISM_TYPE type;
        CK_ULONG len;
    } rows[] = {
        {LOCAL_RSA, CKM_SHA256_RSA_PKCS, 256},
        {LOCAL_P256, CKM_ECDSA_SHA256, 64},
        {LOCAL_ED25519, CKM_EDDSA, 64},
    };
    CK_SESSION_HANDLE session = disk_logged_in();

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct disk_pair pair = local_generate(session, rows[i].kind, CK_TRUE, NULL);
        CK_MECHANISM mechanism = {rows[i].type, NULL, 0};
        CK_BYTE wrong[SIGNATURE_LEN] = {1};
        EXPECT(CKR_OK, local_sign(session, rows[i].type, pair.private_key));
        EXPECT(CKR_OK, p11->C_VerifyInit(session, &mechanism, pair.public_key));
        EXPECT(CKR_SIGNATURE_INVALID,
               p11->C_Verify(session, MESSAGE, MESSAGE_LEN, wrong, rows[i].len));
    }
    CK_BYTE rubbish[] = {0x30, 0x03, 0x02, 0x01, 0x05};
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE x509 = CKC_X_509;
    CK_ATTRIBUTE certificate[] = {{CKA_CLASS, &class, sizeof(class)},
                                  {CKA_CERTIFICATE_TYPE, &x509, sizeof(x509)},
                                  {CKA_SUBJECT, rubbish, 2},
                                  {CKA_VALUE, rubbish, sizeof(rubbish)}};
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    assert_true(p11->C_CreateObject(session, certificate, 4, &made) != CKR_OK);
    EXPECT(CKR_OK, p11->C_CloseSession(session));
}

static void the_hosts_errors_stay_in_its_queue(void **state)
{
    const char *data = NULL;
    int flags = 0;
    (void)state;
    ERR_clear_error();
    ERR_raise_data(ERR_LIB_USER, 42, "of the host");
    ERR_raise(ERR_LIB_USER, 43);

    live_a_life();

    assert_int_equal(ERR_GET_REASON(ERR_get_error_all(NULL, NULL, NULL, &data, &flags)), 42);
    assert_string_equal(data, "of the host");
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 43);
    assert_int_equal(ERR_get_error(), 0);
}

/* live_a_life() expects CKR_SIGNATURE_INVALID of each kind of key. */
static void what_the_host_lacked_is_no_excuse_for_a_wrong_signature(void **state)
{
    (void)state;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);

    live_a_life();

    assert_int_equal(ERR_GET_REASON(ERR_get_error()), ERR_R_MALLOC_FAILURE);
    assert_int_equal(ERR_get_error(), 0);
}

/* Neither the thread's library context, nor what is loaded into the default one. */
static void the_hosts_contexts_stay(void **state)
{
    (void)state;
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new();
    assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
    OSSL_LIB_CTX *usual = OSSL_LIB_CTX_set0_default(own);

    live_a_life();

    assert_ptr_equal(OSSL_LIB_CTX_set0_default(usual), own);
    assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
    OSSL_LIB_CTX_free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_hosts_errors_stay_in_its_queue, disk_begin, stage_end),
        cmocka_unit_test_setup_teardown(what_the_host_lacked_is_no_excuse_for_a_wrong_signature,
                                        disk_begin, stage_end),
        cmocka_unit_test_setup_teardown(the_hosts_contexts_stay, disk_begin, stage_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
