/* SPDX-License-Identifier: Apache-2.0 */
/* Signing and verifying with keys in this process: what comes out. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/local_stage.h"

/* hash: of the PSS parameter. */
static const struct row {
    enum local_kind kind;
    CK_MECHANISM_TYPE type;
    CK_MECHANISM_TYPE hash;
    bool is_raw;
    CK_ULONG length;
} rows[] = {
    {LOCAL_RSA, CKM_RSA_PKCS, 0, true, 256},
    {LOCAL_RSA, CKM_SHA256_RSA_PKCS, 0, false, 256},
    {LOCAL_RSA, CKM_SHA384_RSA_PKCS, 0, false, 256},
    {LOCAL_RSA, CKM_SHA512_RSA_PKCS, 0, false, 256},
    {LOCAL_RSA, CKM_RSA_PKCS_PSS, CKM_SHA256, true, 256},
    {LOCAL_RSA, CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, false, 256},
    {LOCAL_RSA, CKM_SHA384_RSA_PKCS_PSS, CKM_SHA384, false, 256},
    {LOCAL_RSA, CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512, false, 256},
    {LOCAL_P256, CKM_ECDSA, 0, true, 64},
    {LOCAL_P256, CKM_ECDSA_SHA256, 0, false, 64},
    {LOCAL_P256, CKM_ECDSA_SHA512, 0, false, 64},
    {LOCAL_P384, CKM_ECDSA, 0, true, 96},
    {LOCAL_P384, CKM_ECDSA_SHA384, 0, false, 96},
    {LOCAL_P521, CKM_ECDSA, 0, true, 132},
    {LOCAL_P521, CKM_ECDSA_SHA512, 0, false, 132},
    {LOCAL_ED25519, CKM_EDDSA, 0, true, 64},
};

/* A pair of each kind, made when the first row asks for it. */
struct pairs {
    struct disk_pair of[LOCAL_ED25519 + 1];
};

static struct disk_pair pair_for(CK_SESSION_HANDLE session, struct pairs *pairs,
                                 enum local_kind kind)
{
    if (!pairs->of[kind].private_key)
        pairs->of[kind] = local_generate(session, kind, CK_TRUE, NULL);
    return pairs->of[kind];
}

static void sign(CK_SESSION_HANDLE session, const struct row *row, struct disk_pair pair,
                 CK_BYTE *signature)
{
    struct local_mechanism room;
    CK_MECHANISM *mechanism = local_mechanism(&room, row->type, row->hash);
    CK_ULONG len = 0;
    EXPECT(CKR_OK, p11->C_SignInit(session, mechanism, pair.private_key));
    EXPECT(CKR_OK, p11->C_Sign(session, DIGEST, DIGEST_LEN, NULL, &len));
    assert_int_equal(len, row->length);
    len = row->length - 1;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_Sign(session, DIGEST, DIGEST_LEN, signature, &len));
    assert_int_equal(len, row->length);
    EXPECT(CKR_OK, p11->C_Sign(session, DIGEST, DIGEST_LEN, signature, &len));
    assert_int_equal(len, row->length);
    assert_false(local_is_busy(session));
}

static CK_RV verify(CK_SESSION_HANDLE session, const struct row *row, struct disk_pair pair,
                    CK_BYTE *signature, CK_ULONG len)
{
    struct local_mechanism room;
    CK_MECHANISM *mechanism = local_mechanism(&room, row->type, row->hash);
    EXPECT(CKR_OK, p11->C_VerifyInit(session, mechanism, pair.public_key));
    CK_RV rv = p11->C_Verify(session, DIGEST, DIGEST_LEN, signature, len);
    assert_false(local_is_busy(session));
    return rv;
}

static void every_mechanism_signs_and_verifies(void **state)
{
    struct pairs pairs = {0};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_BYTE signature[LOCAL_SIGNATURE_MAX + 1] = {0};
        struct disk_pair pair = pair_for(session, &pairs, rows[i].kind);
        sign(session, &rows[i], pair, signature);
        assert_int_equal(signature[rows[i].length], 0);

        EXPECT(CKR_OK, verify(session, &rows[i], pair, signature, rows[i].length));
        EXPECT(CKR_SIGNATURE_LEN_RANGE,
               verify(session, &rows[i], pair, signature, rows[i].length - 1));
        EXPECT(CKR_SIGNATURE_LEN_RANGE,
               verify(session, &rows[i], pair, signature, rows[i].length + 1));
        signature[rows[i].length / 2] ^= 1;
        EXPECT(CKR_SIGNATURE_INVALID, verify(session, &rows[i], pair, signature, rows[i].length));
    }
}

/* In parts, with a part of nothing and a question for the length between; raw ones have none. */
static void what_hashes_takes_parts_and_the_others_do_not(void **state)
{
    struct pairs pairs = {0};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_BYTE signature[LOCAL_SIGNATURE_MAX];
        CK_ULONG len = sizeof(signature);
        struct disk_pair pair = pair_for(session, &pairs, rows[i].kind);
        struct local_mechanism room;
        CK_MECHANISM *mechanism = local_mechanism(&room, rows[i].type, rows[i].hash);
        EXPECT(CKR_OK, p11->C_SignInit(session, mechanism, pair.private_key));
        if (rows[i].is_raw) {
            EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_SignUpdate(session, DIGEST, 1));
            assert_false(local_is_busy(session));
            EXPECT(CKR_OK, p11->C_SignInit(session, mechanism, pair.private_key));
            EXPECT(CKR_FUNCTION_NOT_SUPPORTED, p11->C_SignFinal(session, signature, &len));
            assert_false(local_is_busy(session));
            continue;
        }
        EXPECT(CKR_OK, p11->C_SignUpdate(session, DIGEST, 5));
        EXPECT(CKR_OK, p11->C_SignUpdate(session, NULL, 0));
        EXPECT(CKR_OK, p11->C_SignUpdate(session, DIGEST + 5, DIGEST_LEN - 5));
        EXPECT(CKR_OK, p11->C_SignFinal(session, NULL, &len));
        assert_int_equal(len, rows[i].length);
        EXPECT(CKR_OK, p11->C_SignFinal(session, signature, &len));
        assert_int_equal(len, rows[i].length);
        assert_false(local_is_busy(session));

        EXPECT(CKR_OK, verify(session, &rows[i], pair, signature, len));
        EXPECT(CKR_OK, p11->C_VerifyInit(session, mechanism, pair.public_key));
        EXPECT(CKR_OK, p11->C_VerifyUpdate(session, DIGEST, 31));
        EXPECT(CKR_OK, p11->C_VerifyUpdate(session, DIGEST + 31, 1));
        EXPECT(CKR_OK, p11->C_VerifyFinal(session, signature, len));
    }
}

static void data_of_the_wrong_length_ends_it(void **state)
{
    static const struct {
        enum local_kind kind;
        CK_MECHANISM_TYPE type;
        CK_MECHANISM_TYPE hash;
        CK_ULONG len;
        CK_RV expected;
    } lengths[] = {
        {LOCAL_RSA, CKM_RSA_PKCS, 0, 0, CKR_OK},
        {LOCAL_RSA, CKM_RSA_PKCS, 0, 245, CKR_OK},
        {LOCAL_RSA, CKM_RSA_PKCS, 0, 246, CKR_DATA_LEN_RANGE},
        {LOCAL_RSA, CKM_RSA_PKCS_PSS, CKM_SHA256, 32, CKR_OK},
        {LOCAL_RSA, CKM_RSA_PKCS_PSS, CKM_SHA256, 31, CKR_DATA_LEN_RANGE},
        {LOCAL_RSA, CKM_RSA_PKCS_PSS, CKM_SHA384, 32, CKR_DATA_LEN_RANGE},
        {LOCAL_RSA, CKM_RSA_PKCS_PSS, CKM_SHA384, 48, CKR_OK},
        {LOCAL_P256, CKM_ECDSA, 0, 0, CKR_DATA_LEN_RANGE},
        {LOCAL_P256, CKM_ECDSA, 0, 20, CKR_OK},
        {LOCAL_P256, CKM_ECDSA, 0, 128, CKR_OK},
        {LOCAL_P256, CKM_ECDSA, 0, 129, CKR_DATA_LEN_RANGE},
        {LOCAL_P256, CKM_ECDSA_SHA256, 0, 0, CKR_OK},
        {LOCAL_P256, CKM_ECDSA_SHA256, 0, 250, CKR_OK},
        {LOCAL_ED25519, CKM_EDDSA, 0, 0, CKR_OK},
        {LOCAL_ED25519, CKM_EDDSA, 0, 250, CKR_OK},
    };
    struct pairs pairs = {0};
    CK_BYTE data[250];
    (void)state;
    memset(data, 'd', sizeof(data));
    CK_SESSION_HANDLE session = disk_logged_in();

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        CK_BYTE signature[LOCAL_SIGNATURE_MAX] = {0};
        CK_ULONG len = sizeof(signature);
        struct local_mechanism room;
        CK_MECHANISM *mechanism = local_mechanism(&room, lengths[i].type, lengths[i].hash);
        struct disk_pair pair = pair_for(session, &pairs, lengths[i].kind);
        EXPECT(CKR_OK, p11->C_SignInit(session, mechanism, pair.private_key));
        CK_RV rv = p11->C_Sign(session, data, lengths[i].len, signature, &len);
        if (rv != lengths[i].expected)
            fail_msg("row %zu: %s", i, stage_name(rv));
        assert_false(local_is_busy(session));
        EXPECT(CKR_OK, p11->C_VerifyInit(session, mechanism, pair.public_key));
        EXPECT(lengths[i].expected, p11->C_Verify(session, data, lengths[i].len, signature, len));
    }
}

static void the_signature_may_overwrite_the_data(void **state)
{
    struct pairs pairs = {0};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CK_BYTE both[LOCAL_SIGNATURE_MAX];
        CK_ULONG len = sizeof(both);
        struct local_mechanism room;
        struct disk_pair pair = pair_for(session, &pairs, rows[i].kind);
        memcpy(both, DIGEST, DIGEST_LEN);
        EXPECT(CKR_OK, p11->C_SignInit(session, local_mechanism(&room, rows[i].type, rows[i].hash),
                                       pair.private_key));
        EXPECT(CKR_OK, p11->C_Sign(session, both, DIGEST_LEN, both, &len));
        EXPECT(CKR_OK, verify(session, &rows[i], pair, both, len));
    }
}

static void eddsa_takes_the_parameter_that_changes_nothing(void **state)
{
    CK_BYTE signature[64];
    CK_ULONG len = sizeof(signature);
    struct cryptoki_eddsa_params plain = {CK_FALSE, 0, NULL};
    struct cryptoki_eddsa_params hashed = {CK_TRUE, 0, NULL};
    CK_MECHANISM mechanism = {CKM_EDDSA, &plain, sizeof(plain)};
    CK_MECHANISM refused = {CKM_EDDSA, &hashed, sizeof(hashed)};
    CK_MECHANISM bare = {.mechanism = CKM_EDDSA};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_ED25519, CK_FALSE, NULL);

    EXPECT(CKR_MECHANISM_PARAM_INVALID, p11->C_SignInit(session, &refused, pair.private_key));
    EXPECT(CKR_OK, p11->C_SignInit(session, &mechanism, pair.private_key));
    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    EXPECT(CKR_OK, p11->C_VerifyInit(session, &bare, pair.public_key));
    EXPECT(CKR_OK, p11->C_Verify(session, MESSAGE, MESSAGE_LEN, signature, len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(every_mechanism_signs_and_verifies),
        disk_test(what_hashes_takes_parts_and_the_others_do_not),
        disk_test(data_of_the_wrong_length_ends_it),
        disk_test(the_signature_may_overwrite_the_data),
        disk_test(eddsa_takes_the_parameter_that_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
