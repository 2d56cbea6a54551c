/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions that wait, looked at from outside: listed, asked for, forgotten. */
#include "remote/smartca/pending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/story.h"

/* Leaves a transaction that nobody confirmed, and takes it out of the journal's list. */
static struct ledger leave_one(struct story *story)
{
    struct ledger ledger = {.count = 0};
    struct lone lone;
    struct call call;

    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING},
         {.to = STATUS, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    story_call(story, &call, 1000);
    assert_int_equal(pending_list(story->dir, &call, &ledger), SCA_OK);
    call_fini(&call);
    assert_int_equal(ledger.count, 1);
    return ledger;
}

static void without_a_journal_nothing_waits_and_none_is_made(void **state)
{
    struct story *story = *state;
    struct ledger ledger = {.count = 7};
    struct call call;
    story_call(story, &call, 1000);

    assert_int_equal(pending_list(story->dir, &call, &ledger), SCA_OK);

    assert_int_equal(ledger.count, 0);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/journal", story->dir);
    assert_int_equal(access(path, F_OK), -1);
    call_fini(&call);
}

static void what_waits_is_listed_as_it_was_begun(void **state)
{
    struct story *story = *state;

    AUTO(ledger_fini) struct ledger ledger = leave_one(story);

    const struct journal_transaction *item = &ledger.items[0];
    assert_string_equal(item->id, story->requests[0].id);
    assert_string_equal(item->user_id, STORY_USER);
    assert_string_equal(item->url, STORY_URL);
    assert_int_equal(item->state, JOURNAL_SUBMITTED);
    assert_int_equal(item->begun_at, STORY_BEGIN_S);
    assert_int_equal(item->document_count, 1);
    assert_true(item->documents[0].doc_id[0] != 0);
}

static void one_that_is_older_than_a_day_is_not_listed(void **state)
{
    struct story *story = *state;
    AUTO(ledger_fini) struct ledger ledger = leave_one(story);
    AUTO(ledger_fini) struct ledger later = {.count = 0};
    struct call call;
    assert_int_equal(ledger.items[0].begun_at, STORY_BEGIN_S);
    story->now_ms += (JOURNAL_KEEP_S + 60) * 1000ULL;
    story_call(story, &call, 1000);

    assert_int_equal(pending_list(story->dir, &call, &later), SCA_OK);

    assert_int_equal(later.count, 0);
    call_fini(&call);
}

/* One question, by the id that the request was sent under. */
static void every_outcome_is_told_and_what_is_over_is_gone(void **state)
{
    static const struct {
        const char *says;
        enum pending_outcome outcome;
        bool is_over;
    } rows[] = {
        {WAITING, PENDING_WAITING, false},
        {REJECTED, PENDING_REJECTED, true},
        {EXPIRED, PENDING_EXPIRED, true},
        {ENVELOPE("403", "certificate revoked", "null"), PENDING_REFUSED, true},
        {ENVELOPE("65000", "package", "null"), PENDING_REFUSED, true},
    };
    struct story *story = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(ledger_fini) struct ledger ledger = leave_one(story);
        enum pending_outcome outcome = PENDING_OUTCOME_COUNT;
        struct call call;
        TELL(story, {.to = STATUS, .says = rows[i].says});
        story_call(story, &call, 60000);

        assert_int_equal(pending_ask(story->client, &call, &ledger.items[0], &outcome), SCA_OK);

        if (outcome != rows[i].outcome)
            fail_msg("row %zu: outcome %d", i, (int)outcome);
        assert_int_equal(story->request_count, 1);
        assert_int_equal(story_journal_size(story) == 0, rows[i].is_over);
        assert_int_equal(call.note[0] != 0, rows[i].is_over);
        assert_int_equal(pending_forget(story->dir, &call, ledger.items[0].id), SCA_OK);
        call_fini(&call);
    }
}

static void a_signed_one_stays_to_be_collected_without_another_confirmation(void **state)
{
    struct story *story = *state;
    AUTO(ledger_fini) struct ledger ledger = leave_one(story);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    enum pending_outcome outcome = PENDING_OUTCOME_COUNT;
    struct lone lone;
    struct call call;
    TELL(story, {.to = STATUS, .says = reply});
    story_call(story, &call, 60000);

    assert_int_equal(pending_ask(story->client, &call, &ledger.items[0], &outcome), SCA_OK);
    call_fini(&call);
    assert_int_equal(outcome, PENDING_SIGNED);
    TELL(story, {.to = STATUS, .says = reply});
    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_true(story_is_signed(story, &lone.document));
    assert_int_equal(story_journal_size(story), 0);
}

static void signed_without_a_signature_is_waited_for(void **state)
{
    struct story *story = *state;
    AUTO(ledger_fini) struct ledger ledger = leave_one(story);
    enum pending_outcome outcome = PENDING_OUTCOME_COUNT;
    struct call call;
    TELL(story, {.to = STATUS, .says = ENVELOPE("200", "SUCCESS", "{\"signatures\":[]}")});
    story_call(story, &call, 60000);

    assert_int_equal(pending_ask(story->client, &call, &ledger.items[0], &outcome), SCA_OK);

    assert_int_equal(outcome, PENDING_WAITING);
    call_fini(&call);
}

static void one_that_is_not_known_is_asked_for_by_its_other_id(void **state)
{
    struct story *story = *state;
    AUTO(ledger_fini) struct ledger ledger = leave_one(story);
    enum pending_outcome outcome = PENDING_OUTCOME_COUNT;
    struct call call;
    TELL(story, {.to = STATUS, .says = UNKNOWN_ID}, {.to = STATUS, .says = WAITING});
    story_call(story, &call, 60000);

    assert_int_equal(pending_ask(story->client, &call, &ledger.items[0], &outcome), SCA_OK);

    assert_int_equal(outcome, PENDING_WAITING);
    assert_int_equal(story->request_count, 2);
    assert_string_equal(story->requests[1].id, "code-1");
    call_fini(&call);
}

static void one_that_is_not_known_at_all_stays(void **state)
{
    struct story *story = *state;
    AUTO(ledger_fini) struct ledger ledger = leave_one(story);
    enum pending_outcome outcome = PENDING_OUTCOME_COUNT;
    struct call call;
    TELL(story, {.to = STATUS, .says = UNKNOWN_ID, .times = 2});
    story_call(story, &call, 60000);

    assert_int_equal(pending_ask(story->client, &call, &ledger.items[0], &outcome), SCA_OK);

    assert_int_equal(outcome, PENDING_UNKNOWN);
    assert_true(story_journal_size(story) > 0);
    call_fini(&call);
}

static void no_answer_is_no_outcome(void **state)
{
    static const struct {
        struct line line;
        enum sca_status status;
    } rows[] = {
        {{.to = STATUS, .fate = UNSENT}, SCA_NETWORK},
        {{.to = STATUS, .fate = LOST}, SCA_NETWORK},
        {{.to = STATUS, .says = "bad gateway", .http = 502}, SCA_NETWORK},
        {{.to = STATUS, .says = "slow down", .http = 429}, SCA_NETWORK},
        {{.to = STATUS, .says = ENVELOPE("401", "sp_id", "null"), .http = 401}, SCA_SERVICE_AUTH},
        {{.to = STATUS, .says = "<html>", .http = 403}, SCA_NOT_PERMITTED},
        {{.to = STATUS, .says = "<html>", .http = 405}, SCA_PROTOCOL},
    };
    struct story *story = *state;
    AUTO(ledger_fini) struct ledger ledger = leave_one(story);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum pending_outcome outcome = PENDING_OUTCOME_COUNT;
        struct call call;
        story_tell(story, &rows[i].line, 1);
        story_call(story, &call, 60000);
        enum sca_status st = pending_ask(story->client, &call, &ledger.items[0], &outcome);
        if (st != rows[i].status || outcome != PENDING_OUTCOME_COUNT || !call.note[0])
            fail_msg("row %zu: %s", i, sca_status_name(st));
        call_fini(&call);
    }
    assert_true(story_journal_size(story) > 0);
}

static void a_forgotten_one_is_begun_anew_by_the_next_call(void **state)
{
    struct story *story = *state;
    AUTO(ledger_fini) struct ledger ledger = leave_one(story);
    struct lone lone;
    struct call call;
    story_call(story, &call, 1000);

    assert_int_equal(pending_forget(story->dir, &call, ledger.items[0].id), SCA_OK);
    call_fini(&call);
    assert_int_equal(story_journal_size(story), 0);
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});
    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_string_not_equal(story->requests[0].id, ledger.items[0].id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_journal_nothing_waits_and_none_is_made),
        TEST(what_waits_is_listed_as_it_was_begun),
        TEST(one_that_is_older_than_a_day_is_not_listed),
        TEST(every_outcome_is_told_and_what_is_over_is_gone),
        TEST(a_signed_one_stays_to_be_collected_without_another_confirmation),
        TEST(signed_without_a_signature_is_waited_for),
        TEST(one_that_is_not_known_is_asked_for_by_its_other_id),
        TEST(one_that_is_not_known_at_all_stays),
        TEST(no_answer_is_no_outcome),
        TEST(a_forgotten_one_is_begun_anew_by_the_next_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
