/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever has begun a transaction asks for that one to the end, whatever becomes of the journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/tickets.h"

/* Pushed, and asked for once. */
static struct remote_ticket *begun(struct story *story)
{
    uint8_t signature[STORY_SIGNATURE];

    TELL(story, {.to = SIGN, .says = ACCEPTED});
    struct remote_ticket *ticket = ticket_begin(story, 1);
    assert_int_equal(ticket_poll(story, ticket, signature), SCA_PENDING);
    story->now_ms += 3000;
    return ticket;
}

/* As another process does that joined it and was faster. */
static void collect_elsewhere(const struct story *story)
{
    journal_end(story->client->journal, story->requests[0].id);
    assert_int_equal(story_journal_size(story), 0);
}

static void what_another_process_has_collected_is_not_pushed_again(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    struct remote_ticket *ticket = begun(story);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    collect_elsewhere(story);
    TELL(story, {.to = STATUS, .says = WAITING}, {.to = STATUS, .says = reply});

    assert_int_equal(ticket_poll(story, ticket, signature), SCA_PENDING);
    story->now_ms += 3000;
    assert_int_equal(ticket_poll(story, ticket, signature), SCA_OK);

    assert_true(ticket_is_right(story, 1, signature));
    gather_drop(ticket);
    assert_int_equal(story_journal_size(story), 0);
}

static void a_journal_that_is_lost_does_not_ask_the_person_again(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    char path[128];
    struct remote_ticket *ticket = begun(story);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    (void)snprintf(path, sizeof(path), "%s/journal/transactions", story->dir);
    assert_int_equal(unlink(path), 0);
    TELL(story, {.to = STATUS, .says = reply});

    assert_int_equal(ticket_poll(story, ticket, signature), SCA_OK);

    gather_drop(ticket);
}

static void a_clock_that_jumps_does_not_ask_the_person_again(void **state)
{
    static const int64_t jumps_s[] = {25 * 3600, -2 * 86400, 40 * 86400};
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];

    for (size_t i = 0; i < ARRAY_LEN(jumps_s); i++) {
        struct remote_ticket *ticket = begun(story);
        AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
        story->wall_shift_s += jumps_s[i];
        TELL(story, {.to = STATUS, .says = WAITING}, {.to = STATUS, .says = reply});
        assert_int_equal(ticket_poll(story, ticket, signature), SCA_PENDING);
        story->now_ms += 3000;
        assert_int_equal(ticket_poll(story, ticket, signature), SCA_OK);
        gather_drop(ticket);
    }
}

static void a_no_that_another_process_was_told_is_the_answer_here_too(void **state)
{
    static const struct {
        const char *says;
        enum sca_status status;
    } endings[] = {{REJECTED, SCA_REJECTED}, {EXPIRED, SCA_UNCONFIRMED}};
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];

    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        struct remote_ticket *ticket = begun(story);
        collect_elsewhere(story);
        TELL(story, {.to = STATUS, .says = endings[i].says});
        assert_int_equal(ticket_poll(story, ticket, signature), endings[i].status);
        gather_drop(ticket);
    }
}

static void what_the_service_forgets_is_an_error_and_not_a_second_push(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    enum sca_status st = SCA_PENDING;
    unsigned polls = 0;
    struct remote_ticket *ticket = begun(story);
    collect_elsewhere(story);
    TELL(story, {.to = STATUS, .says = UNKNOWN_ID, .times = 100});

    for (; st == SCA_PENDING && polls < 20; polls++) {
        st = ticket_poll(story, ticket, signature);
        story->now_ms += 3000;
    }

    assert_int_equal(st, SCA_PROTOCOL);
    assert_in_range(polls, 2, 10);
    gather_drop(ticket);
}

static void a_number_leads_to_its_transaction_when_another_process_was_faster(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    struct remote_ticket *joined = NULL;
    uint64_t number = 0;
    struct remote_ticket *ticket = begun(story);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    assert_int_equal(ticket_number(story, ticket, &number), SCA_OK);
    gather_drop(ticket);
    assert_int_equal(ticket_join(story, number, &joined), SCA_OK);
    collect_elsewhere(story);
    TELL(story, {.to = STATUS, .says = reply});

    assert_int_equal(ticket_poll(story, joined, signature), SCA_OK);

    assert_true(ticket_is_right(story, 1, signature));
    gather_drop(joined);
}

/* What comes later is none of it. */
static void a_document_that_was_in_no_transaction_is_pushed_in_the_next_one(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    struct remote_ticket *first = begun(story);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    struct remote_ticket *second = ticket_begin(story, 2);
    collect_elsewhere(story);
    TELL(story, {.to = STATUS, .says = reply}, {.to = SIGN, .says = ACCEPTED},
         {.to = STATUS, .says = SIGNED});

    assert_int_equal(ticket_poll(story, second, signature), SCA_PENDING);
    assert_int_equal(ticket_poll(story, first, signature), SCA_OK);
    assert_true(ticket_is_right(story, 1, signature));
    story->now_ms += 3000;
    assert_int_equal(ticket_poll(story, second, signature), SCA_OK);

    assert_true(ticket_is_right(story, 2, signature));
    gather_drop(first);
    gather_drop(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_another_process_has_collected_is_not_pushed_again),
        TEST(a_journal_that_is_lost_does_not_ask_the_person_again),
        TEST(a_clock_that_jumps_does_not_ask_the_person_again),
        TEST(a_no_that_another_process_was_told_is_the_answer_here_too),
        TEST(what_the_service_forgets_is_an_error_and_not_a_second_push),
        TEST(a_number_leads_to_its_transaction_when_another_process_was_faster),
        TEST(a_document_that_was_in_no_transaction_is_pushed_in_the_next_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
