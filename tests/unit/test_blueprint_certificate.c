/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, which tell most of their attributes themselves. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/unit/blueprint_stage.h"

static void a_certificate_tells_of_itself(void **state)
{
    struct stage_template template;
    (void)state;
    stage_certificate_template(&template, STAGE_P256);
    struct span spki = stage_spki(&template, STAGE_P256);

    AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

    stage_assert_storage(blueprint, CKO_CERTIFICATE, false);
    assert_ulong(blueprint, CKA_CERTIFICATE_TYPE, CKC_X_509);
    assert_value(blueprint, CKA_VALUE, stage_certificate(STAGE_P256));
    assert_value(blueprint, CKA_SUBJECT, span_of(stage_name, sizeof(stage_name)));
    assert_value(blueprint, CKA_ISSUER, span_of(stage_name, sizeof(stage_name)));
    assert_value(blueprint, CKA_SERIAL_NUMBER, BYTES(2, 2, 0, 0x80));
    assert_value(blueprint, CKA_PUBLIC_KEY_INFO, spki);
    stage_assert_id(blueprint, spki, P256_HEADER);
    assert_value(blueprint, CKA_START_DATE, span_text("20310203"));
    assert_value(blueprint, CKA_END_DATE, span_text("20320304"));
    assert_ulong(blueprint, CKA_CERTIFICATE_CATEGORY, 0);
    assert_bool(blueprint, CKA_TRUSTED, false);
    assert_value(blueprint, CKA_URL, NOTHING);
    assert_int_equal(blueprint->attributes.count, 19);
    assert_null(blueprint->key);
}

static void what_is_given_with_a_certificate_must_be_in_it(void **state)
{
    static const CK_ATTRIBUTE_TYPE names[] = {CKA_SUBJECT, CKA_ISSUER};
    struct stage_template template;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        stage_certificate_template(&template, STAGE_P256);
        stage_add(&template, names[i], span_of(stage_name, sizeof(stage_name)));
        assert_int_equal(stage_answer(&template), CKR_OK);
        stage_replace(&template, names[i], BYTES(0x30, 0));
        assert_int_equal(stage_answer(&template), CKR_TEMPLATE_INCONSISTENT);
        stage_replace(&template, names[i], NOTHING);
        assert_int_equal(stage_answer(&template), CKR_OK);
    }
    stage_certificate_template(&template, STAGE_P256);
    stage_add(&template, CKA_PUBLIC_KEY_INFO, stage_spki(&template, STAGE_P384));
    assert_int_equal(stage_answer(&template), CKR_TEMPLATE_INCONSISTENT);
}

/* Java gives the number without a header, and searches with it; NSS searches with one. */
static void the_serial_number_is_served_in_der(void **state)
{
    struct stage_template template;
    (void)state;
    stage_certificate_template(&template, STAGE_P256);
    stage_add(&template, CKA_SERIAL_NUMBER, BYTES(0, 0x80));

    AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

    assert_value(blueprint, CKA_SERIAL_NUMBER, BYTES(2, 2, 0, 0x80));
}

static void the_dates_and_the_id_of_a_certificate_may_be_given(void **state)
{
    struct stage_template template;
    (void)state;
    stage_certificate_template(&template, STAGE_ED25519);
    stage_add(&template, CKA_ID, BYTES(7));
    stage_add(&template, CKA_START_DATE, span_text("20000101"));
    stage_add(&template, CKA_CHECK_VALUE, BYTES(1, 2, 3));
    stage_add_ulong(&template, CKA_CERTIFICATE_CATEGORY, 2);

    AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

    assert_value(blueprint, CKA_ID, BYTES(7));
    assert_value(blueprint, CKA_START_DATE, span_text("20000101"));
    assert_value(blueprint, CKA_END_DATE, span_text("20320304"));
    assert_value(blueprint, CKA_CHECK_VALUE, BYTES(1, 2, 3));
    assert_ulong(blueprint, CKA_CERTIFICATE_CATEGORY, 2);
}

static void what_is_no_certificate_is_refused(void **state)
{
    uint8_t longer[1024];
    struct span own = stage_certificate(STAGE_P256);
    struct stage_template template;
    (void)state;
    memset(longer, 0, sizeof(longer));
    memcpy(longer, own.ptr, own.len);
    const struct span values[] = {NOTHING,
                                  BYTES(0x30, 0),
                                  BYTES(0x30),
                                  BYTES(5, 0),
                                  span_of(own.ptr, own.len - 1),
                                  span_of(longer, own.len + 1)};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        stage_certificate_template(&template, STAGE_P256);
        stage_replace(&template, CKA_VALUE, values[i]);

        assert_answer(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID, "no certificate");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_tells_of_itself),
        cmocka_unit_test(what_is_given_with_a_certificate_must_be_in_it),
        cmocka_unit_test(the_serial_number_is_served_in_der),
        cmocka_unit_test(the_dates_and_the_id_of_a_certificate_may_be_given),
        cmocka_unit_test(what_is_no_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, stage_free);
}
