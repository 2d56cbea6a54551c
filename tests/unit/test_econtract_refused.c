/* SPDX-License-Identifier: Apache-2.0 */
/* The client: what is kept, and what is not shown, when the service refuses something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/econtract_stage.h"

#define TOKEN(text) "{\"data\":\"" text "\",\"success\":true,\"code\":0,\"messages\":[]}"
#define ONE_USER    "{\"data\":{\"items\":[{\"id\":7}],\"totalCount\":1},\"success\":true,\"code\":0}"
#define NO(code, message)                                                                          \
    "{\"data\":null,\"success\":false,\"code\":" code ",\"messages\":[\"" message "\"]}"

static enum sca_status login(struct econtract_stage *stage, const char *company, const char *otp)
{
    struct econtract_companies companies = {.count = 0};

    return econtract_stage_login(stage, company, otp, &companies);
}

static void assert_silent(const struct econtract_stage *stage, const char *secret)
{
    assert_null(strstr(stage->note, secret));
    assert_null(strstr(econtract_verdict(stage->econtract)->messages, secret));
}

static void what_the_service_repeats_of_a_login_is_not_shown(void **state)
{
    struct econtract_stage *stage = *state;
    TELL(stage, {401, NO("401", "ann with pass\\\"word and 987654 is wrong, pass\\\"wo")});

    assert_int_equal(login(stage, NULL, "987654"), SCA_USER_AUTH);

    assert_silent(stage, "pass\"w");
    assert_silent(stage, "987654");
    assert_non_null(strstr(stage->note, "ann with ********* and ****** is wrong"));
}

static void a_token_that_is_repeated_is_not_shown(void **state)
{
    struct econtract_stage *stage = *state;
    size_t count = 0;
    TELL(stage, {200, TOKEN("ey.canary.1")},
         {403, NO("403", "ey.canary.1 may not, nor pass\\\"word")});

    assert_int_equal(login(stage, NULL, NULL), SCA_OK);
    assert_int_equal(econtract_stage_list(stage, &count), SCA_NOT_PERMITTED);

    assert_silent(stage, "canary");
    assert_silent(stage, "pass");
}

/* The service was out of order for a moment: who chose a company need not choose again. */
static void a_log_in_that_fails_forgets_no_company(void **state)
{
    static const struct reply failures[] = {{503, "{oops"}, {0, ""}, {401, NO("401", "No")}};
    struct econtract_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        size_t count = 0;
        TELL(stage, {200, TOKEN("ey.1")}, {401, NO("401", "Unauthenticated")}, failures[i],
             {401, NO("401", "Unauthenticated")}, {200, TOKEN("ey.2")}, {200, ONE_USER});
        assert_int_equal(login(stage, "1", NULL), SCA_OK);
        assert_int_not_equal(econtract_stage_list(stage, &count), SCA_OK);
        econtract_stage_restart(stage);

        assert_int_equal(econtract_stage_list(stage, &count), SCA_OK);

        assert_int_equal(count, 1);
        assert_int_equal(stage->request_count, 6);
        assert_non_null(strstr(stage->requests[4].body, "\"companyId\":1"));
        assert_string_equal(stage->requests[5].bearer, "ey.2");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, econtract_stage_begin, econtract_stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_service_repeats_of_a_login_is_not_shown),
        TEST(a_token_that_is_repeated_is_not_shown),
        TEST(a_log_in_that_fails_forgets_no_company),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
