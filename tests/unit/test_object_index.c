/* SPDX-License-Identifier: Apache-2.0 */
/* Finding among many objects by what programs ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "module/token/object_index.h"
#include "remote/base/cleanup.h"

enum { COUNT = 1000, LABELS = 10 };

static struct object *objects[COUNT];
static struct object_index *idx;

static int make_objects(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        CK_OBJECT_CLASS class = i % 2 ? CKO_CERTIFICATE : CKO_PUBLIC_KEY;
        char id[16];
        char label[16];
        int id_len = snprintf(id, sizeof(id), "id %u", i);
        int label_len = snprintf(label, sizeof(label), "label %u", i % LABELS);
        CK_ATTRIBUTE attributes[] = {
            {CKA_CLASS, &class, sizeof(class)},
            {CKA_LABEL, label, (CK_ULONG)label_len},
            {CKA_ID, id, (CK_ULONG)id_len},
        };
        objects[i] = object_new(attributes, ARRAY_LEN(attributes), false);
        assert_non_null(objects[i]);
    }
    idx = object_index_new(objects, COUNT);
    assert_non_null(idx);
    return 0;
}

static int free_objects(void **state)
{
    (void)state;
    object_index_free(idx);
    for (unsigned i = 0; i < COUNT; i++)
        object_unref(objects[i]);
    return 0;
}

/* How many objects a walk looks at, and how many of them match. */
static size_t walk_over(const CK_ATTRIBUTE *template, CK_ULONG count, size_t *ret_matches)
{
    struct object_walk walk;
    size_t seen = 0;
    size_t number = 0;
    size_t last = 0;

    assert_true(object_walk_begin(idx, template, count, &walk));
    for (*ret_matches = 0; object_walk_next(&walk, &number); seen++) {
        assert_true(seen == 0 || number > last);
        last = number;
        *ret_matches += object_matches(objects[number], template, count);
    }
    return seen;
}

static void one_of_many_is_found_without_looking_at_the_others(void **state)
{
    char id[] = "id 737";
    CK_ATTRIBUTE template[] = {{CKA_ID, id, sizeof(id) - 1}};
    size_t matches = 0;
    (void)state;

    assert_int_equal(walk_over(template, 1, &matches), 1);
    assert_int_equal(matches, 1);
}

static void the_most_telling_attribute_leads(void **state)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    char id[] = "id 737";
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, id, sizeof(id) - 1}};
    size_t matches = 0;
    (void)state;

    assert_int_equal(walk_over(template, 2, &matches), 1);
    assert_int_equal(matches, 1);
}

static void as_many_are_looked_at_as_match(void **state)
{
    char label[] = "label 3";
    CK_ATTRIBUTE template[] = {{CKA_LABEL, label, sizeof(label) - 1}};
    size_t matches = 0;
    (void)state;

    assert_int_equal(walk_over(template, 1, &matches), COUNT / LABELS);
    assert_int_equal(matches, COUNT / LABELS);
}

static void what_is_not_there_is_not_found(void **state)
{
    char id[] = "id 1000";
    char empty[] = "";
    CK_ATTRIBUTE unknown[] = {{CKA_ID, id, sizeof(id) - 1}};
    CK_ATTRIBUTE nothing[] = {{CKA_ID, empty, 0}};
    size_t matches = 0;
    (void)state;

    assert_int_equal(walk_over(unknown, 1, &matches), 0);
    assert_int_equal(walk_over(nothing, 1, &matches), 0);
}

static void a_template_without_an_indexed_attribute_starts_no_walk(void **state)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE token[] = {{CKA_TOKEN, &yes, sizeof(yes)}};
    CK_ATTRIBUTE broken[] = {{CKA_ID, NULL, 5}};
    struct object_walk walk;
    (void)state;

    assert_false(object_walk_begin(idx, token, 1, &walk));
    assert_false(object_walk_begin(idx, broken, 1, &walk));
    assert_false(object_walk_begin(idx, NULL, 0, &walk));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_many_is_found_without_looking_at_the_others),
        cmocka_unit_test(the_most_telling_attribute_leads),
        cmocka_unit_test(as_many_are_looked_at_as_match),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(a_template_without_an_indexed_attribute_starts_no_walk),
    };
    return cmocka_run_group_tests(tests, make_objects, free_objects);
}
