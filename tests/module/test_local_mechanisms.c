/* SPDX-License-Identifier: Apache-2.0 */
/* What a token with keys in this process says it can do. */
#include "module/token/mechanism.h"
#include "remote/base/cleanup.h"
#include "tests/module/local_stage.h"

enum { SIGNS = CKF_SIGN | CKF_VERIFY | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY };
enum { HASHES = SIGNS | CKF_MULTI_MESSAGE, RECOVERS = CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER };
enum { CURVES = CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS };

/* In the order of the list: pkcs11-tool signs with the first that can. */
static const struct {
    CK_MECHANISM_TYPE type;
    CK_MECHANISM_INFO info;
} mechanisms[] = {
    {CKM_SHA256_RSA_PKCS, {2048, 4096, HASHES}},
    {CKM_SHA384_RSA_PKCS, {2048, 4096, HASHES}},
    {CKM_SHA512_RSA_PKCS, {2048, 4096, HASHES}},
    {CKM_RSA_PKCS, {2048, 4096, SIGNS | RECOVERS}},
    {CKM_SHA256_RSA_PKCS_PSS, {2048, 4096, HASHES}},
    {CKM_SHA384_RSA_PKCS_PSS, {2048, 4096, HASHES}},
    {CKM_SHA512_RSA_PKCS_PSS, {2048, 4096, HASHES}},
    {CKM_RSA_PKCS_PSS, {2048, 4096, SIGNS}},
    {CKM_ECDSA_SHA256, {256, 521, HASHES | CURVES}},
    {CKM_ECDSA_SHA384, {256, 521, HASHES | CURVES}},
    {CKM_ECDSA_SHA512, {256, 521, HASHES | CURVES}},
    {CKM_ECDSA, {256, 521, SIGNS | CURVES}},
    {CKM_ECDSA_SHA1, {256, 521, HASHES | CURVES}},
    {CKM_EDDSA, {255, 255, SIGNS | CURVES}},
    {CKM_RSA_PKCS_KEY_PAIR_GEN, {2048, 4096, CKF_GENERATE_KEY_PAIR}},
    {CKM_EC_KEY_PAIR_GEN, {256, 521, CKF_GENERATE_KEY_PAIR | CURVES}},
    {CKM_EC_EDWARDS_KEY_PAIR_GEN, {255, 255, CKF_GENERATE_KEY_PAIR | CURVES}},
    {CKM_SHA_1, {0, 0, CKF_DIGEST}},
    {CKM_SHA256, {0, 0, CKF_DIGEST}},
    {CKM_SHA384, {0, 0, CKF_DIGEST}},
    {CKM_SHA512, {0, 0, CKF_DIGEST}},
};

static void the_list_is_this(void **state)
{
    CK_MECHANISM_TYPE list[ARRAY_LEN(mechanisms)];
    CK_ULONG count = 0;
    (void)state;

    EXPECT(CKR_OK, p11->C_GetMechanismList(FAKE_DISK, NULL, &count));
    assert_int_equal(count, ARRAY_LEN(mechanisms));
    EXPECT(CKR_OK, p11->C_GetMechanismList(FAKE_DISK, list, &count));
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
        assert_int_equal(list[i], mechanisms[i].type);
}

static void each_has_its_sizes_and_uses(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        CK_MECHANISM_INFO info = {1, 1, 1};
        EXPECT(CKR_OK, p11->C_GetMechanismInfo(FAKE_DISK, mechanisms[i].type, &info));
        assert_memory_equal(&info, &mechanisms[i].info, sizeof(info));
    }
}

static void what_is_weak_or_unknown_is_not_offered(void **state)
{
    static const CK_MECHANISM_TYPE unknown[] = {
        CKM_RSA_X_509,    CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS,
        CKM_MD5_RSA_PKCS, CKM_RSA_PKCS_OAEP, CKM_ECDH1_DERIVE,
        CKM_AES_KEY_GEN,  CKM_ECDSA_SHA224,  (CK_MECHANISM_TYPE)-1};
    CK_MECHANISM_INFO info;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        EXPECT(CKR_MECHANISM_INVALID, p11->C_GetMechanismInfo(FAKE_DISK, unknown[i], &info));
}

static void the_list_for_backends_has_every_mechanism_that_uses_a_key(void **state)
{
    size_t keyed = 0;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
        if (!(mechanisms[i].info.flags & CKF_DIGEST)) {
            assert_true(keyed < mechanisms_of_local_keys_count);
            assert_int_equal(mechanisms_of_local_keys[keyed++], mechanisms[i].type);
        }
    assert_int_equal(mechanisms_of_local_keys_count, keyed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(the_list_is_this),
        disk_test(each_has_its_sizes_and_uses),
        disk_test(what_is_weak_or_unknown_is_not_offered),
        disk_test(the_list_for_backends_has_every_mechanism_that_uses_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
