/* SPDX-License-Identifier: Apache-2.0 */
/* What a template may say, one rule a row: each row is one change to a template that is good. */
#include <stdio.h>

#include "module/token/attribute_table.h"
#include "remote/base/cleanup.h"
#include "tests/unit/blueprint_stage.h"

enum base { DATA, CERTIFICATE, PUBLIC_RSA, PUBLIC_EC, PRIVATE_RSA, PRIVATE_EC, PRIVATE_ED };

static void build(struct stage_template *template, enum base base)
{
    static const enum stage_key keys[] = {
        [CERTIFICATE] = STAGE_P256, [PUBLIC_RSA] = STAGE_RSA,  [PUBLIC_EC] = STAGE_P256,
        [PRIVATE_RSA] = STAGE_RSA,  [PRIVATE_EC] = STAGE_P256, [PRIVATE_ED] = STAGE_ED25519,
    };
    if (base == DATA) {
        stage_template_init(template);
        stage_add_ulong(template, CKA_CLASS, CKO_DATA);
    } else if (base == CERTIFICATE) {
        stage_certificate_template(template, keys[base]);
    } else if (base == PUBLIC_RSA || base == PUBLIC_EC) {
        stage_public(template, keys[base]);
    } else {
        stage_private(template, keys[base]);
    }
}

#define LITERAL(...)                                                                               \
    {                                                                                              \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                     \
    }
#define NUMBER(value)                                                                              \
    {                                                                                              \
        (const uint8_t *)(const CK_ULONG[]){value}, sizeof(CK_ULONG)                               \
    }
#define EMPTY                                                                                      \
    {                                                                                              \
        NULL, 0                                                                                    \
    }
#define FALSE_ LITERAL(0)
#define TRUE_  LITERAL(1)

enum act { ADD, SWAP, DROP };

struct row {
    enum base base;
    enum act act;
    CK_ATTRIBUTE_TYPE type;
    struct span value;
    CK_RV answer;
};

static void try_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stage_template template;
        char what[80];
        build(&template, rows[i].base);
        if (rows[i].act != ADD)
            stage_drop(&template, rows[i].type);
        if (rows[i].act != DROP)
            stage_add(&template, rows[i].type, rows[i].value);

        CK_RV rv = stage_answer(&template);

        (void)snprintf(what, sizeof(what), "row %zu, attribute 0x%lx", i, rows[i].type);
        assert_answer(rv, rows[i].answer, what);
    }
}

static const struct row foreign[] = {
    {DATA, ADD, CKA_ID, LITERAL(1), CKR_ATTRIBUTE_TYPE_INVALID},
    {DATA, ADD, CKA_SENSITIVE, TRUE_, CKR_ATTRIBUTE_TYPE_INVALID},
    {DATA, ADD, CKA_KEY_TYPE, NUMBER(CKK_RSA), CKR_ATTRIBUTE_TYPE_INVALID},
    {CERTIFICATE, ADD, CKA_SIGN, TRUE_, CKR_ATTRIBUTE_TYPE_INVALID},
    {CERTIFICATE, ADD, CKA_APPLICATION, LITERAL('x'), CKR_ATTRIBUTE_TYPE_INVALID},
    {PUBLIC_EC, ADD, CKA_SENSITIVE, FALSE_, CKR_ATTRIBUTE_TYPE_INVALID},
    {PUBLIC_EC, ADD, CKA_EXTRACTABLE, TRUE_, CKR_ATTRIBUTE_TYPE_INVALID},
    {PUBLIC_EC, ADD, CKA_MODULUS, LITERAL(1), CKR_ATTRIBUTE_TYPE_INVALID},
    {PUBLIC_EC, ADD, CKA_VALUE, LITERAL(1), CKR_ATTRIBUTE_TYPE_INVALID},
    {PRIVATE_EC, ADD, CKA_VERIFY, TRUE_, CKR_ATTRIBUTE_TYPE_INVALID},
    {PRIVATE_EC, ADD, CKA_PRIVATE_EXPONENT, LITERAL(1), CKR_ATTRIBUTE_TYPE_INVALID},
    {PRIVATE_EC, ADD, CKA_TRUSTED, FALSE_, CKR_ATTRIBUTE_TYPE_INVALID},
    {PRIVATE_RSA, ADD, CKA_EC_PARAMS, LITERAL(5, 0), CKR_ATTRIBUTE_TYPE_INVALID},
    {PRIVATE_RSA, ADD, CKA_MODULUS_BITS, NUMBER(2048), CKR_ATTRIBUTE_TYPE_INVALID},
    /* NSS's own, and one of nobody's */
    {CERTIFICATE, ADD, 0xce534352UL, LITERAL('a'), CKR_ATTRIBUTE_TYPE_INVALID},
    {PRIVATE_EC, ADD, CKA_VENDOR_DEFINED | 1, LITERAL(1), CKR_ATTRIBUTE_TYPE_INVALID},
    {PRIVATE_EC, ADD, CKF_ARRAY_ATTRIBUTE | 0x211UL, EMPTY, CKR_ATTRIBUTE_TYPE_INVALID},
};

static void an_attribute_that_its_kind_has_not_is_no_attribute(void **state)
{
    (void)state;

    try_rows(foreign, ARRAY_LEN(foreign));
}

static const struct row decided[] = {
    {DATA, ADD, CKA_UNIQUE_ID, LITERAL('1'), CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE_EC, ADD, CKA_UNIQUE_ID, EMPTY, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE_EC, ADD, CKA_LOCAL, TRUE_, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE_EC, ADD, CKA_LOCAL, FALSE_, CKR_ATTRIBUTE_READ_ONLY},
    {PUBLIC_EC, ADD, CKA_LOCAL, TRUE_, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE_EC, ADD, CKA_ALWAYS_SENSITIVE, TRUE_, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE_EC, ADD, CKA_NEVER_EXTRACTABLE, TRUE_, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE_EC, ADD, CKA_KEY_GEN_MECHANISM, NUMBER(CKM_EC_KEY_PAIR_GEN), CKR_ATTRIBUTE_READ_ONLY},
    {PUBLIC_RSA, ADD, CKA_MODULUS_BITS, NUMBER(2048), CKR_ATTRIBUTE_READ_ONLY},
    {CERTIFICATE, ADD, CKA_TRUSTED, TRUE_, CKR_ATTRIBUTE_READ_ONLY},
    {CERTIFICATE, ADD, CKA_TRUSTED, FALSE_, CKR_OK},
    {PUBLIC_EC, ADD, CKA_TRUSTED, TRUE_, CKR_ATTRIBUTE_READ_ONLY},
    {PUBLIC_EC, ADD, CKA_TRUSTED, FALSE_, CKR_OK},
};

static void what_only_the_module_decides_is_read_only(void **state)
{
    (void)state;

    try_rows(decided, ARRAY_LEN(decided));
}

static const struct row formless[] = {
    {DATA, SWAP, CKA_CLASS, LITERAL(0), CKR_ATTRIBUTE_VALUE_INVALID},
    {DATA, SWAP, CKA_CLASS, EMPTY, CKR_ATTRIBUTE_VALUE_INVALID},
    {DATA, ADD, CKA_TOKEN, LITERAL(2), CKR_ATTRIBUTE_VALUE_INVALID},
    {DATA, ADD, CKA_TOKEN, LITERAL(0xff), CKR_ATTRIBUTE_VALUE_INVALID},
    {DATA, ADD, CKA_TOKEN, EMPTY, CKR_ATTRIBUTE_VALUE_INVALID},
    {DATA, ADD, CKA_TOKEN, NUMBER(1), CKR_ATTRIBUTE_VALUE_INVALID},
    {PRIVATE_EC, ADD, CKA_SENSITIVE, LITERAL(2), CKR_ATTRIBUTE_VALUE_INVALID},
    {PRIVATE_EC, ADD, CKA_START_DATE, LITERAL('2', '0', '3', '1'), CKR_ATTRIBUTE_VALUE_INVALID},
    {PRIVATE_EC, ADD, CKA_START_DATE, EMPTY, CKR_OK},
    {PRIVATE_EC, ADD, CKA_END_DATE, LITERAL('2', '0', '3', '1', '0', '1', '0', '1'), CKR_OK},
    {PRIVATE_EC, ADD, CKA_ALLOWED_MECHANISMS, LITERAL(1, 2, 3), CKR_ATTRIBUTE_VALUE_INVALID},
    {PRIVATE_EC, ADD, CKA_ALLOWED_MECHANISMS, NUMBER(CKM_ECDSA), CKR_OK},
    {PRIVATE_EC, ADD, CKA_ALLOWED_MECHANISMS, EMPTY, CKR_OK},
    {CERTIFICATE, ADD, CKA_CERTIFICATE_CATEGORY, LITERAL(1), CKR_ATTRIBUTE_VALUE_INVALID},
    {PRIVATE_EC, ADD, CKA_ALWAYS_AUTHENTICATE, TRUE_, CKR_ATTRIBUTE_VALUE_INVALID},
    {PRIVATE_EC, ADD, CKA_ALWAYS_AUTHENTICATE, FALSE_, CKR_OK},
};

static void a_value_of_the_wrong_form_is_refused(void **state)
{
    (void)state;

    try_rows(formless, ARRAY_LEN(formless));
}

static const struct row incomplete[] = {
    {DATA, DROP, CKA_CLASS, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {CERTIFICATE, DROP, CKA_CERTIFICATE_TYPE, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {CERTIFICATE, DROP, CKA_VALUE, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PUBLIC_RSA, DROP, CKA_KEY_TYPE, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PUBLIC_RSA, DROP, CKA_MODULUS, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PUBLIC_RSA, DROP, CKA_PUBLIC_EXPONENT, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PUBLIC_EC, DROP, CKA_EC_PARAMS, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PUBLIC_EC, DROP, CKA_EC_POINT, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_RSA, DROP, CKA_MODULUS, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_RSA, DROP, CKA_PUBLIC_EXPONENT, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_RSA, DROP, CKA_PRIVATE_EXPONENT, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_RSA, DROP, CKA_PRIME_1, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_RSA, DROP, CKA_PRIME_2, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_RSA, DROP, CKA_EXPONENT_1, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_RSA, DROP, CKA_EXPONENT_2, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_RSA, DROP, CKA_COEFFICIENT, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_EC, DROP, CKA_KEY_TYPE, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_EC, DROP, CKA_EC_PARAMS, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_EC, DROP, CKA_VALUE, EMPTY, CKR_TEMPLATE_INCOMPLETE},
    {PRIVATE_ED, DROP, CKA_VALUE, EMPTY, CKR_TEMPLATE_INCOMPLETE},
};

static void what_a_kind_needs_must_be_given(void **state)
{
    (void)state;

    try_rows(incomplete, ARRAY_LEN(incomplete));
}

static const struct row other_classes[] = {
    {DATA, SWAP, CKA_CLASS, NUMBER(CKO_SECRET_KEY), CKR_ATTRIBUTE_VALUE_INVALID},
    {DATA, SWAP, CKA_CLASS, NUMBER(CKO_HW_FEATURE), CKR_ATTRIBUTE_VALUE_INVALID},
    {DATA, SWAP, CKA_CLASS, NUMBER(CKO_DOMAIN_PARAMETERS), CKR_ATTRIBUTE_VALUE_INVALID},
    {DATA, SWAP, CKA_CLASS, NUMBER(0xce534353UL), CKR_ATTRIBUTE_VALUE_INVALID}, /* NSS trust */
    {DATA, SWAP, CKA_CLASS, NUMBER(CK_UNAVAILABLE_INFORMATION), CKR_ATTRIBUTE_VALUE_INVALID},
    {PUBLIC_EC, SWAP, CKA_KEY_TYPE, NUMBER(CKK_DSA), CKR_ATTRIBUTE_VALUE_INVALID},
    {PRIVATE_EC, SWAP, CKA_KEY_TYPE, NUMBER(CKK_AES), CKR_ATTRIBUTE_VALUE_INVALID},
    {CERTIFICATE, SWAP, CKA_CERTIFICATE_TYPE, NUMBER(CKC_WTLS), CKR_ATTRIBUTE_VALUE_INVALID},
};

static void objects_of_other_classes_are_not_made(void **state)
{
    (void)state;

    try_rows(other_classes, ARRAY_LEN(other_classes));
}

static const struct row twice[] = {
    {DATA, ADD, CKA_CLASS, NUMBER(CKO_DATA), CKR_OK},
    {DATA, ADD, CKA_CLASS, NUMBER(CKO_CERTIFICATE), CKR_TEMPLATE_INCONSISTENT},
    {PRIVATE_EC, ADD, CKA_KEY_TYPE, NUMBER(CKK_RSA), CKR_TEMPLATE_INCONSISTENT},
    {PRIVATE_EC, ADD, CKA_VALUE, LITERAL(1), CKR_TEMPLATE_INCONSISTENT},
    {CERTIFICATE, ADD, CKA_VALUE, LITERAL(1), CKR_TEMPLATE_INCONSISTENT},
};

static void the_same_attribute_twice_must_say_the_same(void **state)
{
    (void)state;

    try_rows(twice, ARRAY_LEN(twice));
}

static void a_private_key_on_the_token_is_private(void **state)
{
    struct stage_template template;
    (void)state;
    stage_private(&template, STAGE_P256);
    stage_add_bool(&template, CKA_TOKEN, true);
    stage_add_bool(&template, CKA_PRIVATE, false);

    assert_int_equal(stage_answer(&template), CKR_TEMPLATE_INCONSISTENT);

    stage_replace(&template, CKA_TOKEN, BYTES(CK_FALSE));
    assert_int_equal(stage_answer(&template), CKR_OK);
}

static void a_template_is_checked_before_it_is_read(void **state)
{
    CK_ATTRIBUTE many[ATTRIBUTES_MAX + 1];
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE endless = {CKA_LABEL, &yes, CK_UNAVAILABLE_INFORMATION};
    CK_ATTRIBUTE pointless = {CKA_LABEL, NULL, 1};
    CK_ATTRIBUTE nothing = {CKA_LABEL, NULL, 0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (CK_ATTRIBUTE){CKA_TOKEN, &yes, sizeof(yes)};

    assert_int_equal(template_check(NULL, 1), CKR_ARGUMENTS_BAD);
    assert_int_equal(template_check(NULL, 0), CKR_OK);
    assert_int_equal(template_check(&endless, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    assert_int_equal(template_check(&pointless, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    assert_int_equal(template_check(&nothing, 1), CKR_OK);
    assert_int_equal(template_check(many, ATTRIBUTES_MAX), CKR_OK);
    assert_int_equal(template_check(many, ATTRIBUTES_MAX + 1), CKR_TEMPLATE_INCONSISTENT);
    assert_int_equal(template_check(many, (CK_ULONG)-1), CKR_TEMPLATE_INCONSISTENT);
}

/* attributes_add has no room for more than ATTRIBUTES_MAX: the table must not get there. */
static void no_kind_has_more_attributes_than_fit(void **state)
{
    (void)state;
    for (unsigned kind = KIND_DATA; kind <= KIND_PRIVATE_ED; kind <<= 1) {
        CK_ULONG of_kind = 0;
        for (size_t i = 0; attribute_rule_at(i); i++) {
            const struct attribute_rule *rule = attribute_rule_at(i);
            of_kind += (rule->kinds & kind) != 0;
            /* and one row says it for a kind, not two */
            if (rule->kinds & kind)
                assert_ptr_equal(attribute_rule_find(rule->type, kind), rule);
        }
        assert_in_range(of_kind, 1, ATTRIBUTES_MAX);
    }
    assert_null(attribute_rule_find(CKA_VENDOR_DEFINED, KIND_ANY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attribute_that_its_kind_has_not_is_no_attribute),
        cmocka_unit_test(what_only_the_module_decides_is_read_only),
        cmocka_unit_test(a_value_of_the_wrong_form_is_refused),
        cmocka_unit_test(what_a_kind_needs_must_be_given),
        cmocka_unit_test(objects_of_other_classes_are_not_made),
        cmocka_unit_test(the_same_attribute_twice_must_say_the_same),
        cmocka_unit_test(a_private_key_on_the_token_is_private),
        cmocka_unit_test(a_template_is_checked_before_it_is_read),
        cmocka_unit_test(no_kind_has_more_attributes_than_fit),
    };
    return cmocka_run_group_tests(tests, NULL, stage_free);
}
