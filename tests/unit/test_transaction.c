/* SPDX-License-Identifier: Apache-2.0 */
/* One call, from the request to the outcome. */
#include "remote/smartca/transaction.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "remote/audit/audit.h"
#include "remote/base/cleanup.h"
#include "remote/smartca/confirm.h"
#include "tests/unit/story.h"

static void a_signature_is_asked_for_waited_for_and_handed_out(void **state)
{
    struct story *story = *state;
    struct lone lone;
    struct call call;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING},
         {.to = STATUS, .says = SIGNED});
    story_alone(&lone);
    story_call(story, &call, STORY_BUDGET_MS);
    call.device_error = 99;

    enum sca_status st =
        transaction_sign(story->client, &call, &no_credentials, &story->key, &lone.document, 1);

    assert_int_equal(st, SCA_OK);
    assert_true(story_is_signed(story, &lone.document));
    assert_int_equal(call.device_error, 0);
    assert_string_equal(call.note, "");
    assert_int_equal(story->request_count, 3);
    assert_string_equal(story->requests[0].url, STORY_URL SIGN);
    assert_string_equal(story->requests[1].id, story->requests[0].id);
    assert_string_equal(story->requests[1].body, "{}");
    assert_string_equal(story->requests[2].id, story->requests[0].id);
    assert_int_equal(story_journal_size(story), 0);
    call_fini(&call);
}

static void the_request_says_what_is_confirmed(void **state)
{
    struct story *story = *state;
    struct story_document made[3];
    struct remote_document documents[3];
    char description[256];
    for (size_t i = 0; i < 3; i++)
        documents[i] = story_document(&made[i], (uint8_t)(0xa0 + i / 2)); /* two are the same */
    confirm_description(documents[0].digest, 3, description, sizeof(description));
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign(story, documents, 3);

    assert_int_equal(st, SCA_OK);
    for (size_t i = 0; i < 3; i++)
        assert_true(story_is_signed(story, &documents[i]));
    const char *body = story->requests[0].body;
    AUTO(freep) char *desc = story_text_of(body, "transaction_desc");
    AUTO(freep) char *serial = story_text_of(body, "serial_number");
    AUTO(freep) char *user = story_text_of(body, "user_id");
    AUTO(freep) char *time_stamp = story_text_of(body, "time_stamp");
    AUTO(freep) char *password = story_text_of(body, "sp_password");
    assert_string_equal(desc, description);
    assert_string_equal(serial, STORY_SERIAL);
    assert_string_equal(user, STORY_USER);
    assert_string_equal(time_stamp, "20260528202640Z");
    assert_string_equal(password, "test-password");
    assert_non_null(strstr(body, "\"doc_id\":\"A0A0-A0A0\""));
    assert_non_null(strstr(body, "\"doc_id\":\"A0A0-A0A0-2\""));
    assert_non_null(strstr(body, "\"doc_id\":\"A1A1-A1A1\""));
    assert_int_equal(strlen(story->requests[0].id), 36);
    assert_int_equal(story->requests[0].id[14], '4');
}

static void a_lost_reply_is_asked_for_by_the_same_id(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .fate = LOST}, {.to = STATUS, .fate = LOST},
         {.to = STATUS, .says = WAITING}, {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_true(story_is_signed(story, &lone.document));
    assert_int_equal(story_count(story, SIGN), 1);
    for (size_t i = 1; i < 4; i++)
        assert_string_equal(story->requests[i].id, story->requests[0].id);
    assert_int_equal(story_time(story, 1), story_time(story, 0)); /* at once */
    assert_int_equal(story_journal_size(story), 0);
}

static void an_unreadable_reply_is_an_unknown_outcome(void **state)
{
    static const struct line replies[] = {
        {.to = SIGN, .says = "<html>gateway</html>"},
        {.to = SIGN, .says = ""},
        {.to = SIGN, .says = ENVELOPE("500", "internal error", "null")},
        {.to = SIGN, .says = "bad gateway", .http = 502},
    };
    struct story *story = *state;
    struct lone lone;

    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        TELL(story, replies[i], {.to = STATUS, .says = WAITING}, {.to = STATUS, .says = SIGNED});
        assert_int_equal(story_sign_alone(story, &lone), SCA_OK);
        assert_true(story_is_signed(story, &lone.document));
        assert_int_equal(story_count(story, SIGN), 1);
    }
}

static void a_request_that_never_left_fails_at_once_and_leaves_nothing(void **state)
{
    struct story *story = *state;
    struct lone lone;
    struct call call;
    TELL(story, {.to = SIGN, .fate = UNSENT, .takes_ms = 30});
    story_alone(&lone);
    story_call(story, &call, STORY_BUDGET_MS);

    enum sca_status st =
        transaction_sign(story->client, &call, &no_credentials, &story->key, &lone.document, 1);

    assert_int_equal(st, SCA_NETWORK);
    assert_int_equal(lone.document.status, SCA_NETWORK);
    assert_int_equal(call.device_error, HTTP_DEVICE_ERROR + 7);
    assert_string_equal(call.note, "connection refused");
    assert_int_equal(story->now_ms, STORY_BEGIN_MS + 30);
    assert_int_equal(story_journal_size(story), 0);
    call_fini(&call);
}

static void definite_refusals_end_the_transaction_and_are_told_apart(void **state)
{
    static const struct {
        struct line line;
        enum sca_status status;
        unsigned long code;
        const char *note;
    } rows[] = {
        {{.to = SIGN, .says = ENVELOPE("401", "sp_password invalid", "null")},
         SCA_SERVICE_AUTH,
         401,
         "sp_id"},
        {{.to = SIGN, .says = ENVELOPE("401", "user account not found", "null"), .http = 401},
         SCA_SERVICE_AUTH,
         401,
         "user_id refused"},
        {{.to = SIGN, .says = "", .http = 403}, SCA_NOT_PERMITTED, 403, "revoked"},
        {{.to = SIGN, .says = ENVELOPE("403", "certificate revoked", "null")},
         SCA_NOT_PERMITTED,
         403,
         "revoked"},
        {{.to = SIGN, .says = ENVELOPE("65000", "no more signatures", "null")},
         SCA_EXHAUSTED,
         65000,
         "used up"},
        {{.to = SIGN, .says = ENVELOPE("400", "bad request of " STORY_USER, "null"), .http = 400},
         SCA_PROTOCOL,
         400,
         "bad request of *********901"},
    };
    struct story *story = *state;
    struct lone lone;
    struct call call;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        TELL(story, rows[i].line);
        story_alone(&lone);
        story_call(story, &call, STORY_BUDGET_MS);
        enum sca_status st =
            transaction_sign(story->client, &call, &no_credentials, &story->key, &lone.document, 1);
        assert_int_equal(st, rows[i].status);
        assert_int_equal(lone.document.status, rows[i].status);
        assert_int_equal(call.device_error, rows[i].code);
        assert_non_null(strstr(call.note, rows[i].note));
        assert_null(strstr(call.note, STORY_USER));
        assert_int_equal(story_journal_size(story), 0);
        call_fini(&call);
    }
}

/* It may have been confirmed on the phone: asked again, its signature is fetched. */
static void a_refused_question_does_not_end_what_may_be_confirmed(void **state)
{
    static const struct {
        struct line line;
        enum sca_status status;
    } rows[] = {
        {{.to = STATUS, .says = ENVELOPE("401", "sp_password invalid", "null")}, SCA_SERVICE_AUTH},
        {{.to = STATUS, .says = "<html>", .http = 401}, SCA_SERVICE_AUTH},
        {{.to = STATUS, .says = "<html>", .http = 403}, SCA_NOT_PERMITTED},
        {{.to = STATUS, .says = "<html>", .http = 405}, SCA_PROTOCOL},
        {{.to = STATUS, .says = "", .http = 400}, SCA_PROTOCOL},
    };
    struct story *story = *state;
    struct lone lone;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        TELL(story, {.to = SIGN, .says = ACCEPTED}, rows[i].line, {.to = STATUS, .says = SIGNED});
        assert_int_equal(story_sign_alone(story, &lone), rows[i].status);
        assert_true(story_journal_size(story) > 0);

        assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

        assert_true(story_is_signed(story, &lone.document));
        assert_int_equal(story_count(story, SIGN), 1);
        assert_int_equal(story_journal_size(story), 0);
    }
}

static void a_transaction_the_service_has_already_is_waited_for(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ENVELOPE("64002", "transaction exist", "null"), .http = 400},
         {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_true(story_is_signed(story, &lone.document));
}

static void a_rejection_ends_the_transaction(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = WAITING},
         {.to = STATUS, .says = REJECTED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_REJECTED);
    assert_int_equal(lone.document.status, SCA_REJECTED);
    assert_int_equal(story->request_count, 3);
    assert_int_equal(story_journal_size(story), 0);
}

static void an_expiry_ends_the_transaction(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = EXPIRED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_UNCONFIRMED);
    assert_int_equal(story_journal_size(story), 0);
}

static void a_swapped_result_fails_only_its_own_document(void **state)
{
    struct story *story = *state;
    struct story_document made[2];
    struct remote_document documents[2] = {story_document(&made[0], 1),
                                           story_document(&made[1], 2)};
    const uint8_t nothing[STORY_SIGNATURE] = {0};
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED_TWISTED});

    enum sca_status st = story_sign(story, documents, 2);

    assert_int_equal(st, SCA_MISMATCH);
    assert_true(story_is_signed(story, &documents[0]));
    assert_int_equal(documents[1].status, SCA_MISMATCH);
    assert_memory_equal(documents[1].signature, nothing, sizeof(nothing));
    assert_int_equal(story_journal_size(story), 0);
}

static void a_missing_result_fails_only_its_own_document(void **state)
{
    struct story *story = *state;
    struct story_document made[2];
    struct remote_document documents[2] = {story_document(&made[0], 1),
                                           story_document(&made[1], 2)};
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED_PARTLY});

    enum sca_status st = story_sign(story, documents, 2);

    assert_int_equal(st, SCA_PROTOCOL);
    assert_true(story_is_signed(story, &documents[0]));
    assert_int_equal(documents[1].status, SCA_PROTOCOL);
    assert_int_equal(story_journal_size(story), 0);
}

static void a_single_answer_may_lack_its_doc_id_and_many_may_not(void **state)
{
    struct story *story = *state;
    struct lone lone;
    struct story_document made[2];
    struct remote_document documents[2] = {story_document(&made[0], 1),
                                           story_document(&made[1], 2)};
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED_NAMELESS});
    enum sca_status single = story_sign_alone(story, &lone);
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED_NAMELESS});

    enum sca_status many = story_sign(story, documents, 2);

    assert_int_equal(single, SCA_OK);
    assert_true(story_is_signed(story, &lone.document));
    assert_int_equal(many, SCA_PROTOCOL);
}

static void signed_without_signatures_is_still_waiting(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED},
         {.to = STATUS, .says = ENVELOPE("200", "SUCCESS", "{\"signatures\":[]}")},
         {.to = STATUS, .says = ENVELOPE("200", "SUCCESS", "null")},
         {.to = STATUS, .says = SIGNED});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_OK);
    assert_true(story_is_signed(story, &lone.document));
}

static void another_s_signature_is_never_handed_out(void **state)
{
    struct story *story = *state;
    struct story_document other;
    struct remote_document document = story_document(&other, 9);
    struct lone lone;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});
    assert_int_equal(story_sign(story, &document, 1), SCA_OK);
    AUTO(freep) char *replayed = story_signed_body(story, story->requests[0].body, SIGNED);
    const uint8_t nothing[STORY_SIGNATURE] = {0};
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = replayed});

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_equal(st, SCA_MISMATCH);
    assert_memory_equal(lone.made.signature, nothing, sizeof(nothing));
}

static char *audit_path(const struct story *story, char out[static 128])
{
    (void)snprintf(out, 128, "%s/audit.jsonl", story->dir);
    return out;
}

static void a_mismatch_leaves_one_entry_in_the_audit_log(void **state)
{
    struct story *story = *state;
    struct story_document made[2];
    struct remote_document documents[2] = {story_document(&made[0], 1),
                                           story_document(&made[1], 2)};
    struct audit_report report;
    char expected[512];
    char line[1024] = "";
    char path[128];
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED_TWISTED});

    enum sca_status st = story_sign(story, documents, 2);

    assert_int_equal(st, SCA_MISMATCH);
    assert_int_equal(audit_verify(story->dir, &report), SCA_OK);
    assert_int_equal(report.line_count, 1);
    assert_int_equal(report.bad_line, 0);
    FILE *file = fopen(audit_path(story, path), "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    (void)fclose(file);
    (void)snprintf(expected, sizeof(expected),
                   "{\"time\":\"2026-05-28T20:26:40Z\",\"user\":\"*********901\","
                   "\"account\":\"work\",\"program\":\"%s\",\"serial\":\"" STORY_SERIAL "\","
                   "\"digest\":\"02020202\",\"doc_id\":\"0202-0202\",\"transaction\":\"%s\","
                   "\"outcome\":\"mismatch\",\"chain\":\"",
                   program_invocation_short_name, story->requests[0].id);
    assert_memory_equal(line, expected, strlen(expected));
}

static void what_cannot_be_audited_is_a_mismatch_all_the_same(void **state)
{
    struct story *story = *state;
    struct story_document made[2];
    struct remote_document documents[2] = {story_document(&made[0], 1),
                                           story_document(&made[1], 2)};
    char path[128];
    assert_int_equal(mkdir(audit_path(story, path), 0700), 0);
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED_TWISTED});

    enum sca_status st = story_sign(story, documents, 2);

    assert_int_equal(st, SCA_MISMATCH);
    assert_int_equal(documents[0].status, SCA_OK);
    assert_int_equal(documents[1].status, SCA_MISMATCH);
}

static void what_is_refused_or_missing_is_no_mismatch(void **state)
{
    struct story *story = *state;
    struct story_document made[2];
    struct remote_document documents[2] = {story_document(&made[0], 1),
                                           story_document(&made[1], 2)};
    struct audit_report report;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED_PARTLY});

    assert_int_equal(story_sign(story, documents, 2), SCA_PROTOCOL);

    assert_int_equal(audit_verify(story->dir, &report), SCA_NOT_FOUND);
}

static void nothing_is_sent_when_the_journal_cannot_be_written(void **state)
{
    struct story *story = *state;
    struct lone lone;
    struct call call;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/journal", story->dir);
    FILE *in_the_way = fopen(path, "w");
    assert_non_null(in_the_way);
    (void)fclose(in_the_way);
    story_alone(&lone);
    story_call(story, &call, STORY_BUDGET_MS);

    enum sca_status st =
        transaction_sign(story->client, &call, &no_credentials, &story->key, &lone.document, 1);

    assert_int_equal(st, SCA_IO);
    assert_int_equal(lone.document.status, SCA_IO);
    assert_int_equal(story->request_count, 0);
    assert_non_null(strstr(call.note, "nothing was sent"));
    call_fini(&call);
}

static void nothing_is_sent_without_a_password(void **state)
{
    static char path[] = "/nonexistent/sp_password";
    struct story *story = *state;
    struct lone lone;
    story->account.service.sp_password = (struct secret_ref){.kind = SECRET_FILE, .text = path};

    enum sca_status st = story_sign_alone(story, &lone);

    assert_int_not_equal(st, SCA_OK);
    assert_int_equal(story->request_count, 0);
    assert_int_equal(story_journal_size(story), 0);
}

static void what_cannot_be_signed_is_refused_before_anything_is_sent(void **state)
{
    struct story *story = *state;
    struct lone lone;
    story_alone(&lone);
    lone.document.digest.len = 19;

    assert_int_equal(story_sign(story, &lone.document, 1), SCA_INVALID);
    assert_int_equal(story_sign(story, &lone.document, 0), SCA_INVALID);
    story->key.spki.len -= 1;
    assert_int_not_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_int_equal(story->request_count, 0);
    assert_int_equal(story_journal_size(story), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_signature_is_asked_for_waited_for_and_handed_out),
        TEST(the_request_says_what_is_confirmed),
        TEST(a_lost_reply_is_asked_for_by_the_same_id),
        TEST(an_unreadable_reply_is_an_unknown_outcome),
        TEST(a_request_that_never_left_fails_at_once_and_leaves_nothing),
        TEST(definite_refusals_end_the_transaction_and_are_told_apart),
        TEST(a_refused_question_does_not_end_what_may_be_confirmed),
        TEST(a_transaction_the_service_has_already_is_waited_for),
        TEST(a_rejection_ends_the_transaction),
        TEST(an_expiry_ends_the_transaction),
        TEST(a_swapped_result_fails_only_its_own_document),
        TEST(a_missing_result_fails_only_its_own_document),
        TEST(a_single_answer_may_lack_its_doc_id_and_many_may_not),
        TEST(signed_without_signatures_is_still_waiting),
        TEST(another_s_signature_is_never_handed_out),
        TEST(a_mismatch_leaves_one_entry_in_the_audit_log),
        TEST(what_cannot_be_audited_is_a_mismatch_all_the_same),
        TEST(what_is_refused_or_missing_is_no_mismatch),
        TEST(nothing_is_sent_when_the_journal_cannot_be_written),
        TEST(nothing_is_sent_without_a_password),
        TEST(what_cannot_be_signed_is_refused_before_anything_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
