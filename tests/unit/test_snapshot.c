/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "module/backend/attributes.h"
#include "remote/base/cleanup.h"

/* A token that lists the numbers it is told to, in that order. */
struct listed {
    struct token token; /* first: what the snapshot gets */
    const unsigned *numbers;
    size_t count;
    enum sca_status end;
};

static enum sca_status list(struct token *token, struct object_sink *sink)
{
    const struct listed *listed = (const struct listed *)token;
    enum sca_status st = SCA_OK;
    for (size_t i = 0; st == SCA_OK && i < listed->count; i++) {
        struct attributes attributes = {.count = 0};
        attributes_add_text(&attributes, CKA_LABEL, "label");
        attributes_add_number(&attributes, CKA_CLASS, CKO_DATA);
        attributes_add_bool(&attributes, CKA_TOKEN, true);
        attributes_add(&attributes, CKA_ID, span_of(NULL, 0));
        attributes_add_date(&attributes, CKA_START_DATE, 1780000000);
        attributes_add_date(&attributes, CKA_END_DATE, INT64_MAX);
        st = sink->add(sink, listed->numbers[i], listed->numbers[i] % 2, attributes.list,
                       attributes.count);
    }
    return st == SCA_OK ? listed->end : st;
}

static const struct token_ops ops = {.list = list};

static struct listed token_with(const unsigned *numbers, size_t count, CK_SLOT_ID slot_id)
{
    return (struct listed){.token = {.ops = &ops, .slot_id = slot_id},
                           .numbers = numbers,
                           .count = count,
                           .end = SCA_OK};
}

static void objects_are_found_by_handle_in_their_order(void **state)
{
    static const unsigned numbers[] = {7, 1, 200, 3};
    struct listed listed = token_with(numbers, ARRAY_LEN(numbers), 5);
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    (void)state;

    assert_int_equal(snapshot_new(&listed.token, &snapshot), SCA_OK);

    assert_int_equal(snapshot->count, 4);
    static const unsigned sorted[] = {1, 3, 7, 200};
    for (size_t i = 0; i < 4; i++) {
        const struct object *object = snapshot->objects[i];
        assert_int_equal(object->number, sorted[i]);
        assert_int_equal(object->is_private, sorted[i] % 2);
        assert_int_equal(object->class, CKO_DATA);
        assert_ptr_equal(snapshot_find(snapshot, object->handle), object);
        if (i)
            assert_true(object->handle > snapshot->objects[i - 1]->handle);
    }
    assert_null(snapshot_find(snapshot, 0));
    assert_null(snapshot_find(snapshot, snapshot->objects[0]->handle + 1));
    assert_null(snapshot_find(snapshot, (CK_OBJECT_HANDLE)-1));
}

static void handles_depend_on_slot_and_number_alone(void **state)
{
    static const unsigned one[] = {9};
    static const unsigned many[] = {1, 9, 12};
    struct listed first = token_with(one, 1, 0x1001);
    struct listed second = token_with(many, 3, 0x1001);
    struct listed elsewhere = token_with(one, 1, 0x1002);
    AUTO(snapshot_unrefp) struct snapshot *a = NULL;
    AUTO(snapshot_unrefp) struct snapshot *b = NULL;
    AUTO(snapshot_unrefp) struct snapshot *c = NULL;
    (void)state;

    assert_int_equal(snapshot_new(&first.token, &a), SCA_OK);
    assert_int_equal(snapshot_new(&second.token, &b), SCA_OK);
    assert_int_equal(snapshot_new(&elsewhere.token, &c), SCA_OK);

    assert_int_equal(a->objects[0]->handle, b->objects[1]->handle);
    assert_int_not_equal(a->objects[0]->handle, c->objects[0]->handle);
}

/* 0 is CK_INVALID_HANDLE, and applications keep handles in an int. */
static void no_handle_is_zero_or_beyond_an_int(void **state)
{
    static const CK_SLOT_ID slots[] = {0, 1, 0x7fffff, 0x800000, 0x7fffffff, (CK_SLOT_ID)-1};
    static const unsigned numbers[] = {1, 2, 255, 256, OBJECT_NUMBER_MAX};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        struct listed listed = token_with(numbers, ARRAY_LEN(numbers), slots[i]);
        AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
        assert_int_equal(snapshot_new(&listed.token, &snapshot), SCA_OK);
        for (size_t k = 0; k < snapshot->count; k++)
            assert_in_range(snapshot->objects[k]->handle, 1, 0x7fffffff);
    }
}

static void attributes_are_copied_and_typed(void **state)
{
    static const unsigned numbers[] = {1};
    struct listed listed = token_with(numbers, 1, 1);
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    (void)state;
    assert_int_equal(snapshot_new(&listed.token, &snapshot), SCA_OK);
    const struct object *object = snapshot->objects[0];

    const CK_ATTRIBUTE *label = object_attribute(object, CKA_LABEL);
    assert_int_equal(label->ulValueLen, 5);
    assert_memory_equal(label->pValue, "label", 5);
    assert_int_equal(object_attribute(object, CKA_ID)->ulValueLen, 0);
    assert_memory_equal(object_attribute(object, CKA_START_DATE)->pValue, "20260528", 8);
    assert_int_equal(object_attribute(object, CKA_END_DATE)->ulValueLen,
                     0); /* beyond the calendar */
    assert_null(object_attribute(object, CKA_VALUE));
    assert_int_equal(object_ulong(object, CKA_CLASS, 77), CKO_DATA);
    assert_int_equal(object_ulong(object, CKA_VALUE, 77), 77);
    assert_int_equal(object_ulong(object, CKA_LABEL, 77), 77); /* of another size */
    assert_true(object_bool(object, CKA_TOKEN));
    assert_false(object_bool(object, CKA_PRIVATE));
    assert_false(object_bool(object, CKA_CLASS));
}

static void a_token_without_objects_is_fine(void **state)
{
    struct listed listed = token_with(NULL, 0, 1);
    AUTO(snapshot_unrefp) struct snapshot *snapshot = NULL;
    (void)state;

    assert_int_equal(snapshot_new(&listed.token, &snapshot), SCA_OK);

    assert_int_equal(snapshot->count, 0);
    assert_null(snapshot_find(snapshot, 1));
}

static void a_list_that_fails_midway_leaves_nothing(void **state)
{
    static const unsigned numbers[] = {1, 2};
    struct listed listed = token_with(numbers, 2, 1);
    struct snapshot *snapshot = NULL;
    (void)state;
    listed.end = SCA_IO;

    assert_int_equal(snapshot_new(&listed.token, &snapshot), SCA_IO);

    assert_null(snapshot);
    snapshot_unref(NULL);
}

static void a_reference_keeps_it_alive(void **state)
{
    static const unsigned numbers[] = {1};
    struct listed listed = token_with(numbers, 1, 1);
    struct snapshot *snapshot = NULL;
    (void)state;
    assert_int_equal(snapshot_new(&listed.token, &snapshot), SCA_OK);

    struct snapshot *other = snapshot_ref(snapshot);
    snapshot_unrefp(&snapshot);

    assert_null(snapshot);
    assert_int_equal(other->objects[0]->number, 1);
    snapshot_unref(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_found_by_handle_in_their_order),
        cmocka_unit_test(handles_depend_on_slot_and_number_alone),
        cmocka_unit_test(no_handle_is_zero_or_beyond_an_int),
        cmocka_unit_test(attributes_are_copied_and_typed),
        cmocka_unit_test(a_token_without_objects_is_fine),
        cmocka_unit_test(a_list_that_fails_midway_leaves_nothing),
        cmocka_unit_test(a_reference_keeps_it_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
