/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that find a transaction begun by another, and the two ids it may be asked for by. */
#include "remote/smartca/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/smartca/ledger.h"
#include "tests/unit/story.h"

static void
an_unknown_outcome_the_service_knows_nothing_of_is_sent_again_by_the_next_call(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .fate = LOST}, {.to = STATUS, .says = UNKNOWN_ID});
    enum sca_status first = story_sign_alone(story, &lone);
    AUTO(freep) char *body = strdup(story->requests[0].body);
    size_t kept = story_journal_size(story);
    story->now_ms += 5000;
    TELL(story, {.to = STATUS, .says = UNKNOWN_ID}, {.to = SIGN, .says = ACCEPTED},
         {.to = STATUS, .says = SIGNED});

    enum sca_status second = story_sign_alone(story, &lone);

    assert_int_equal(first, SCA_NETWORK);
    assert_true(kept > 0);
    assert_int_equal(second, SCA_OK);
    assert_true(story_is_signed(story, &lone.document));
    assert_string_equal(story->requests[1].body, body);
    assert_int_equal(story_time(story, 1),
                     story_time(story, 0)); /* the first call gave up: nobody to wait for */
    assert_int_equal(story_journal_size(story), 0);
}

static void a_refused_repetition_keeps_the_transaction(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .fate = LOST}, {.to = STATUS, .says = UNKNOWN_ID});
    assert_int_equal(story_sign_alone(story, &lone), SCA_NETWORK);
    TELL(story, {.to = STATUS, .says = UNKNOWN_ID}, {.to = SIGN, .fate = UNSENT});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_NETWORK);
    assert_true(story_journal_size(story) > 0);
}

static void a_joined_transaction_is_not_pushed_again(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING},
         {.to = STATUS, .fate = GIVEN_UP});
    enum sca_status first = story_sign_alone(story, &lone);
    char *body = story->requests[0].body;
    AUTO(freep) char *reply = story_signed_body(story, body, SIGNED);
    char id[64];
    memcpy(id, story->requests[0].id, sizeof(id));
    story_new_client(story);
    TELL(story, {.to = STATUS, .says = WAITING}, {.to = STATUS, .says = reply});

    enum sca_status second = story_sign_alone(story, &lone);

    assert_int_equal(first, SCA_CANCELLED);
    assert_int_equal(second, SCA_OK);
    assert_true(story_is_signed(story, &lone.document));
    assert_string_equal(story->requests[0].id, id);
    assert_string_equal(story->requests[1].id, id);
    assert_int_equal(story_journal_size(story), 0);
}

static void one_of_many_documents_is_found_in_the_transaction_it_was_part_of(void **state)
{
    struct story *story = *state;
    struct story_document made[3];
    struct remote_document documents[3];
    for (size_t i = 0; i < 3; i++)
        documents[i] = story_document(&made[i], (uint8_t)(i + 1));
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .fate = GIVEN_UP});
    assert_int_equal(story_sign(story, documents, 3), SCA_CANCELLED);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    TELL(story, {.to = STATUS, .says = reply});

    enum sca_status st = story_sign(story, &documents[1], 1);

    assert_int_equal(st, SCA_OK);
    assert_true(story_is_signed(story, &documents[1]));
}

static void a_forgotten_transaction_is_begun_anew(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    char id[64];
    memcpy(id, story->requests[0].id, sizeof(id));
    story->now_ms += 11000;
    TELL(story, {.to = STATUS, .says = UNKNOWN_ID}, {.to = STATUS, .says = UNKNOWN_ID},
         {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_string_equal(story->requests[0].id, id);
    assert_string_equal(story->requests[1].id, "code-1");
    assert_string_not_equal(story->requests[2].id, id);
    assert_int_equal(story_journal_size(story), 0);
}

static void an_acceptance_that_is_slow_to_arrive_is_waited_for(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = UNKNOWN_ID, .times = 4},
         {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(story_count(story, SIGN), 1);
}

static void an_acceptance_that_is_forgotten_fails_and_is_remembered(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = UNKNOWN_ID, .times = 100});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_PROTOCOL);
    assert_in_range(story->now_ms, STORY_BEGIN_MS + 10000, STORY_BEGIN_MS + 20000);
    assert_int_equal(story_count(story, SIGN), 1);
    assert_true(story_journal_size(story) > 0);
}

static void whoever_comes_back_late_is_asked_anew_once(void **state)
{
    static const char *const endings[] = {REJECTED, EXPIRED,
                                          ENVELOPE("400", "bad request", "null")};
    struct story *story = *state;
    struct lone lone;

    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .fate = GIVEN_UP});
        assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
        story->now_ms += STORY_BUDGET_MS + 62000;
        TELL(story, {.to = STATUS, .says = endings[i]}, {.to = SIGN, .says = ACCEPTED},
             {.to = STATUS, .says = SIGNED});
        assert_int_equal(story_sign_alone(story, &lone), SCA_OK);
        assert_int_equal(story_count(story, SIGN), 1);
        assert_int_equal(story_journal_size(story), 0);
    }
}

static void whoever_comes_back_late_still_gets_what_was_confirmed(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    story->now_ms += 3600000;
    TELL(story, {.to = STATUS, .says = reply});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_true(story_is_signed(story, &lone.document));
}

static void trouble_never_makes_an_old_transaction_be_pushed_again(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    story->now_ms += 3600000;
    TELL(story, {.to = STATUS, .says = "", .http = 500, .times = 1000});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_NETWORK);
    assert_int_equal(story_count(story, SIGN), 0);
    assert_true(story_journal_size(story) > 0);
}

/* Whoever refuses the question does not say what became of the transaction. */
static void a_refused_question_never_makes_an_old_one_be_pushed_again(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    story->now_ms += 3600000;
    TELL(story, {.to = STATUS, .says = "<html>", .http = 401}, {.to = SIGN, .says = ACCEPTED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_SERVICE_AUTH);

    assert_int_equal(story_count(story, SIGN), 0);
    TELL(story, {.to = STATUS, .says = reply});
    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);
    assert_true(story_is_signed(story, &lone.document));
}

/* As another process does that has the same document to sign. */
static void claim_what_is_there(struct story *story)
{
    AUTO(ledger_fini) struct ledger ledger = {.count = 0};
    struct call call;
    bool is_ours = false;

    story_call(story, &call, STORY_BUDGET_MS);
    assert_int_equal(journal_list(story->client->journal, &call, &ledger), SCA_OK);
    assert_int_equal(ledger.count, 1);
    assert_int_equal(
        journal_claim(story->client->journal, &call, &ledger.items[0], 30000, &is_ours), SCA_OK);
    assert_true(is_ours);
    call_fini(&call);
}

static void an_old_one_that_another_process_sends_just_now_is_not_begun_anew(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .fate = LOST}, {.to = STATUS, .says = UNKNOWN_ID});
    assert_int_equal(story_sign_alone(story, &lone), SCA_NETWORK);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    story->now_ms += STORY_BUDGET_MS + 62000;
    claim_what_is_there(story);
    TELL(story, {.to = STATUS, .says = UNKNOWN_ID}, {.to = STATUS, .says = reply});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(story_count(story, SIGN), 0);
}

static void an_old_one_that_nobody_sends_is_begun_anew(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .fate = LOST}, {.to = STATUS, .says = UNKNOWN_ID});
    assert_int_equal(story_sign_alone(story, &lone), SCA_NETWORK);
    char id[64];
    memcpy(id, story->requests[0].id, sizeof(id));
    story->now_ms += STORY_BUDGET_MS + 62000;
    TELL(story, {.to = STATUS, .says = UNKNOWN_ID}, {.to = SIGN, .says = ACCEPTED},
         {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_string_not_equal(story->requests[1].id, id);
    assert_int_equal(story_journal_size(story), 0);
}

static void the_other_id_is_tried_once_and_remembered(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = UNKNOWN_ID},
         {.to = STATUS, .says = WAITING}, {.to = STATUS, .says = SIGNED});
    enum sca_status first = story_sign_alone(story, &lone);
    char ids[3][64];
    for (size_t i = 0; i < 3; i++)
        memcpy(ids[i], story->requests[i + 1].id, sizeof(ids[i]));
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});

    enum sca_status second = story_sign_alone(story, &lone);

    assert_int_equal(first, SCA_OK);
    assert_int_equal(strlen(ids[0]), 36);
    assert_string_equal(ids[1], "code-1");
    assert_string_equal(ids[2], "code-1");
    assert_int_equal(second, SCA_OK);
    assert_string_equal(story->requests[1].id, "code-1");
}

static void a_tran_code_cannot_lead_to_another_path(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story,
         {.to = SIGN,
          .says = ENVELOPE("200", "sig_wait_for_user_confirm",
                           "{\"transaction_id\":\"x\",\"tran_code\":\"../a?b#\xc4\x91\"}")},
         {.to = STATUS, .says = UNKNOWN_ID}, {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_string_equal(story->requests[2].url, STORY_URL SIGN "/..%2Fa%3Fb%23%C4%91/status");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_outcome_the_service_knows_nothing_of_is_sent_again_by_the_next_call),
        TEST(a_refused_repetition_keeps_the_transaction),
        TEST(a_joined_transaction_is_not_pushed_again),
        TEST(one_of_many_documents_is_found_in_the_transaction_it_was_part_of),
        TEST(a_forgotten_transaction_is_begun_anew),
        TEST(an_acceptance_that_is_slow_to_arrive_is_waited_for),
        TEST(an_acceptance_that_is_forgotten_fails_and_is_remembered),
        TEST(whoever_comes_back_late_is_asked_anew_once),
        TEST(whoever_comes_back_late_still_gets_what_was_confirmed),
        TEST(trouble_never_makes_an_old_transaction_be_pushed_again),
        TEST(a_refused_question_never_makes_an_old_one_be_pushed_again),
        TEST(an_old_one_that_another_process_sends_just_now_is_not_begun_anew),
        TEST(an_old_one_that_nobody_sends_is_begun_anew),
        TEST(the_other_id_is_tried_once_and_remembered),
        TEST(a_tran_code_cannot_lead_to_another_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
