/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes to the bytes that a keystore keeps, and back; bytes that are none. */
#include "module/backend/local_objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

static void attributes_come_back_as_they_were(void **state)
{
    AUTO(buf_fini) struct buf body;
    struct attributes a = {.count = 0};
    struct attributes found = {.count = 0};
    (void)state;

    attributes_add_storage(&a, CKO_CERTIFICATE, false);
    attributes_add_text(&a, CKA_LABEL, "Nguyễn");
    attributes_add_text(&a, CKA_URL, "");
    attributes_add_number(&a, CKA_CERTIFICATE_TYPE, CKC_X_509);
    attributes_add_text(&a, CKA_VENDOR_DEFINED | 0x123456, "ours");
    assert_int_equal(local_body_put(a.list, a.count, &body), SCA_OK);
    assert_int_equal(local_body_get(buf_span(&body), &found), SCA_OK);

    assert_int_equal(found.count, a.count);
    for (CK_ULONG i = 0; i < a.count; i++) {
        assert_int_equal(found.list[i].type, a.list[i].type);
        assert_true(span_equal(span_of(found.list[i].pValue, found.list[i].ulValueLen),
                               span_of(a.list[i].pValue, a.list[i].ulValueLen)));
    }
}

static void a_body_that_is_cut_is_refused_or_shorter(void **state)
{
    AUTO(buf_fini) struct buf body;
    struct attributes a = {.count = 0};
    unsigned accepted = 0;
    (void)state;

    attributes_add_text(&a, CKA_LABEL, "abc");
    attributes_add_text(&a, CKA_ID, "de");
    assert_int_equal(local_body_put(a.list, a.count, &body), SCA_OK);
    for (size_t len = 0; len < body.len; len++) {
        struct attributes found = {.count = 0};
        AUTO(freep) uint8_t *copy = malloc(len + 1); /* its end is where the sanitizer looks */
        assert_non_null(copy);
        memcpy(copy, body.ptr, len);
        if (local_body_get(span_of(copy, len), &found) != SCA_OK)
            continue;
        accepted++;
        assert_int_equal(found.count, 1);
        assert_int_equal(found.list[0].type, CKA_LABEL);
    }

    assert_int_equal(accepted, 1);
}

static void a_length_beyond_the_end_is_refused(void **state)
{
    AUTO(buf_fini) struct buf body;
    struct attributes a = {.count = 0};
    (void)state;

    attributes_add_text(&a, CKA_LABEL, "abc");
    assert_int_equal(local_body_put(a.list, a.count, &body), SCA_OK);
    static const uint32_t lengths[] = {4, 0x7fffffff, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct attributes found = {.count = 0};
        memcpy(body.ptr + sizeof(uint64_t), &lengths[i], sizeof(lengths[i]));
        assert_int_equal(local_body_get(buf_span(&body), &found), SCA_INVALID);
    }
}

static void more_attributes_than_an_object_has_are_refused(void **state)
{
    CK_ATTRIBUTE many[ATTRIBUTES_MAX];
    (void)state;

    for (CK_ULONG i = 0; i < ATTRIBUTES_MAX; i++)
        many[i] = (CK_ATTRIBUTE){i, NULL, 0};
    for (CK_ULONG count = ATTRIBUTES_MAX - 1; count <= ATTRIBUTES_MAX; count++) {
        AUTO(buf_fini) struct buf body;
        struct attributes found = {.count = 0};
        assert_int_equal(local_body_put(many, count, &body), SCA_OK);
        assert_int_equal(local_body_get(buf_span(&body), &found),
                         count < ATTRIBUTES_MAX ? SCA_OK : SCA_INVALID);
    }
}

static void nothing_is_no_object(void **state)
{
    struct attributes found = {.count = 0};
    (void)state;

    assert_int_equal(local_body_get(span_of(NULL, 0), &found), SCA_INVALID);
}

static void what_is_too_large_is_not_written(void **state)
{
    AUTO(buf_fini) struct buf body;
    AUTO(freep) void *value = calloc(1, LOCAL_BODY_MAX + 1);
    CK_ATTRIBUTE attribute = {CKA_VALUE, value, LOCAL_BODY_MAX - 12};
    (void)state;

    assert_int_equal(local_body_put(&attribute, 1, &body), SCA_OK);
    buf_fini(&body);
    attribute.ulValueLen++;
    assert_int_equal(local_body_put(&attribute, 1, &body), SCA_NO_SPACE);
    buf_fini(&body);
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    assert_int_equal(local_body_put(&attribute, 1, &body), SCA_NO_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_come_back_as_they_were),
        cmocka_unit_test(a_body_that_is_cut_is_refused_or_shorter),
        cmocka_unit_test(a_length_beyond_the_end_is_refused),
        cmocka_unit_test(more_attributes_than_an_object_has_are_refused),
        cmocka_unit_test(nothing_is_no_object),
        cmocka_unit_test(what_is_too_large_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
