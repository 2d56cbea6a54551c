/* SPDX-License-Identifier: Apache-2.0 */
/* Key pairs: what must be right in what is asked for, and what comes of it. */
#include <string.h>

#include <openssl/evp.h>

#include "module/token/key_material.h"
#include "remote/base/cleanup.h"
#include "tests/unit/blueprint_stage.h"

static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

/* The quickest that can be made. */
static void pair_of_p256(struct stage_pair *pair)
{
    stage_pair_init(pair, CKM_EC_KEY_PAIR_GEN);
    stage_add(&pair->for_public, CKA_EC_PARAMS, span_of(p256, sizeof(p256)));
}

/* Refused before a key is made, or this test would take minutes. */
static void pair_of_rsa(struct stage_pair *pair, CK_ULONG bits)
{
    stage_pair_init(pair, CKM_RSA_PKCS_KEY_PAIR_GEN);
    stage_add_ulong(&pair->for_public, CKA_MODULUS_BITS, bits);
}

static bool is_same(const struct blueprint *a, const struct blueprint *b, CK_ATTRIBUTE_TYPE type)
{
    return span_equal(key_value(a->attributes.list, a->attributes.count, type),
                      key_value(b->attributes.list, b->attributes.count, type));
}

static void an_rsa_key_has_the_size_and_the_exponent_asked_for(void **state)
{
    struct stage_pair pair;
    (void)state;
    pair_of_rsa(&pair, 2056);
    stage_add(&pair.for_public, CKA_PUBLIC_EXPONENT, BYTES(0, 1, 0, 0, 0, 0x0f));

    assert_int_equal(stage_generate(&pair), CKR_OK);

    assert_ulong(&pair.public_key, CKA_MODULUS_BITS, 2056);
    assert_absent(&pair.private_key, CKA_MODULUS_BITS);
    assert_value(&pair.public_key, CKA_PUBLIC_EXPONENT, BYTES(1, 0, 0, 0, 0x0f));
    assert_value(&pair.private_key, CKA_PUBLIC_EXPONENT, BYTES(1, 0, 0, 0, 0x0f));
    assert_true(is_same(&pair.public_key, &pair.private_key, CKA_MODULUS));
    assert_int_equal(EVP_PKEY_get_bits(pair.private_key.key), 2056);
    stage_pair_fini(&pair);
}

static void an_rsa_key_of_another_size_is_refused(void **state)
{
    static const CK_ULONG sizes[] = {0,    512,  1024, 2040, 2047,
                                     2049, 4097, 4104, 8192, (CK_ULONG)-1};
    struct stage_pair pair;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        pair_of_rsa(&pair, sizes[i]);
        assert_answer(stage_generate(&pair), CKR_KEY_SIZE_RANGE, "size");
        stage_pair_fini(&pair);
    }
}

static void weak_public_exponents_are_refused(void **state)
{
    const struct span exponents[] = {
        NOTHING,        BYTES(0),       BYTES(1),
        BYTES(3),       BYTES(17),      BYTES(0xff, 0xff),
        BYTES(1, 0, 0), BYTES(1, 0, 2), BYTES(1, 0, 0, 0, 0, 0, 0, 0, 1),
    };
    struct stage_pair pair;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(exponents); i++) {
        pair_of_rsa(&pair, 2048);
        stage_add(&pair.for_public, CKA_PUBLIC_EXPONENT, exponents[i]);
        assert_answer(stage_generate(&pair), CKR_ATTRIBUTE_VALUE_INVALID, "exponent");
        stage_pair_fini(&pair);
    }
}

static void size_or_curve_must_be_given(void **state)
{
    static const CK_MECHANISM_TYPE all[] = {CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN,
                                            CKM_EC_EDWARDS_KEY_PAIR_GEN};
    struct stage_pair pair;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        stage_pair_init(&pair, all[i]);
        assert_answer(stage_generate(&pair), CKR_TEMPLATE_INCOMPLETE, "nothing given");
        stage_pair_fini(&pair);
    }
}

static void a_curve_is_of_its_mechanism(void **state)
{
    static const uint8_t secp256k1[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a};
    struct stage_pair pair;
    (void)state;
    pair_of_p256(&pair);
    stage_replace(&pair.for_public, CKA_EC_PARAMS, span_of(ed25519, sizeof(ed25519)));
    assert_int_equal(stage_generate(&pair), CKR_CURVE_NOT_SUPPORTED);
    stage_replace(&pair.for_public, CKA_EC_PARAMS, span_of(secp256k1, sizeof(secp256k1)));
    assert_int_equal(stage_generate(&pair), CKR_CURVE_NOT_SUPPORTED);
    pair.mechanism.mechanism = CKM_EC_EDWARDS_KEY_PAIR_GEN;
    stage_replace(&pair.for_public, CKA_EC_PARAMS, span_of(p256, sizeof(p256)));
    assert_int_equal(stage_generate(&pair), CKR_CURVE_NOT_SUPPORTED);
    pair.mechanism.mechanism = CKM_AES_KEY_GEN;
    assert_int_equal(stage_generate(&pair), CKR_MECHANISM_INVALID);
    stage_pair_fini(&pair);
}

static void each_half_has_the_id_that_either_was_given(void **state)
{
    struct stage_pair pair;
    (void)state;
    pair_of_p256(&pair);
    stage_add(&pair.for_private, CKA_ID, BYTES(9, 9));
    assert_int_equal(stage_generate(&pair), CKR_OK);
    assert_value(&pair.public_key, CKA_ID, BYTES(9, 9));
    assert_value(&pair.private_key, CKA_ID, BYTES(9, 9));
    stage_pair_fini(&pair);

    pair_of_p256(&pair);
    stage_add(&pair.for_public, CKA_ID, BYTES(8));
    stage_add(&pair.for_private, CKA_ID, NOTHING);
    assert_int_equal(stage_generate(&pair), CKR_OK);
    assert_value(&pair.public_key, CKA_ID, BYTES(8));
    assert_value(&pair.private_key, CKA_ID, BYTES(8));
    stage_pair_fini(&pair);

    pair_of_p256(&pair);
    stage_add(&pair.for_public, CKA_ID, BYTES(1));
    stage_add(&pair.for_private, CKA_ID, BYTES(2));
    assert_int_equal(stage_generate(&pair), CKR_OK);
    assert_value(&pair.public_key, CKA_ID, BYTES(1));
    assert_value(&pair.private_key, CKA_ID, BYTES(2));
    stage_pair_fini(&pair);
}

static void without_an_id_it_is_the_hash_of_the_key(void **state)
{
    uint8_t id[20];
    struct stage_pair pair;
    (void)state;
    pair_of_p256(&pair);

    assert_int_equal(stage_generate(&pair), CKR_OK);

    struct span point =
        key_value(pair.public_key.attributes.list, pair.public_key.attributes.count, CKA_EC_POINT);
    assert_int_equal(EVP_Digest(point.ptr + 2, point.len - 2, id, NULL, EVP_sha1(), NULL), 1);
    assert_value(&pair.public_key, CKA_ID, span_of(id, sizeof(id)));
    assert_value(&pair.private_key, CKA_ID, span_of(id, sizeof(id)));
    stage_pair_fini(&pair);
}

static void latches_tell_how_the_key_was_made(void **state)
{
    static const bool values[] = {false, true};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct stage_pair pair;
        bool is_sensitive = values[i & 1];
        bool is_extractable = values[i >> 1];
        pair_of_p256(&pair);
        stage_add_bool(&pair.for_private, CKA_SENSITIVE, is_sensitive);
        stage_add_bool(&pair.for_private, CKA_EXTRACTABLE, is_extractable);

        assert_int_equal(stage_generate(&pair), CKR_OK);

        assert_bool(&pair.private_key, CKA_SENSITIVE, is_sensitive);
        assert_bool(&pair.private_key, CKA_ALWAYS_SENSITIVE, is_sensitive);
        assert_bool(&pair.private_key, CKA_EXTRACTABLE, is_extractable);
        assert_bool(&pair.private_key, CKA_NEVER_EXTRACTABLE, !is_extractable);
        stage_pair_fini(&pair);
    }
}

enum half { OF_PUBLIC, OF_PRIVATE };

static const struct refusal {
    enum half half;
    CK_ATTRIBUTE_TYPE type;
    size_t len;
    uint8_t value[16];
    CK_RV answer;
} refusals[] = {
    {OF_PRIVATE, CKA_CLASS, sizeof(CK_ULONG), {CKO_PUBLIC_KEY}, CKR_TEMPLATE_INCONSISTENT},
    {OF_PUBLIC, CKA_CLASS, sizeof(CK_ULONG), {CKO_PRIVATE_KEY}, CKR_TEMPLATE_INCONSISTENT},
    {OF_PRIVATE, CKA_KEY_TYPE, sizeof(CK_ULONG), {CKK_RSA}, CKR_TEMPLATE_INCONSISTENT},
    {OF_PUBLIC, CKA_KEY_TYPE, sizeof(CK_ULONG), {CKK_RSA}, CKR_TEMPLATE_INCONSISTENT},
    {OF_PRIVATE, CKA_EC_PARAMS, 5, {6, 3, 0x2b, 0x65, 0x70}, CKR_TEMPLATE_INCONSISTENT},
    {OF_PUBLIC, CKA_SENSITIVE, 1, {1}, CKR_ATTRIBUTE_TYPE_INVALID},
    {OF_PRIVATE, CKA_VERIFY, 1, {1}, CKR_ATTRIBUTE_TYPE_INVALID},
    {OF_PUBLIC, CKA_MODULUS_BITS, sizeof(CK_ULONG), {0}, CKR_ATTRIBUTE_TYPE_INVALID},
    {OF_PUBLIC, CKA_EC_POINT, 1, {4}, CKR_ATTRIBUTE_READ_ONLY},
    {OF_PRIVATE, CKA_VALUE, 1, {1}, CKR_ATTRIBUTE_READ_ONLY},
    {OF_PRIVATE, CKA_LOCAL, 1, {1}, CKR_ATTRIBUTE_READ_ONLY},
    {OF_PRIVATE, CKA_ALWAYS_SENSITIVE, 1, {1}, CKR_ATTRIBUTE_READ_ONLY},
    {OF_PRIVATE, CKA_NEVER_EXTRACTABLE, 1, {1}, CKR_ATTRIBUTE_READ_ONLY},
    {OF_PRIVATE, CKA_UNIQUE_ID, 1, {'1'}, CKR_ATTRIBUTE_READ_ONLY},
    {OF_PUBLIC, CKA_PUBLIC_KEY_INFO, 2, {0x30, 0}, CKR_ATTRIBUTE_READ_ONLY},
    {OF_PUBLIC, CKA_TRUSTED, 1, {1}, CKR_ATTRIBUTE_READ_ONLY},
    {OF_PRIVATE, CKA_SIGN, 1, {2}, CKR_ATTRIBUTE_VALUE_INVALID},
    {OF_PRIVATE, CKA_ALWAYS_AUTHENTICATE, 1, {1}, CKR_ATTRIBUTE_VALUE_INVALID},
};

static void what_is_wrong_in_either_half_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct stage_pair pair;
        pair_of_p256(&pair);
        stage_add(refusals[i].half == OF_PUBLIC ? &pair.for_public : &pair.for_private,
                  refusals[i].type, span_of(refusals[i].value, refusals[i].len));

        assert_answer(stage_generate(&pair), refusals[i].answer, "half");

        assert_null(pair.private_key.key);
        stage_pair_fini(&pair);
    }
}

static void the_private_half_may_name_the_same_curve(void **state)
{
    struct stage_pair pair;
    (void)state;
    pair_of_p256(&pair);
    stage_add(&pair.for_private, CKA_EC_PARAMS, span_of(p256, sizeof(p256)));

    assert_int_equal(stage_generate(&pair), CKR_OK);

    stage_drop(&pair.for_public, CKA_EC_PARAMS);
    assert_int_equal(stage_generate(&pair), CKR_TEMPLATE_INCONSISTENT);
    stage_pair_fini(&pair);
}

static void a_private_half_on_the_token_is_private(void **state)
{
    struct stage_pair pair;
    (void)state;
    pair_of_p256(&pair);
    stage_add_bool(&pair.for_private, CKA_TOKEN, true);
    stage_add_bool(&pair.for_private, CKA_PRIVATE, false);
    assert_int_equal(stage_generate(&pair), CKR_TEMPLATE_INCONSISTENT);
    stage_pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_rsa_key_has_the_size_and_the_exponent_asked_for),
        cmocka_unit_test(an_rsa_key_of_another_size_is_refused),
        cmocka_unit_test(weak_public_exponents_are_refused),
        cmocka_unit_test(size_or_curve_must_be_given),
        cmocka_unit_test(a_curve_is_of_its_mechanism),
        cmocka_unit_test(each_half_has_the_id_that_either_was_given),
        cmocka_unit_test(without_an_id_it_is_the_hash_of_the_key),
        cmocka_unit_test(latches_tell_how_the_key_was_made),
        cmocka_unit_test(what_is_wrong_in_either_half_is_refused),
        cmocka_unit_test(the_private_half_may_name_the_same_curve),
        cmocka_unit_test(a_private_half_on_the_token_is_private),
    };
    return cmocka_run_group_tests(tests, NULL, stage_free);
}
