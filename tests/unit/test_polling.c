/* SPDX-License-Identifier: Apache-2.0 */
/* How long, how often, and until when a call waits. */
#include "remote/smartca/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/story.h"

static void a_busy_service_gets_the_same_request_again_when_it_wants(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = "", .http = 429, .retry_after_ms = 7000, .times = 2},
         {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_string_equal(story->requests[1].body, story->requests[0].body);
    assert_string_equal(story->requests[2].body, story->requests[0].body);
    assert_int_equal(story_time(story, 1), STORY_BEGIN_MS + 7000);
    assert_int_equal(story_time(story, 2), STORY_BEGIN_MS + 14000);
}

static void a_service_busy_to_the_end_is_a_network_failure(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = "", .http = 429, .retry_after_ms = 60000, .times = 100});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_NETWORK);
    assert_int_equal(story->request_count, 5); /* 0, 60, 120, 180, 240 s; 300 is too late */
    assert_int_equal(story->now_ms, STORY_BEGIN_MS + STORY_BUDGET_MS);
}

static void the_wait_follows_the_schedule(void **state)
{
    /* x1.5 from 500 to 2000; after a minute to 5000. */
    static const uint64_t pauses[] = {500, 750, 1125, 1687, 2000, 2000, 2000, 2000, 2000, 2000};
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING, .times = 40},
         {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    uint64_t expected = STORY_BEGIN_MS;
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
        expected += pauses[i];
        assert_int_equal(story_time(story, 1 + i), expected);
    }
    assert_int_equal(story_time(story, 32), STORY_BEGIN_MS + 60062);
    assert_int_equal(story_time(story, 33), STORY_BEGIN_MS + 60062 + 3000);
    assert_int_equal(story_time(story, 34), STORY_BEGIN_MS + 60062 + 3000 + 4500);
    assert_int_equal(story_time(story, 35), STORY_BEGIN_MS + 60062 + 3000 + 4500 + 5000);
    assert_int_equal(story_time(story, 36), STORY_BEGIN_MS + 60062 + 3000 + 4500 + 5000 + 5000);
}

static void a_long_interval_is_kept(void **state)
{
    struct story *story = *state;
    struct lone lone;
    story->account.service.poll_interval_ms = 10000;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING, .times = 15},
         {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(story_time(story, 1), STORY_BEGIN_MS + 500);
    for (size_t i = 10; i < 16; i++)
        assert_int_equal(story_time(story, i + 1) - story_time(story, i), 10000);
}

static void an_interval_of_nothing_means_no_pause(void **state)
{
    struct story *story = *state;
    struct lone lone;
    story->account.service.poll_interval_ms = 0;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING, .times = 50},
         {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(story->now_ms, STORY_BEGIN_MS);
}

static void the_service_hint_slows_the_polling(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED, .retry_after_ms = 4000},
         {.to = STATUS, .says = WAITING, .retry_after_ms = 9000}, {.to = STATUS, .says = WAITING},
         {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(story_time(story, 1), STORY_BEGIN_MS + 4000);
    assert_int_equal(story_time(story, 2), STORY_BEGIN_MS + 13000);
    assert_int_equal(story_time(story, 3), STORY_BEGIN_MS + 13000 + 1125);
}

static void trouble_is_asked_again_with_growing_pauses_and_ends_as_a_network_failure(void **state)
{
    static const uint64_t pauses[] = {500, 750, 1125, 1687, 2530, 3795, 5000, 5000, 5000};
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING},
         {.to = STATUS, .says = "oops", .http = 503, .times = 100});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_NETWORK);
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
        uint64_t pause = story_time(story, 3 + i) - story_time(story, 2 + i);
        assert_in_range(pause, pauses[i] * 80 / 100, pauses[i] * 120 / 100);
    }
    assert_int_equal(story_time(story, story->request_count - 1),
                     STORY_BEGIN_MS + STORY_BUDGET_MS - 250);
    assert_true(story_journal_size(story) > 0);
}

static void trouble_that_passes_is_forgotten(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .fate = LOST, .times = 4},
         {.to = STATUS, .says = WAITING}, {.to = STATUS, .fate = UNSENT},
         {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_in_range(story_time(story, 7) - story_time(story, 6), 400,
                    600); /* the back-off began anew */
    assert_int_equal(story_journal_size(story), 0);
}

static void nobody_confirming_is_noticed_at_the_deadline_and_can_be_collected_later(void **state)
{
    struct story *story = *state;
    struct lone lone;
    struct call call;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING, .times = 300});
    story_alone(&lone);
    story_call(story, &call, STORY_BUDGET_MS);
    enum sca_status first =
        transaction_sign(story->client, &call, &no_credentials, &story->key, &lone.document, 1);
    uint64_t last_at = story_time(story, story->request_count - 1);
    bool has_advice = strstr(call.note, "sign the same document again") != NULL;
    call_fini(&call);
    char id[64];
    memcpy(id, story->requests[0].id, sizeof(id));
    story_new_client(story);
    TELL(story, {.to = STATUS, .says = REJECTED});

    enum sca_status second = story_sign_alone(story, &lone);

    assert_int_equal(first, SCA_UNCONFIRMED);
    assert_int_equal(last_at, STORY_BEGIN_MS + STORY_BUDGET_MS - 250);
    assert_true(has_advice);
    assert_int_equal(second, SCA_REJECTED); /* young: it ends as what it is */
    assert_string_equal(story->requests[0].id, id);
    assert_int_equal(story_journal_size(story), 0);
}

static void a_deadline_of_the_service_comes_first(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story,
         {.to = SIGN,
          .says = ENVELOPE("200", "sig_wait_for_user_confirm",
                           "{\"transaction_id\":\"x\",\"tran_code\":\"c\",\"expired_in\":20}")},
         {.to = STATUS, .says = WAITING, .times = 300});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_UNCONFIRMED);
    assert_int_equal(story_time(story, story->request_count - 1), STORY_BEGIN_MS + 20000 - 250);
    assert_true(story_journal_size(story) > 0);
}

static void a_question_cut_off_by_the_deadline_is_not_the_network_s_fault(void **state)
{
    struct story *story = *state;
    struct lone lone;
    story->account.service.poll_interval_ms = 100000;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING, .times = 5},
         {.to = STATUS, .says = WAITING, .takes_ms = 600, .times = 10});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_true(story->now_ms <= STORY_BEGIN_MS + STORY_BUDGET_MS);
    assert_int_equal(st, SCA_UNCONFIRMED);
}

static bool give_up(void *arg)
{
    unsigned *asked = arg;

    return ++*asked < 3;
}

static void an_application_that_gives_up_is_heard_within_a_second(void **state)
{
    struct story *story = *state;
    struct lone lone;
    struct call call;
    unsigned asked = 0;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING, .times = 100});
    story_alone(&lone);
    story_call(story, &call, STORY_BUDGET_MS);
    call.keep_going = give_up;
    call.keep_going_arg = &asked;

    enum sca_status st =
        transaction_sign(story->client, &call, &no_credentials, &story->key, &lone.document, 1);

    assert_int_equal(st, SCA_CANCELLED);
    assert_int_equal(lone.document.status, SCA_CANCELLED);
    assert_int_equal(asked, 3);
    assert_true(story->now_ms - STORY_BEGIN_MS <= 4000);
    assert_true(story_journal_size(story) > 0);
    call_fini(&call);
}

static void what_is_cancelled_or_late_before_it_starts_sends_nothing(void **state)
{
    struct story *story = *state;
    struct lone lone;
    struct call call;
    story_alone(&lone);

    story_call(story, &call, STORY_BUDGET_MS);
    call_cancel(&call);
    assert_int_equal(
        transaction_sign(story->client, &call, &no_credentials, &story->key, &lone.document, 1),
        SCA_CANCELLED);
    call_fini(&call);
    story_call(story, &call, 0);
    assert_int_equal(
        transaction_sign(story->client, &call, &no_credentials, &story->key, &lone.document, 1),
        SCA_NETWORK);
    call_fini(&call);

    assert_int_equal(story->request_count, 0);
    assert_int_equal(story_journal_size(story), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_busy_service_gets_the_same_request_again_when_it_wants),
        TEST(a_service_busy_to_the_end_is_a_network_failure),
        TEST(the_wait_follows_the_schedule),
        TEST(a_long_interval_is_kept),
        TEST(an_interval_of_nothing_means_no_pause),
        TEST(the_service_hint_slows_the_polling),
        TEST(trouble_is_asked_again_with_growing_pauses_and_ends_as_a_network_failure),
        TEST(trouble_that_passes_is_forgotten),
        TEST(nobody_confirming_is_noticed_at_the_deadline_and_can_be_collected_later),
        TEST(a_deadline_of_the_service_comes_first),
        TEST(a_question_cut_off_by_the_deadline_is_not_the_network_s_fault),
        TEST(an_application_that_gives_up_is_heard_within_a_second),
        TEST(what_is_cancelled_or_late_before_it_starts_sends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
