/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are none: parts that do not belong together, numbers that are out of range. */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "module/token/key_material.h"
#include "remote/base/cleanup.h"
#include "tests/unit/blueprint_stage.h"

/* One bit of that part is another one. */
static void spoil(struct stage_template *template, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < template->count; i++)
        if (template->list[i].type == type)
            ((uint8_t *)template->list[i].pValue)[template->list[i].ulValueLen / 2] ^= 4;
}

static void a_private_rsa_key_of_parts_that_do_not_fit_is_refused(void **state)
{
    static const CK_ATTRIBUTE_TYPE parts[] = {
        CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PRIVATE_EXPONENT, CKA_PRIME_1,
        CKA_PRIME_2, CKA_EXPONENT_1,      CKA_EXPONENT_2,       CKA_COEFFICIENT};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct stage_template template;
        stage_private(&template, STAGE_RSA);
        spoil(&template, parts[i]);

        assert_answer(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID, "one part changed");

        stage_replace(&template, parts[i], NOTHING);
        assert_answer(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID, "one part empty");
    }
}

static void a_private_key_with_the_public_part_of_another_is_refused(void **state)
{
    struct stage_template template;
    struct stage_template other;
    (void)state;

    stage_private(&template, STAGE_RSA);
    stage_replace(&template, CKA_MODULUS,
                  stage_number(&template, STAGE_OTHER_RSA, OSSL_PKEY_PARAM_RSA_N));
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);

    stage_private(&template, STAGE_P256);
    stage_public(&other, STAGE_P256);
    struct span point = key_value(other.list, other.count, CKA_EC_POINT);
    stage_add(&template, CKA_EC_POINT, point);
    assert_int_equal(stage_answer(&template), CKR_OK);
    spoil(&template, CKA_EC_POINT);
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);

    stage_private(&template, STAGE_ED25519);
    stage_add(&template, CKA_EC_POINT, BYTES(1, 2, 3));
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void public_key_info_must_be_of_the_same_key(void **state)
{
    struct stage_template template;
    (void)state;
    stage_public(&template, STAGE_P256);
    stage_add(&template, CKA_PUBLIC_KEY_INFO, stage_spki(&template, STAGE_P256));
    assert_int_equal(stage_answer(&template), CKR_OK);

    stage_replace(&template, CKA_PUBLIC_KEY_INFO, stage_spki(&template, STAGE_P384));
    assert_int_equal(stage_answer(&template), CKR_TEMPLATE_INCONSISTENT);
    stage_replace(&template, CKA_PUBLIC_KEY_INFO, BYTES(0x30, 0));
    assert_int_equal(stage_answer(&template), CKR_TEMPLATE_INCONSISTENT);
    stage_replace(&template, CKA_PUBLIC_KEY_INFO, NOTHING);
    assert_int_equal(stage_answer(&template), CKR_OK);
}

static void a_point_off_the_curve_is_refused(void **state)
{
    struct stage_template template;
    (void)state;
    stage_public(&template, STAGE_P256);
    spoil(&template, CKA_EC_POINT);
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);

    stage_public(&template, STAGE_P256);
    struct span whole = key_value(template.list, template.count, CKA_EC_POINT);
    stage_replace(&template, CKA_EC_POINT, span_of(whole.ptr, whole.len - 1));
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
    stage_replace(&template, CKA_EC_POINT, BYTES(4, 1, 0)); /* the point at infinity */
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
    stage_replace(&template, CKA_EC_POINT, NOTHING);
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void a_private_number_is_of_its_curve(void **state)
{
    uint8_t order[] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                       0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                       0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51}; /* P-256's */
    uint8_t huge[2000];
    struct stage_template template;
    (void)state;
    memset(huge, 1, sizeof(huge));
    stage_private(&template, STAGE_P256);

    stage_replace(&template, CKA_VALUE, span_of(order, sizeof(order)));
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
    order[sizeof(order) - 1]--;
    stage_replace(&template, CKA_VALUE, span_of(order, sizeof(order)));
    assert_int_equal(stage_answer(&template), CKR_OK);
    stage_replace(&template, CKA_VALUE, BYTES(0, 0));
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
    stage_replace(&template, CKA_VALUE, NOTHING);
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
    stage_replace(&template, CKA_VALUE, span_of(huge, sizeof(huge)));
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);

    stage_private(&template, STAGE_ED25519);
    stage_replace(&template, CKA_VALUE, span_of(huge, 31));
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
    stage_replace(&template, CKA_VALUE, span_of(huge, 32));
    assert_int_equal(stage_answer(&template), CKR_OK);
}

/* A public key is only looked at, so any odd number will do for a modulus. */
static CK_RV answer_to_modulus(size_t bits, uint8_t last, struct span exponent)
{
    uint8_t modulus[2048];
    struct stage_template template;
    memset(modulus, 0xff, sizeof(modulus));
    modulus[0] = (uint8_t)(0xff >> (8 * sizeof(modulus) - bits) % 8);
    modulus[(bits + 7) / 8 - 1] = last;
    stage_public(&template, STAGE_RSA);
    stage_replace(&template, CKA_MODULUS, span_of(modulus, (bits + 7) / 8));
    stage_replace(&template, CKA_PUBLIC_EXPONENT, exponent);
    return stage_answer(&template);
}

static void a_public_rsa_key_has_a_size_and_is_odd(void **state)
{
    const struct span f4 = BYTES(1, 0, 1);
    (void)state;
    assert_int_equal(answer_to_modulus(2048, 0xff, f4), CKR_OK);
    assert_int_equal(answer_to_modulus(8192, 0xff, f4), CKR_OK);
    assert_int_equal(answer_to_modulus(2048, 0xff, BYTES(3)), CKR_OK);
    assert_int_equal(answer_to_modulus(2047, 0xff, f4), CKR_ATTRIBUTE_VALUE_INVALID);
    assert_int_equal(answer_to_modulus(8193, 0xff, f4), CKR_ATTRIBUTE_VALUE_INVALID);
    assert_int_equal(answer_to_modulus(16384, 0xff, f4), CKR_ATTRIBUTE_VALUE_INVALID);
    assert_int_equal(answer_to_modulus(2048, 0xfe, f4), CKR_ATTRIBUTE_VALUE_INVALID);
    assert_int_equal(answer_to_modulus(2048, 0xff, BYTES(1)), CKR_ATTRIBUTE_VALUE_INVALID);
    assert_int_equal(answer_to_modulus(2048, 0xff, BYTES(1, 0, 0)), CKR_ATTRIBUTE_VALUE_INVALID);
    assert_int_equal(answer_to_modulus(2048, 0xff, NOTHING), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void the_error_queue_is_left_as_it_was(void **state)
{
    struct stage_template template;
    (void)state;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 7);
    unsigned long before = ERR_peek_last_error();

    stage_certificate_template(&template, STAGE_P256);
    stage_replace(&template, CKA_VALUE, BYTES(0x30, 0));
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
    stage_public(&template, STAGE_P256);
    spoil(&template, CKA_EC_POINT);
    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);

    assert_int_equal(ERR_peek_last_error(), before);
    assert_int_equal(ERR_get_error(), before);
    assert_int_equal(ERR_get_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_private_rsa_key_of_parts_that_do_not_fit_is_refused),
        cmocka_unit_test(a_private_key_with_the_public_part_of_another_is_refused),
        cmocka_unit_test(public_key_info_must_be_of_the_same_key),
        cmocka_unit_test(a_point_off_the_curve_is_refused),
        cmocka_unit_test(a_private_number_is_of_its_curve),
        cmocka_unit_test(a_public_rsa_key_has_a_size_and_is_odd),
        cmocka_unit_test(the_error_queue_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, stage_free);
}
