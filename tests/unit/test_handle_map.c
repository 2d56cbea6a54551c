/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/handle_map.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

static int items[20000];

static void a_handle_finds_its_item(void **state)
{
    struct handle_map map;
    (void)state;
    handle_map_init(&map, 100);

    unsigned long first = handle_map_add(&map, &items[0]);
    unsigned long second = handle_map_add(&map, &items[1]);

    assert_ptr_equal(handle_map_find(&map, first), &items[0]);
    assert_ptr_equal(handle_map_find(&map, second), &items[1]);
    assert_int_not_equal(first, second);
    assert_int_equal(map.used, 2);
    handle_map_fini(&map);
}

static void other_numbers_find_nothing(void **state)
{
    struct handle_map map;
    (void)state;
    handle_map_init(&map, 100);
    assert_null(handle_map_find(&map, 1));
    unsigned long handle = handle_map_add(&map, &items[0]);
    const unsigned long wrong[] = {0,
                                   1,
                                   handle + 1,
                                   handle + (1UL << HANDLE_INDEX_BITS),
                                   handle | 1UL << 31,
                                   handle | 1UL << 40,
                                   (unsigned long)-1};

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_null(handle_map_find(&map, wrong[i]));
        assert_null(handle_map_remove(&map, wrong[i]));
    }
    assert_ptr_equal(handle_map_find(&map, handle), &items[0]);
    handle_map_fini(&map);
}

static void a_removed_handle_is_gone(void **state)
{
    struct handle_map map;
    (void)state;
    handle_map_init(&map, 100);
    unsigned long handle = handle_map_add(&map, &items[0]);

    assert_ptr_equal(handle_map_remove(&map, handle), &items[0]);

    assert_null(handle_map_remove(&map, handle));
    assert_null(handle_map_find(&map, handle));
    assert_int_equal(map.used, 0);
    handle_map_fini(&map);
}

static void the_limit_holds(void **state)
{
    struct handle_map map;
    unsigned long last = 0;
    (void)state;
    handle_map_init(&map, 10000);

    for (size_t i = 0; i < 10000; i++) {
        last = handle_map_add(&map, &items[i]);
        assert_int_not_equal(last, 0);
    }
    assert_int_equal(handle_map_add(&map, &items[0]), 0);
    assert_ptr_equal(handle_map_remove(&map, last), &items[9999]);
    assert_int_not_equal(handle_map_add(&map, &items[0]), 0);
    handle_map_fini(&map);
}

static void all_places_can_be_used(void **state)
{
    struct handle_map map;
    size_t found = 0;
    (void)state;
    handle_map_init(&map, 1 << HANDLE_INDEX_BITS);

    for (size_t i = 0; i < 1 << HANDLE_INDEX_BITS; i++)
        assert_int_not_equal(handle_map_add(&map, &items[i]), 0);
    assert_int_equal(handle_map_add(&map, &items[0]), 0);

    for (size_t i = 0; i < handle_map_places(&map); i++)
        found += handle_map_at(&map, i) != NULL;
    assert_int_equal(found, 1 << HANDLE_INDEX_BITS);
    handle_map_fini(&map);
}

static void handles_stay_in_range_and_come_back_late(void **state)
{
    struct handle_map map;
    (void)state;
    handle_map_init(&map, 10);
    unsigned long first = handle_map_add(&map, &items[0]);
    assert_ptr_equal(handle_map_remove(&map, first), &items[0]);
    unsigned long rounds = 0;

    for (;; rounds++) {
        unsigned long handle = handle_map_add(&map, &items[0]);
        assert_in_range(handle, 1, 0x7fffffff);
        assert_ptr_equal(handle_map_remove(&map, handle), &items[0]);
        if (handle == first)
            break;
    }

    assert_true(rounds > 1000000);
    handle_map_fini(&map);
}

static void an_empty_map_has_no_places(void **state)
{
    struct handle_map map;
    (void)state;
    handle_map_init(&map, 3);

    assert_int_equal(handle_map_places(&map), 0);
    handle_map_fini(&map);
    handle_map_fini(&map);
    assert_int_not_equal(handle_map_add(&map, &items[0]), 0); /* and may be used again */
    handle_map_fini(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_finds_its_item),
        cmocka_unit_test(other_numbers_find_nothing),
        cmocka_unit_test(a_removed_handle_is_gone),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(all_places_can_be_used),
        cmocka_unit_test(handles_stay_in_range_and_come_back_late),
        cmocka_unit_test(an_empty_map_has_no_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
