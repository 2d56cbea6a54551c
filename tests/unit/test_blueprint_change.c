/* SPDX-License-Identifier: Apache-2.0 */
/* Copies and changes: what may be another value, what goes one way only, what stays. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/unit/blueprint_stage.h"

enum base { DATA, CERTIFICATE, PUBLIC, PRIVATE };

/* An object with all that template rules give it. */
static struct object *object_of(enum base base, struct stage_template *template)
{
    struct blueprint blueprint;
    stage_create(template, &blueprint);
    if (base == PRIVATE)
        assert_non_null(blueprint.key);
    struct object *object = stage_object(&blueprint);
    blueprint_fini(&blueprint);
    return object;
}

static void start(struct stage_template *template, enum base base)
{
    if (base == PRIVATE) {
        stage_private(template, STAGE_P256);
    } else if (base == PUBLIC) {
        stage_public(template, STAGE_P256);
    } else if (base == CERTIFICATE) {
        stage_certificate_template(template, STAGE_P256);
    } else {
        stage_template_init(template);
        stage_add_ulong(template, CKA_CLASS, CKO_DATA);
    }
}

typedef CK_RV edit(const struct object *original, const CK_ATTRIBUTE *template, CK_ULONG count,
                   struct blueprint *ret_blueprint);

static CK_RV answer(edit *how, const struct object *object, CK_ATTRIBUTE_TYPE type,
                    struct span value)
{
    AUTO(blueprint_fini) struct blueprint blueprint;
    CK_ATTRIBUTE one = {type, (void *)(uintptr_t)value.ptr, value.len};
    blueprint_init(&blueprint);
    CK_RV rv = how(object, &one, 1, &blueprint);
    if (rv == CKR_OK && type != CKA_SERIAL_NUMBER)
        assert_value(&blueprint, type, value);
    return rv;
}

static const uint8_t bytes[sizeof(CK_ULONG)] = {1};

/* The value is 1 in the form of the attribute; an object of that kind has another one. */
static const struct rule {
    enum base base;
    CK_ATTRIBUTE_TYPE type;
    size_t len;
    CK_RV in_a_copy;
    CK_RV in_a_change;
} rules[] = {
    {DATA, CKA_CLASS, sizeof(CK_ULONG), CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {DATA, CKA_UNIQUE_ID, 1, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {DATA, CKA_TOKEN, 1, CKR_OK, CKR_ATTRIBUTE_READ_ONLY},
    {DATA, CKA_PRIVATE, 1, CKR_OK, CKR_ATTRIBUTE_READ_ONLY},
    {DATA, CKA_MODIFIABLE, 1, CKR_OK, CKR_ATTRIBUTE_READ_ONLY},
    {DATA, CKA_DESTROYABLE, 1, CKR_OK, CKR_ATTRIBUTE_READ_ONLY},
    {DATA, CKA_COPYABLE, 1, CKR_OK, CKR_OK},
    {DATA, CKA_LABEL, 3, CKR_OK, CKR_OK},
    {DATA, CKA_APPLICATION, 3, CKR_OK, CKR_OK},
    {DATA, CKA_OBJECT_ID, 3, CKR_OK, CKR_OK},
    {DATA, CKA_VALUE, 3, CKR_OK, CKR_OK},
    {DATA, CKA_ID, 3, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_TYPE_INVALID},

    {CERTIFICATE, CKA_CERTIFICATE_TYPE, sizeof(CK_ULONG), CKR_ATTRIBUTE_READ_ONLY,
     CKR_ATTRIBUTE_READ_ONLY},
    {CERTIFICATE, CKA_LABEL, 3, CKR_OK, CKR_OK},
    {CERTIFICATE, CKA_ID, 3, CKR_OK, CKR_OK},
    {CERTIFICATE, CKA_VALUE, 3, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {CERTIFICATE, CKA_SUBJECT, 3, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {CERTIFICATE, CKA_ISSUER, 3, CKR_TEMPLATE_INCONSISTENT, CKR_TEMPLATE_INCONSISTENT},
    {CERTIFICATE, CKA_SERIAL_NUMBER, 3, CKR_OK, CKR_OK}, /* and is what it was */
    {CERTIFICATE, CKA_TRUSTED, 1, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {CERTIFICATE, CKA_PUBLIC_KEY_INFO, 3, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {CERTIFICATE, CKA_START_DATE, 8, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {CERTIFICATE, CKA_CHECK_VALUE, 3, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},

    {PUBLIC, CKA_LABEL, 3, CKR_OK, CKR_OK},
    {PUBLIC, CKA_ID, 3, CKR_OK, CKR_OK},
    {PUBLIC, CKA_SUBJECT, 3, CKR_OK, CKR_OK},
    {PUBLIC, CKA_START_DATE, 8, CKR_OK, CKR_OK},
    {PUBLIC, CKA_END_DATE, 8, CKR_OK, CKR_OK},
    {PUBLIC, CKA_VERIFY, 1, CKR_OK, CKR_OK},
    {PUBLIC, CKA_VERIFY_RECOVER, 1, CKR_OK, CKR_OK},
    {PUBLIC, CKA_TRUSTED, 1, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PUBLIC, CKA_KEY_TYPE, sizeof(CK_ULONG), CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PUBLIC, CKA_EC_PARAMS, 3, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PUBLIC, CKA_EC_POINT, 3, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PUBLIC, CKA_SENSITIVE, 1, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_TYPE_INVALID},
    {PUBLIC, CKA_EXTRACTABLE, 1, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_TYPE_INVALID},

    {PRIVATE, CKA_LABEL, 3, CKR_OK, CKR_OK},
    {PRIVATE, CKA_ID, 3, CKR_OK, CKR_OK},
    {PRIVATE, CKA_SUBJECT, 3, CKR_OK, CKR_OK},
    {PRIVATE, CKA_START_DATE, 8, CKR_OK, CKR_OK},
    {PRIVATE, CKA_START_DATE, 7, CKR_ATTRIBUTE_VALUE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID},
    {PRIVATE, CKA_SIGN, 1, CKR_OK, CKR_OK},
    {PRIVATE, CKA_SIGN_RECOVER, 1, CKR_OK, CKR_OK},
    {PRIVATE, CKA_SENSITIVE, 1, CKR_OK, CKR_OK}, /* it is true already */
    {PRIVATE, CKA_WRAP_WITH_TRUSTED, 1, CKR_OK, CKR_OK},
    {PRIVATE, CKA_KEY_TYPE, sizeof(CK_ULONG), CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE, CKA_LOCAL, 1, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE, CKA_ALWAYS_SENSITIVE, 1, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE, CKA_NEVER_EXTRACTABLE, 1, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE, CKA_KEY_GEN_MECHANISM, sizeof(CK_ULONG), CKR_ATTRIBUTE_READ_ONLY,
     CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE, CKA_ALWAYS_AUTHENTICATE, 1, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE, CKA_ALLOWED_MECHANISMS, sizeof(CK_ULONG), CKR_ATTRIBUTE_READ_ONLY,
     CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE, CKA_VALUE, 3, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE, CKA_PUBLIC_KEY_INFO, 3, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE, CKA_EC_PARAMS, 3, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_READ_ONLY},
    {PRIVATE, CKA_VERIFY, 1, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_TYPE_INVALID},
    {PRIVATE, CKA_MODULUS, 3, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_TYPE_INVALID},
};

static void each_attribute_may_change_as_the_standard_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct stage_template template;
        char what[80];
        start(&template, rules[i].base);
        AUTO(object_unrefp) struct object *object = object_of(rules[i].base, &template);
        struct span value = span_of(bytes, rules[i].len);

        (void)snprintf(what, sizeof(what), "row %zu, attribute 0x%lx", i, rules[i].type);
        assert_answer(answer(blueprint_copy, object, rules[i].type, value), rules[i].in_a_copy,
                      what);
        assert_answer(answer(blueprint_change, object, rules[i].type, value), rules[i].in_a_change,
                      what);
    }
}

/* Each attribute that goes one way: at its end the other value is refused, its own is not. */
static void no_latch_is_ever_opened(void **state)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        bool end;
    } latches[] = {
        {CKA_SENSITIVE, true},
        {CKA_EXTRACTABLE, false},
        {CKA_WRAP_WITH_TRUSTED, true},
    };
    edit *const edits[] = {blueprint_copy, blueprint_change};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(latches) * ARRAY_LEN(edits); i++) {
        struct stage_template template;
        edit *how = edits[i % ARRAY_LEN(edits)];
        CK_ATTRIBUTE_TYPE type = latches[i / ARRAY_LEN(edits)].type;
        CK_BBOOL end = latches[i / ARRAY_LEN(edits)].end;
        CK_BBOOL back = !end;

        start(&template, PRIVATE);
        stage_add_bool(&template, type, back);
        AUTO(object_unrefp) struct object *open = object_of(PRIVATE, &template);
        assert_int_equal(answer(how, open, type, span_of(&back, 1)), CKR_OK);
        assert_int_equal(answer(how, open, type, span_of(&end, 1)), CKR_OK);

        stage_replace(&template, type, span_of(&end, 1));
        AUTO(object_unrefp) struct object *shut = object_of(PRIVATE, &template);
        assert_int_equal(answer(how, shut, type, span_of(&end, 1)), CKR_OK);
        assert_int_equal(answer(how, shut, type, span_of(&back, 1)), CKR_ATTRIBUTE_READ_ONLY);
        assert_int_equal(answer(how, shut, type, BYTES(2)), CKR_ATTRIBUTE_VALUE_INVALID);
    }
}

/* The attacks of Clulow and Tookan, in one template: nothing of it is done. */
static void a_copy_does_not_open_what_the_original_shut(void **state)
{
    struct stage_template template;
    struct stage_template wish;
    struct blueprint copy;
    (void)state;
    start(&template, PRIVATE);
    AUTO(object_unrefp) struct object *object = object_of(PRIVATE, &template);
    stage_template_init(&wish);
    stage_add(&wish, CKA_LABEL, BYTES('x'));
    stage_add_bool(&wish, CKA_SENSITIVE, false);
    stage_add_bool(&wish, CKA_EXTRACTABLE, true);
    blueprint_init(&copy);

    assert_int_equal(blueprint_copy(object, wish.list, wish.count, &copy), CKR_ATTRIBUTE_READ_ONLY);

    assert_null(copy.key);
    blueprint_fini(&copy);
}

static void a_key_that_became_sensitive_was_not_always_so(void **state)
{
    struct stage_pair pair;
    struct stage_template wish;
    struct blueprint changed;
    static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    (void)state;
    stage_pair_init(&pair, CKM_EC_KEY_PAIR_GEN);
    stage_add(&pair.for_public, CKA_EC_PARAMS, span_of(p256, sizeof(p256)));
    stage_add_bool(&pair.for_private, CKA_SENSITIVE, false);
    stage_add_bool(&pair.for_private, CKA_EXTRACTABLE, true);
    assert_int_equal(stage_generate(&pair), CKR_OK);
    AUTO(object_unrefp) struct object *object = stage_object(&pair.private_key);
    stage_template_init(&wish);
    stage_add_bool(&wish, CKA_SENSITIVE, true);
    stage_add_bool(&wish, CKA_EXTRACTABLE, false);
    blueprint_init(&changed);

    assert_int_equal(blueprint_change(object, wish.list, wish.count, &changed), CKR_OK);

    assert_bool(&changed, CKA_SENSITIVE, true);
    assert_bool(&changed, CKA_EXTRACTABLE, false);
    assert_bool(&changed, CKA_ALWAYS_SENSITIVE, false);
    assert_bool(&changed, CKA_NEVER_EXTRACTABLE, false);
    assert_bool(&changed, CKA_LOCAL, true);
    assert_ulong(&changed, CKA_KEY_GEN_MECHANISM, CKM_EC_KEY_PAIR_GEN);
    blueprint_fini(&changed);
    stage_pair_fini(&pair);
}

static void usages_that_no_key_has_stay_false(void **state)
{
    static const CK_ATTRIBUTE_TYPE unused[] = {CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE};
    struct stage_template template;
    (void)state;
    start(&template, PRIVATE);
    AUTO(object_unrefp) struct object *object = object_of(PRIVATE, &template);
    for (size_t i = 0; i < ARRAY_LEN(unused); i++) {
        CK_BBOOL yes = CK_TRUE;
        CK_ATTRIBUTE wish = {unused[i], &yes, sizeof(yes)};
        struct blueprint changed;
        blueprint_init(&changed);
        assert_int_equal(blueprint_change(object, &wish, 1, &changed), CKR_OK);
        assert_bool(&changed, unused[i], false);
        blueprint_fini(&changed);
    }
}

static void what_may_not_be_modified_or_copied_is_not(void **state)
{
    struct stage_template template;
    (void)state;
    start(&template, PRIVATE);
    stage_add_bool(&template, CKA_MODIFIABLE, false);
    AUTO(object_unrefp) struct object *fixed = object_of(PRIVATE, &template);
    stage_replace(&template, CKA_MODIFIABLE, BYTES(CK_TRUE));
    stage_add_bool(&template, CKA_COPYABLE, false);
    AUTO(object_unrefp) struct object *unique = object_of(PRIVATE, &template);

    assert_int_equal(answer(blueprint_change, fixed, CKA_LABEL, BYTES(1)), CKR_ATTRIBUTE_READ_ONLY);
    assert_int_equal(answer(blueprint_copy, fixed, CKA_LABEL, BYTES(1)), CKR_OK);
    assert_int_equal(answer(blueprint_change, unique, CKA_LABEL, BYTES(1)), CKR_OK);
    assert_int_equal(answer(blueprint_copy, unique, CKA_LABEL, BYTES(1)), CKR_ACTION_PROHIBITED);
    assert_int_equal(answer(blueprint_change, unique, CKA_COPYABLE, BYTES(CK_TRUE)),
                     CKR_ATTRIBUTE_READ_ONLY);
}

static void what_is_private_stays_private(void **state)
{
    struct stage_template template;
    (void)state;
    start(&template, DATA);
    stage_add_bool(&template, CKA_PRIVATE, true);
    AUTO(object_unrefp) struct object *data = object_of(DATA, &template);
    start(&template, PRIVATE);
    stage_add_bool(&template, CKA_PRIVATE, false);
    AUTO(object_unrefp) struct object *open_key = object_of(PRIVATE, &template);

    assert_int_equal(answer(blueprint_copy, data, CKA_PRIVATE, BYTES(CK_FALSE)),
                     CKR_TEMPLATE_INCONSISTENT);
    assert_int_equal(answer(blueprint_copy, open_key, CKA_PRIVATE, BYTES(CK_TRUE)), CKR_OK);
    assert_int_equal(answer(blueprint_copy, open_key, CKA_TOKEN, BYTES(CK_FALSE)), CKR_OK);
    /* it would be a private key on the token that needs no login */
    assert_int_equal(answer(blueprint_copy, open_key, CKA_TOKEN, BYTES(CK_TRUE)),
                     CKR_TEMPLATE_INCONSISTENT);
}

static void a_copy_is_the_original_with_the_difference(void **state)
{
    static const enum base bases[] = {DATA, CERTIFICATE, PUBLIC, PRIVATE};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        struct stage_template template;
        struct blueprint copy;
        CK_ATTRIBUTE label = {CKA_LABEL, (void *)(uintptr_t) "new", 3};
        start(&template, bases[i]);
        AUTO(object_unrefp) struct object *object = object_of(bases[i], &template);
        blueprint_init(&copy);

        assert_int_equal(blueprint_copy(object, &label, 1, &copy), CKR_OK);

        assert_int_equal(copy.attributes.count, object->count);
        for (CK_ULONG k = 0; k < object->count; k++) {
            const CK_ATTRIBUTE *one = &object->attributes[k];
            if (one->type != CKA_LABEL)
                assert_value(&copy, one->type, span_of(one->pValue, one->ulValueLen));
        }
        assert_value(&copy, CKA_LABEL, span_text("new"));
        assert_null(copy.key); /* the caller's */
        blueprint_fini(&copy);
    }
}

static void the_id_of_the_original_is_not_the_copy_s(void **state)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_BBOOL yes = CK_TRUE;
    const CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_COPYABLE, &yes, 1},
        {CKA_UNIQUE_ID, (void *)(uintptr_t) "7", 1},
        {CKA_VENDOR_DEFINED | 9, &yes, 1}, /* nor is what the table does not know */
    };
    struct blueprint copy;
    (void)state;
    AUTO(object_unrefp) struct object *object = object_new(attributes, 4, false);
    blueprint_init(&copy);

    assert_int_equal(blueprint_copy(object, NULL, 0, &copy), CKR_OK);

    assert_int_equal(copy.attributes.count, 2);
    assert_ulong(&copy, CKA_CLASS, CKO_DATA);
    assert_bool(&copy, CKA_COPYABLE, true);
    blueprint_fini(&copy);
}

static void the_module_s_own_objects_have_no_copies(void **state)
{
    CK_OBJECT_CLASS class = CKO_PROFILE;
    CK_BBOOL yes = CK_TRUE;
    const CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof(class)}, {CKA_COPYABLE, &yes, 1}, {CKA_MODIFIABLE, &yes, 1}};
    (void)state;
    AUTO(object_unrefp) struct object *object = object_new(attributes, 3, false);

    assert_int_equal(answer(blueprint_copy, object, CKA_LABEL, BYTES(1)), CKR_ACTION_PROHIBITED);
    assert_int_equal(answer(blueprint_change, object, CKA_LABEL, BYTES(1)), CKR_ACTION_PROHIBITED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_attribute_may_change_as_the_standard_says),
        cmocka_unit_test(no_latch_is_ever_opened),
        cmocka_unit_test(a_copy_does_not_open_what_the_original_shut),
        cmocka_unit_test(a_key_that_became_sensitive_was_not_always_so),
        cmocka_unit_test(usages_that_no_key_has_stay_false),
        cmocka_unit_test(what_may_not_be_modified_or_copied_is_not),
        cmocka_unit_test(what_is_private_stays_private),
        cmocka_unit_test(a_copy_is_the_original_with_the_difference),
        cmocka_unit_test(the_id_of_the_original_is_not_the_copy_s),
        cmocka_unit_test(the_module_s_own_objects_have_no_copies),
    };
    return cmocka_run_group_tests(tests, NULL, stage_free);
}
