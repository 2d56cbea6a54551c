/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that share a transaction: of threads that wait, and of tickets that nobody waits for.
 */

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "tests/unit/tickets.h"

enum { CROWD = 16, TICKETS = 10 };

static void tickets_of_one_thread_are_one_transaction(void **state)
{
    struct story *story = *state;
    struct remote_ticket *tickets[TICKETS];
    uint8_t signature[STORY_SIGNATURE];
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING},
         {.to = STATUS, .says = SIGNED});
    for (size_t i = 0; i < TICKETS; i++)
        tickets[i] = ticket_begin(story, (uint8_t)i);
    assert_int_equal(story->request_count, 0);

    assert_int_equal(ticket_poll(story, tickets[3], signature), SCA_PENDING);
    assert_int_equal(ticket_poll(story, tickets[4], signature), SCA_PENDING); /* too early to ask */
    assert_int_equal(story->request_count, 1);
    story->now_ms += 3000;
    assert_int_equal(ticket_poll(story, tickets[5], signature), SCA_PENDING);
    story->now_ms += 3000;

    for (size_t i = 0; i < TICKETS; i++) {
        assert_int_equal(ticket_poll(story, tickets[i], signature), SCA_OK);
        assert_true(ticket_is_right(story, (uint8_t)i, signature));
        gather_drop(tickets[i]);
    }
    assert_int_equal(story->request_count, 3);
    assert_int_equal(story_count_ids(story, SIGN), 1);
    assert_int_equal(story_journal_size(story), 0);
}

static void what_begins_later_is_in_the_next_transaction(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED},
         {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});
    struct remote_ticket *first = ticket_begin(story, 1);
    assert_int_equal(ticket_poll(story, first, signature), SCA_PENDING);
    struct remote_ticket *second = ticket_begin(story, 2);
    story->now_ms += 3000;

    assert_int_equal(ticket_poll(story, second, signature), SCA_PENDING);
    assert_int_equal(ticket_poll(story, first, signature), SCA_OK);
    assert_true(ticket_is_right(story, 1, signature));
    story->now_ms += 3000;
    assert_int_equal(ticket_poll(story, second, signature), SCA_OK);

    assert_true(ticket_is_right(story, 2, signature));
    assert_int_equal(story_count_ids(story, SIGN), 2);
    gather_drop(first);
    gather_drop(second);
}

static void a_rejection_is_the_outcome_of_every_ticket(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    struct remote_ticket *tickets[2] = {ticket_begin(story, 1), ticket_begin(story, 2)};
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = REJECTED});
    assert_int_equal(ticket_poll(story, tickets[0], signature), SCA_PENDING);
    story->now_ms += 3000;

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ticket_poll(story, tickets[i], signature), SCA_REJECTED);
        assert_int_equal(ticket_poll(story, tickets[i], signature),
                         SCA_REJECTED); /* and stays so */
        gather_drop(tickets[i]);
    }
    assert_int_equal(story->request_count, 2);
}

static void a_ticket_that_nobody_confirms_ends_in_time_and_can_be_collected_later(void **state)
{
    struct story *story = *state;
    struct lone lone;
    uint8_t signature[STORY_SIGNATURE];
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING});
    struct remote_ticket *ticket = ticket_begin(story, 1);
    assert_int_equal(ticket_poll(story, ticket, signature), SCA_PENDING);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    story->now_ms += TICKET_PATIENCE_MS;

    assert_int_equal(ticket_poll(story, ticket, signature), SCA_UNCONFIRMED);
    gather_drop(ticket);
    TELL(story, {.to = STATUS, .says = reply});
    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_true(story_is_signed(story, &lone.document));
}

static void a_number_fetches_it_in_another_process(void **state)
{
    struct story *story = *state;
    struct remote_ticket *joined = NULL;
    uint8_t signature[STORY_SIGNATURE];
    uint64_t number = 0;
    TELL(story, {.to = SIGN, .says = ACCEPTED});
    struct remote_ticket *tickets[2] = {ticket_begin(story, 1), ticket_begin(story, 2)};
    assert_int_equal(ticket_number(story, tickets[1], &number), SCA_OK);
    assert_int_equal(story->request_count, 1);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    gather_drop(tickets[0]);
    gather_drop(tickets[1]);
    story_new_client(story);
    TELL(story, {.to = STATUS, .says = reply});

    assert_int_equal(ticket_join(story, number + 1, &joined), SCA_NOT_FOUND);
    assert_int_equal(ticket_join(story, number, &joined), SCA_OK);
    assert_int_equal(ticket_poll(story, joined, signature), SCA_OK);

    assert_true(ticket_is_right(story, 2, signature));
    gather_drop(joined);
    assert_int_equal(ticket_join(story, number, &joined), SCA_NOT_FOUND); /* it was handed over */
}

static void with_a_number_it_stays_until_it_was_handed_over(void **state)
{
    struct story *story = *state;
    struct remote_ticket *joined = NULL;
    uint8_t signature[STORY_SIGNATURE];
    uint64_t number = 0;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});
    struct remote_ticket *kept = ticket_begin(story, 1);
    struct remote_ticket *other = ticket_begin(story, 2);
    assert_int_equal(ticket_number(story, kept, &number), SCA_OK);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    story->now_ms += 3000;
    assert_int_equal(ticket_poll(story, other, signature), SCA_OK); /* both are here now */
    gather_drop(other);
    gather_drop(kept);
    TELL(story, {.to = STATUS, .says = reply});

    assert_int_equal(ticket_join(story, number, &joined), SCA_OK);
    assert_int_equal(ticket_poll(story, joined, signature), SCA_OK);

    assert_true(ticket_is_right(story, 1, signature));
    gather_drop(joined);
    assert_int_equal(story_journal_size(story), 0);
}

/* The first of two tickets finds both signed; the other one is dropped before it heard of it. */
static void what_nobody_heard_of_is_collected_without_a_push(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});
    struct remote_ticket *heard = ticket_begin(story, 1);
    struct remote_ticket *dropped = ticket_begin(story, 2);
    assert_int_equal(ticket_poll(story, heard, signature), SCA_PENDING);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    story->now_ms += 3000;
    assert_int_equal(ticket_poll(story, heard, signature), SCA_OK);
    gather_drop(heard);

    gather_drop(dropped);
    TELL(story, {.to = STATUS, .says = reply});
    struct remote_ticket *again = ticket_begin(story, 2);
    assert_int_equal(ticket_poll(story, again, signature), SCA_OK);

    assert_true(ticket_is_right(story, 2, signature));
    gather_drop(again);
    assert_int_equal(story_count(story, SIGN), 0); /* since it began again */
    assert_int_equal(story_journal_size(story), 0);
}

static void what_did_not_reach_the_application_is_collected_without_a_push(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});
    struct remote_ticket *ticket = ticket_begin(story, 1);
    assert_int_equal(ticket_poll(story, ticket, signature), SCA_PENDING);
    AUTO(freep) char *reply = story_signed_body(story, story->requests[0].body, SIGNED);
    story->now_ms += 3000;
    assert_int_equal(ticket_poll(story, ticket, signature), SCA_OK);

    gather_keep(ticket);
    gather_drop(ticket);
    TELL(story, {.to = STATUS, .says = reply});
    struct remote_ticket *again = ticket_begin(story, 1);
    assert_int_equal(ticket_poll(story, again, signature), SCA_OK);

    assert_true(ticket_is_right(story, 1, signature));
    gather_drop(again);
    assert_int_equal(story_count(story, SIGN), 0); /* since it began again */
    assert_int_equal(story_journal_size(story), 0);
}

/* Whose signature is here, and was not told yet: nobody is asked for it any more. */
static void what_was_not_told_yet_keeps_no_other_process_waiting(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED},
         {.to = SIGN, .says = ACCEPTED});
    struct remote_ticket *first = ticket_begin(story, 1);
    assert_int_equal(ticket_poll(story, first, signature), SCA_PENDING);
    struct remote_ticket *second = ticket_begin(story, 2);
    story->now_ms += 3000;

    assert_int_equal(ticket_poll(story, second, signature),
                     SCA_PENDING); /* takes the first there */

    assert_int_equal(story_count_ids(story, SIGN), 2);
    gather_drop(first);
    gather_drop(second);
}

static void a_signature_that_is_wrong_is_not_kept(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED_TWISTED});
    struct remote_ticket *right = ticket_begin(story, 1);
    struct remote_ticket *wrong = ticket_begin(story, 2);
    assert_int_equal(ticket_poll(story, right, signature), SCA_PENDING);
    story->now_ms += 3000;

    assert_int_equal(ticket_poll(story, right, signature), SCA_OK);
    assert_int_equal(ticket_poll(story, wrong, signature), SCA_MISMATCH);
    gather_drop(right);
    gather_drop(wrong);

    assert_int_equal(story_journal_size(story), 0);
}

static void there_is_no_number_for_what_is_here_already(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    uint64_t number = 0;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});
    struct remote_ticket *ticket = ticket_begin(story, 1);
    assert_int_equal(ticket_poll(story, ticket, signature), SCA_PENDING);
    story->now_ms += 3000;
    assert_int_equal(ticket_poll(story, ticket, signature), SCA_OK);

    assert_int_equal(ticket_number(story, ticket, &number), SCA_UNSUPPORTED);

    assert_int_equal(number, 0);
    gather_drop(ticket);
}

static void a_service_that_cannot_be_reached_fails_all_of_them_at_once(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    struct remote_ticket *tickets[2] = {ticket_begin(story, 1), ticket_begin(story, 2)};
    TELL(story, {.to = SIGN, .fate = UNSENT});

    assert_int_equal(ticket_poll(story, tickets[1], signature), SCA_NETWORK);
    assert_int_equal(ticket_poll(story, tickets[0], signature), SCA_NETWORK);

    assert_int_equal(story_journal_size(story), 0);
    gather_drop(tickets[0]);
    gather_drop(tickets[1]);
}

static void a_lost_reply_is_asked_after_under_the_same_id(void **state)
{
    struct story *story = *state;
    uint8_t signature[STORY_SIGNATURE];
    TELL(story, {.to = SIGN, .fate = LOST}, {.to = STATUS, .says = WAITING},
         {.to = STATUS, .says = SIGNED});
    struct remote_ticket *ticket = ticket_begin(story, 1);

    assert_int_equal(ticket_poll(story, ticket, signature), SCA_PENDING);
    story->now_ms += 3000;
    assert_int_equal(ticket_poll(story, ticket, signature), SCA_OK);

    assert_int_equal(story_count_ids(story, SIGN), 1);
    gather_drop(ticket);
}

/* A C_Sign on a thread of its own, with the real clock. */
struct caller {
    struct story *story;
    pthread_t thread;
    struct call call;
    struct story_document made;
    struct remote_document document;
    enum sca_status st;
};

static void *sign_in_a_thread(void *arg)
{
    struct caller *caller = arg;

    caller->st = gather_sign(caller->story->client, &caller->call, &no_credentials,
                             &caller->story->key, &caller->document);
    return NULL;
}

static void callers_start(struct story *story, struct caller *callers)
{
    story->account.service.batch_window_ms = 700;
    story->account.service.poll_interval_ms = 1;
    for (size_t i = 0; i < CROWD; i++) {
        callers[i].story = story;
        callers[i].document = story_document(&callers[i].made, (uint8_t)(i / 2)); /* in pairs */
        call_init(&callers[i].call, &clock_system, 30000);
        assert_int_equal(pthread_create(&callers[i].thread, NULL, sign_in_a_thread, &callers[i]),
                         0);
    }
}

static void callers_join(struct caller *callers)
{
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        call_fini(&callers[i].call);
    }
}

static void threads_share_a_transaction_and_the_same_digest_is_in_it_once(void **state)
{
    struct story *story = *state;
    struct caller callers[CROWD];
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});

    callers_start(story, callers);
    callers_join(callers);

    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(callers[i].st, SCA_OK);
        assert_true(story_is_signed(story, &callers[i].document));
    }
    assert_int_equal(story->request_count, 2);
    assert_int_equal(story_journal_size(story), 0);
}

static void every_caller_may_be_cancelled_and_the_others_get_theirs(void **state)
{
    struct story *story = *state;
    struct caller callers[CROWD];
    size_t done = 0;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING, .times = 20},
         {.to = STATUS, .says = SIGNED, .times = CROWD});

    callers_start(story, callers);
    for (size_t i = 0; i < CROWD; i += 3)
        call_cancel(&callers[i].call);
    callers_join(callers);

    for (size_t i = 0; i < CROWD; i++) {
        done += callers[i].st == SCA_OK;
        assert_true(callers[i].st == SCA_CANCELLED || story_is_signed(story, &callers[i].document));
        assert_true(i % 3 == 0 || callers[i].st == SCA_OK);
    }
    assert_true(done >= CROWD - CROWD / 3 - 1);
    assert_int_equal(story_count(story, SIGN), 1);
}

/* As a process that is stopped keeps it. */
static int hold_journal(const struct story *story)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/journal/transactions", story->dir);
    int holder = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(holder, LOCK_EX), 0);
    return holder;
}

static void what_another_process_kept_from_beginning_is_not_parked(void **state)
{
    struct story *story = *state;
    struct log log;
    struct stat written;
    char path[128];
    struct call call;
    struct story_document made;
    struct remote_document document = story_document(&made, 1);
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});
    story_call(story, &call, STORY_BUDGET_MS);
    assert_int_equal(gather_sign(story->client, &call, &no_credentials, &story->key, &document),
                     SCA_OK);
    call_fini(&call);
    int holder = hold_journal(story);
    (void)snprintf(path, sizeof(path), "%s/log", story->dir);
    assert_int_equal(log_open(&log, path, LOG_LEVEL_DEBUG), SCA_OK);
    log_attach(&log);
    document = story_document(&made, 2);
    story_call(story, &call, STORY_BUDGET_MS);

    assert_int_equal(gather_sign(story->client, &call, &no_credentials, &story->key, &document),
                     SCA_IO);

    assert_int_equal(stat(path, &written), 0);
    assert_int_equal(written.st_size, 0);
    call_fini(&call);
    log_attach(NULL);
    log_close(&log);
    assert_int_equal(close(holder), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tickets_of_one_thread_are_one_transaction),
        TEST(what_begins_later_is_in_the_next_transaction),
        TEST(a_rejection_is_the_outcome_of_every_ticket),
        TEST(a_ticket_that_nobody_confirms_ends_in_time_and_can_be_collected_later),
        TEST(a_number_fetches_it_in_another_process),
        TEST(with_a_number_it_stays_until_it_was_handed_over),
        TEST(what_nobody_heard_of_is_collected_without_a_push),
        TEST(what_did_not_reach_the_application_is_collected_without_a_push),
        TEST(what_was_not_told_yet_keeps_no_other_process_waiting),
        TEST(a_signature_that_is_wrong_is_not_kept),
        TEST(there_is_no_number_for_what_is_here_already),
        TEST(a_service_that_cannot_be_reached_fails_all_of_them_at_once),
        TEST(a_lost_reply_is_asked_after_under_the_same_id),
        TEST(threads_share_a_transaction_and_the_same_digest_is_in_it_once),
        TEST(every_caller_may_be_cancelled_and_the_others_get_theirs),
        TEST(what_another_process_kept_from_beginning_is_not_parked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
