/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "module/backend/backend.h"
#include "remote/base/reentry.h"

static unsigned freed;

static void count_free(struct token *token)
{
    freed++;
    free(token);
}

static const struct token_ops ops = {.free = count_free};

static void a_list_owns_its_tokens(void **state)
{
    struct token_list list = {0};
    (void)state;
    freed = 0;

    for (CK_SLOT_ID i = 0; i < 10; i++) {
        struct token *token = calloc(1, sizeof(*token));
        assert_non_null(token);
        token->ops = &ops;
        token->slot_id = i;
        assert_int_equal(token_list_add(&list, token), SCA_OK);
    }
    assert_int_equal(list.count, 10);
    assert_int_equal(list.items[7]->slot_id, 7);
    list.items[3]->ops->free(list.items[3]);
    list.items[3] = NULL; /* taken out by somebody else */
    token_list_fini(&list);

    assert_int_equal(freed, 10);
    assert_int_equal(list.count, 0);
    assert_null(list.items);
    token_list_fini(&list);
}

static void being_below_ourselves_is_counted(void **state)
{
    (void)state;

    assert_false(reentry_is_inside());
    reentry_enter();
    reentry_enter();
    reentry_leave();
    assert_true(reentry_is_inside());
    reentry_leave();
    assert_false(reentry_is_inside());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_owns_its_tokens),
        cmocka_unit_test(being_below_ourselves_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
