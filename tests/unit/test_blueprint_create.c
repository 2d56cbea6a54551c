/* SPDX-License-Identifier: Apache-2.0 */
/* What C_CreateObject makes of a template: the whole object, or none. */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "module/token/key_material.h"
#include "remote/base/cleanup.h"
#include "tests/unit/blueprint_stage.h"

static void assert_key(const struct blueprint *blueprint, CK_KEY_TYPE type)
{
    assert_ulong(blueprint, CKA_KEY_TYPE, type);
    assert_value(blueprint, CKA_START_DATE, NOTHING);
    assert_value(blueprint, CKA_END_DATE, NOTHING);
    assert_value(blueprint, CKA_SUBJECT, NOTHING);
    assert_bool(blueprint, CKA_DERIVE, false);
    assert_bool(blueprint, CKA_LOCAL, false);
    assert_ulong(blueprint, CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION);
    assert_absent(blueprint, CKA_ALLOWED_MECHANISMS);
}

static void assert_private_key(const struct blueprint *blueprint, CK_KEY_TYPE type)
{
    stage_assert_storage(blueprint, CKO_PRIVATE_KEY, true);
    assert_key(blueprint, type);
    assert_bool(blueprint, CKA_SENSITIVE, true);
    assert_bool(blueprint, CKA_EXTRACTABLE, false);
    assert_bool(blueprint, CKA_ALWAYS_SENSITIVE, false);
    assert_bool(blueprint, CKA_NEVER_EXTRACTABLE, false);
    assert_bool(blueprint, CKA_SIGN, true);
    assert_bool(blueprint, CKA_SIGN_RECOVER, false);
    assert_bool(blueprint, CKA_DECRYPT, false);
    assert_bool(blueprint, CKA_UNWRAP, false);
    assert_bool(blueprint, CKA_WRAP_WITH_TRUSTED, false);
    assert_bool(blueprint, CKA_ALWAYS_AUTHENTICATE, false);
}

static void assert_public_key(const struct blueprint *blueprint, CK_KEY_TYPE type)
{
    stage_assert_storage(blueprint, CKO_PUBLIC_KEY, false);
    assert_key(blueprint, type);
    assert_bool(blueprint, CKA_VERIFY, true);
    assert_bool(blueprint, CKA_VERIFY_RECOVER, false);
    assert_bool(blueprint, CKA_ENCRYPT, false);
    assert_bool(blueprint, CKA_WRAP, false);
    assert_bool(blueprint, CKA_TRUSTED, false);
    assert_null(blueprint->key);
}

static void a_private_rsa_key_is_complete(void **state)
{
    struct stage_template template;
    struct stage_template expected;
    (void)state;
    stage_private(&template, STAGE_RSA);
    stage_template_init(&expected);
    struct span spki = stage_spki(&expected, STAGE_RSA);

    AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

    assert_private_key(blueprint, CKK_RSA);
    assert_value(blueprint, CKA_MODULUS, stage_number(&expected, STAGE_RSA, OSSL_PKEY_PARAM_RSA_N));
    assert_value(blueprint, CKA_PUBLIC_EXPONENT, BYTES(1, 0, 1));
    assert_value(blueprint, CKA_PUBLIC_KEY_INFO, spki);
    stage_assert_id(blueprint, spki, RSA_2048_HEADER);
    assert_int_equal(blueprint->attributes.count, 28);
    assert_int_equal(EVP_PKEY_eq(blueprint->key, stage_key(STAGE_RSA)), 1);
}

static void the_secret_parts_are_only_in_the_key(void **state)
{
    static const CK_ATTRIBUTE_TYPE secret[] = {
        CKA_PRIVATE_EXPONENT, CKA_PRIME_1,     CKA_PRIME_2, CKA_EXPONENT_1,
        CKA_EXPONENT_2,       CKA_COEFFICIENT, CKA_VALUE};
    static const enum stage_key all[] = {STAGE_RSA, STAGE_P256, STAGE_ED25519};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct stage_template template;
        stage_private(&template, all[i]);

        AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

        for (size_t k = 0; k < ARRAY_LEN(secret); k++)
            assert_absent(blueprint, secret[k]);
    }
}

static const struct {
    enum stage_key key;
    CK_KEY_TYPE type;
    size_t spki_header;
} curves[] = {
    {STAGE_P256, CKK_EC, P256_HEADER},
    {STAGE_P384, CKK_EC, P384_HEADER},
    {STAGE_P521, CKK_EC, P521_HEADER},
    {STAGE_ED25519, CKK_EC_EDWARDS, ED_HEADER},
};

static void private_keys_on_curves_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        struct stage_template template;
        struct stage_template other_half;
        stage_private(&template, curves[i].key);
        stage_public(&other_half, curves[i].key);
        struct span spki = stage_spki(&other_half, curves[i].key);

        AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

        assert_private_key(blueprint, curves[i].type);
        assert_value(blueprint, CKA_EC_PARAMS,
                     key_value(other_half.list, other_half.count, CKA_EC_PARAMS));
        assert_value(blueprint, CKA_EC_POINT,
                     key_value(other_half.list, other_half.count, CKA_EC_POINT));
        assert_value(blueprint, CKA_PUBLIC_KEY_INFO, spki);
        stage_assert_id(blueprint, spki, curves[i].spki_header);
        assert_int_equal(blueprint->attributes.count, 28);
        assert_int_equal(EVP_PKEY_eq(blueprint->key, stage_key(curves[i].key)), 1);
    }
}

static void a_public_rsa_key_is_complete(void **state)
{
    struct stage_template template;
    (void)state;
    stage_public(&template, STAGE_RSA);
    struct span modulus = key_value(template.list, template.count, CKA_MODULUS);
    struct span spki = stage_spki(&template, STAGE_RSA);

    AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

    assert_public_key(blueprint, CKK_RSA);
    assert_value(blueprint, CKA_MODULUS, modulus);
    assert_ulong(blueprint, CKA_MODULUS_BITS, 2048);
    assert_value(blueprint, CKA_PUBLIC_EXPONENT, BYTES(1, 0, 1));
    assert_value(blueprint, CKA_PUBLIC_KEY_INFO, spki);
    stage_assert_id(blueprint, spki, RSA_2048_HEADER);
    assert_int_equal(blueprint->attributes.count, 24);
}

static void public_keys_on_curves_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        struct stage_template template;
        stage_public(&template, curves[i].key);
        struct span spki = stage_spki(&template, curves[i].key);

        AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

        assert_public_key(blueprint, curves[i].type);
        assert_value(blueprint, CKA_EC_PARAMS,
                     key_value(template.list, template.count, CKA_EC_PARAMS));
        assert_value(blueprint, CKA_EC_POINT,
                     key_value(template.list, template.count, CKA_EC_POINT));
        assert_value(blueprint, CKA_PUBLIC_KEY_INFO, spki);
        stage_assert_id(blueprint, spki, curves[i].spki_header);
        assert_int_equal(blueprint->attributes.count, 23);
    }
}

static void big_integers_are_served_without_leading_zeros(void **state)
{
    uint8_t modulus[257] = {0};
    struct stage_template template;
    (void)state;
    stage_public(&template, STAGE_RSA);
    struct span own = key_value(template.list, template.count, CKA_MODULUS);
    memcpy(modulus + 1, own.ptr, own.len);
    stage_replace(&template, CKA_MODULUS, span_of(modulus, sizeof(modulus)));
    stage_replace(&template, CKA_PUBLIC_EXPONENT, BYTES(0, 0, 1, 0, 1));

    AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

    assert_value(blueprint, CKA_MODULUS, own);
    assert_value(blueprint, CKA_PUBLIC_EXPONENT, BYTES(1, 0, 1));
}

static void the_point_may_come_without_its_wrapping(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        struct stage_template template;
        stage_public(&template, curves[i].key);
        struct span whole = key_value(template.list, template.count, CKA_EC_POINT);
        size_t header = whole.ptr[1] & 0x80 ? 3 : 2;
        stage_replace(&template, CKA_EC_POINT, span_of(whole.ptr + header, whole.len - header));

        AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

        assert_value(blueprint, CKA_EC_POINT, whole);
    }
}

/* As GnuTLS and OpenSSL say it, as pkcs11-tool says it, and as it was said before RFC 8410. */
static void ed25519_has_three_names_and_is_served_with_one(void **state)
{
    static const uint8_t oid[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
    static const uint8_t name[] = "\x13\x0c"
                                  "edwards25519";
    static const uint8_t old[] = {0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01};
    const struct span names[] = {span_of(oid, sizeof(oid)), span_of(name, sizeof(name) - 1),
                                 span_of(old, sizeof(old))};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct stage_template template;
        stage_private(&template, STAGE_ED25519);
        stage_replace(&template, CKA_EC_PARAMS, names[i]);

        AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

        assert_value(blueprint, CKA_EC_PARAMS, span_of(oid, sizeof(oid)));
    }
}

static void other_curves_are_not_supported(void **state)
{
    static const uint8_t secp256k1[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a};
    static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
    static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    struct stage_template template;
    (void)state;

    stage_private(&template, STAGE_P256);
    stage_replace(&template, CKA_EC_PARAMS, span_of(secp256k1, sizeof(secp256k1)));
    assert_int_equal(stage_answer(&template), CKR_CURVE_NOT_SUPPORTED);
    stage_replace(&template, CKA_EC_PARAMS, NOTHING);
    assert_int_equal(stage_answer(&template), CKR_CURVE_NOT_SUPPORTED);
    stage_replace(&template, CKA_EC_PARAMS, span_of(ed25519, sizeof(ed25519)));
    assert_int_equal(stage_answer(&template), CKR_CURVE_NOT_SUPPORTED);
    stage_replace(&template, CKA_EC_PARAMS, span_of(p256, sizeof(p256) - 1));
    assert_int_equal(stage_answer(&template), CKR_CURVE_NOT_SUPPORTED);

    stage_private(&template, STAGE_ED25519);
    stage_replace(&template, CKA_EC_PARAMS, span_of(p256, sizeof(p256)));
    assert_int_equal(stage_answer(&template), CKR_CURVE_NOT_SUPPORTED);
}

static void usages_that_no_key_has_may_be_asked_for(void **state)
{
    static const CK_ATTRIBUTE_TYPE unused[] = {CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE};
    struct stage_template template;
    (void)state;
    stage_private(&template, STAGE_P256);
    for (size_t i = 0; i < ARRAY_LEN(unused); i++)
        stage_add_bool(&template, unused[i], true);

    AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

    for (size_t i = 0; i < ARRAY_LEN(unused); i++)
        assert_bool(blueprint, unused[i], false);
}

static void what_the_template_says_holds(void **state)
{
    struct stage_template template;
    (void)state;
    stage_private(&template, STAGE_P256);
    stage_add_bool(&template, CKA_TOKEN, true);
    stage_add_bool(&template, CKA_PRIVATE, true);
    stage_add_bool(&template, CKA_MODIFIABLE, false);
    stage_add_bool(&template, CKA_COPYABLE, false);
    stage_add_bool(&template, CKA_DESTROYABLE, false);
    stage_add_bool(&template, CKA_SENSITIVE, false);
    stage_add_bool(&template, CKA_EXTRACTABLE, true);
    stage_add_bool(&template, CKA_SIGN, false);
    stage_add_bool(&template, CKA_SIGN_RECOVER, true);
    stage_add_bool(&template, CKA_WRAP_WITH_TRUSTED, true);
    stage_add(&template, CKA_LABEL, BYTES('a', 0xff));
    stage_add(&template, CKA_ID, BYTES(0, 1));
    stage_add(&template, CKA_SUBJECT, BYTES(0x30, 0));
    stage_add(&template, CKA_START_DATE, span_text("20310203"));
    stage_add_ulong(&template, CKA_ALLOWED_MECHANISMS, CKM_ECDSA);

    AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

    assert_true(blueprint->is_token && blueprint->is_private);
    assert_bool(blueprint, CKA_TOKEN, true);
    assert_bool(blueprint, CKA_PRIVATE, true);
    assert_bool(blueprint, CKA_MODIFIABLE, false);
    assert_bool(blueprint, CKA_COPYABLE, false);
    assert_bool(blueprint, CKA_DESTROYABLE, false);
    assert_bool(blueprint, CKA_SENSITIVE, false);
    assert_bool(blueprint, CKA_EXTRACTABLE, true);
    assert_bool(blueprint, CKA_SIGN, false);
    assert_bool(blueprint, CKA_SIGN_RECOVER, true);
    assert_bool(blueprint, CKA_WRAP_WITH_TRUSTED, true);
    assert_value(blueprint, CKA_LABEL, BYTES('a', 0xff));
    assert_value(blueprint, CKA_ID, BYTES(0, 1));
    assert_value(blueprint, CKA_SUBJECT, BYTES(0x30, 0));
    assert_value(blueprint, CKA_START_DATE, span_text("20310203"));
    assert_ulong(blueprint, CKA_ALLOWED_MECHANISMS, CKM_ECDSA);
}

/* Never of the module's own making, whatever the template says (3.8: created keys). */
static void a_created_key_was_never_always_sensitive(void **state)
{
    struct stage_template template;
    (void)state;
    stage_private(&template, STAGE_P256);
    stage_add_bool(&template, CKA_SENSITIVE, true);
    stage_add_bool(&template, CKA_EXTRACTABLE, false);

    AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

    assert_bool(blueprint, CKA_ALWAYS_SENSITIVE, false);
    assert_bool(blueprint, CKA_NEVER_EXTRACTABLE, false);
    assert_bool(blueprint, CKA_LOCAL, false);
}

static void data_may_be_as_good_as_empty(void **state)
{
    struct stage_template template;
    (void)state;
    stage_template_init(&template);
    stage_add_ulong(&template, CKA_CLASS, CKO_DATA);

    AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

    stage_assert_storage(blueprint, CKO_DATA, false);
    assert_value(blueprint, CKA_APPLICATION, NOTHING);
    assert_value(blueprint, CKA_OBJECT_ID, NOTHING);
    assert_value(blueprint, CKA_VALUE, NOTHING);
    assert_int_equal(blueprint->attributes.count, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_private_rsa_key_is_complete),
        cmocka_unit_test(the_secret_parts_are_only_in_the_key),
        cmocka_unit_test(private_keys_on_curves_are_complete),
        cmocka_unit_test(a_public_rsa_key_is_complete),
        cmocka_unit_test(public_keys_on_curves_are_complete),
        cmocka_unit_test(big_integers_are_served_without_leading_zeros),
        cmocka_unit_test(the_point_may_come_without_its_wrapping),
        cmocka_unit_test(ed25519_has_three_names_and_is_served_with_one),
        cmocka_unit_test(other_curves_are_not_supported),
        cmocka_unit_test(usages_that_no_key_has_may_be_asked_for),
        cmocka_unit_test(what_the_template_says_holds),
        cmocka_unit_test(a_created_key_was_never_always_sensitive),
        cmocka_unit_test(data_may_be_as_good_as_empty),
    };
    return cmocka_run_group_tests(tests, NULL, stage_free);
}
