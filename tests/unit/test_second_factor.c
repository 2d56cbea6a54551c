/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts without the phone (sp769 v2): what is sent, and what a transaction makes of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/smartca/totp.h"
#include "tests/unit/story.h"

#define PERMITTED                                                                                  \
    ENVELOPE("200", "sig_wait_for_user_confirm",                                                   \
             "{\"transaction_id\":\"other\",\"tran_code\":\"code-1\",\"sad\":\"e.y.J\","           \
             "\"expired_in\":299}")
#define OTP_WRONG      ENVELOPE("1003", "OTP invalid", "null")
#define OTP_WRONG_401  ENVELOPE("401", "Mã xác thực OTP không đúng", "null")
#define PASSWORD_WRONG ENVELOPE("401", "user password invalid", "null")
#define PROVIDER_WRONG ENVELOPE("401", "client credentials of the partner invalid", "null")
#define SAD_EXPIRED    ENVELOPE("401", "sad expired", "null")
#define EXISTS         ENVELOPE("400", "Transaction exist", "null")

#define TOTP_KEY "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="

static char password_text[] = "canary-of-the-password";
static char key_text[] = TOTP_KEY;

static int begin_totp(void **state)
{
    int rc = story_begin(state);
    struct story *story = *state;

    story->account.confirm = CONFIRM_TOTP;
    story->account.password = (struct secret_ref){.kind = SECRET_LITERAL, .text = password_text};
    story->account.totp_secret = (struct secret_ref){.kind = SECRET_LITERAL, .text = key_text};
    return rc;
}

static int begin_otp(void **state)
{
    int rc = begin_totp(state);
    struct story *story = *state;

    story->account.confirm = CONFIRM_OTP;
    return rc;
}

static struct secret *secret_of(const char *text)
{
    struct secret *secret = NULL;
    assert_int_equal(secret_new(span_text(text), &secret), SCA_OK);
    return secret;
}

/* A member of the body of request number index. */
static void assert_sent(const struct story *story, size_t index, const char *name,
                        const char *expected)
{
    assert_true(index < story->request_count);
    char *text = story_text_of(story->requests[index].body, name);
    if (expected)
        assert_non_null(text);
    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(text);
    free(text);
}

/* The code of a step, counted from that of the story's beginning. */
static void code_of(const struct story *story, int64_t steps, char code[static TOTP_CODE_SIZE])
{
    AUTO(secret_freep) struct secret *text = secret_of(TOTP_KEY);
    struct totp_key key;
    const char *why = NULL;

    (void)story;
    assert_int_equal(totp_key_read(text, &key, &why), SCA_OK);
    assert_int_equal(totp_code(&key, totp_step(&key, STORY_BEGIN_S) + steps, code), SCA_OK);
}

static void assert_code(const struct story *story, size_t index, int64_t steps)
{
    char code[TOTP_CODE_SIZE];

    code_of(story, steps, code);
    assert_sent(story, index, "otp", code);
}

static enum sca_status sign(struct story *story, const struct remote_credentials *credentials,
                            struct lone *lone, char *note)
{
    story_alone(lone);
    return story_sign_with(story, credentials, &lone->document, 1, note);
}

static void two_requests_make_a_signature(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_true(story_is_signed(story, &lone.document));
    assert_int_equal(story->request_count, 2);
    assert_int_equal(story->now_ms, STORY_BEGIN_MS); /* without any pause */
    assert_sent(story, 0, "user_id", STORY_USER);
    assert_sent(story, 0, "password", password_text);
    assert_code(story, 0, 0);
    assert_sent(story, 0, "serial_number", STORY_SERIAL);
    assert_sent(story, 1, "password", password_text);
    assert_sent(story, 1, "sad", "e.y.J");
    assert_sent(story, 1, "otp", NULL);
    assert_string_equal(story->requests[1].id, story->requests[0].id);
    assert_int_equal(story_journal_size(story), 0);
}

static void an_account_with_the_phone_sends_no_password(void **state)
{
    struct story *story = *state;
    struct lone lone;
    story->account.confirm = CONFIRM_APP;
    TELL(story, {.to = SIGN, .says = ACCEPTED}, {.to = STATUS, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_sent(story, 0, "password", NULL);
    assert_sent(story, 0, "otp", NULL);
}

static void what_a_login_opened_goes_before_what_the_configuration_says(void **state)
{
    AUTO(secret_freep) struct secret *password = secret_of("from the vault");
    AUTO(secret_freep) struct secret *sp_password = secret_of("the provider's");
    AUTO(secret_freep) struct secret *key = secret_of("raw:another key of it");
    const struct remote_credentials credentials = {
        .sp_password = sp_password, .password = password, .totp_secret = key};
    struct story *story = *state;
    struct lone lone;
    char ours[TOTP_CODE_SIZE];
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(sign(story, &credentials, &lone, NULL), SCA_OK);

    assert_sent(story, 0, "password", "from the vault");
    assert_sent(story, 0, "sp_password", "the provider's");
    char *sent = story_text_of(story->requests[0].body, "otp");
    code_of(story, 0, ours);
    assert_string_not_equal(sent, ours);
    free(sent);
}

static void a_second_signature_in_a_step_waits_for_the_next(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED},
         {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);
    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_code(story, 0, 0);
    assert_code(story, 2, 1);
    assert_true(story_time(story, 2) > story_time(story, 0));
}

static void a_refused_code_is_followed_by_its_neighbour_once(void **state)
{
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    TELL(story, {.to = SIGN2, .says = OTP_WRONG, .http = 400},
         {.to = SIGN2, .says = OTP_WRONG_401, .http = 401});

    assert_int_equal(sign(story, &no_credentials, &lone, note), SCA_USER_AUTH);

    assert_int_equal(story->request_count, 2);
    char *first = story_text_of(story->requests[0].body, "otp");
    char *second = story_text_of(story->requests[1].body, "otp");
    assert_string_not_equal(first, second);
    free(first);
    free(second);
    assert_non_null(strstr(note, "another computer signs with this account"));
    assert_non_null(strstr(note, "check totp_secret"));
    assert_int_equal(story_journal_size(story), 0);
}

static void a_neighbour_that_works_is_remembered(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = OTP_WRONG, .clock_ahead_s = -28},
         {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED});
    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);
    story->now_ms += 120000;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_code(story, 0, 3); /* four steps later, one behind */
}

/* The service does not say which: a wrong step, or one that was used already. */
static void a_code_used_on_another_computer_moves_no_clock(void **state)
{
    static const int64_t clocks[] = {0, 1, -2}; /* 0: the answer has no date */
    struct story *story = *state;

    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        struct lone lone;
        TELL(story, {.to = SIGN2, .says = OTP_WRONG, .clock_ahead_s = clocks[i]},
             {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED});
        assert_int_equal(story_sign_alone(story, &lone), SCA_OK);
        assert_int_equal(story->request_count, 3);
        story->now_ms += 120000;
    }
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_code(story, 0, 12); /* of now, with nothing learned */
}

static void a_clock_that_is_off_is_named(void **state)
{
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    TELL(story, {.to = SIGN2, .says = OTP_WRONG, .clock_ahead_s = -300},
         {.to = SIGN2, .says = OTP_WRONG, .clock_ahead_s = -300});

    assert_int_equal(sign(story, &no_credentials, &lone, note), SCA_USER_AUTH);

    assert_non_null(strstr(note, "clock is 300 s ahead of the service's"));
}

static void a_wrong_password_asks_for_a_login(void **state)
{
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    TELL(story, {.to = SIGN2, .says = PASSWORD_WRONG, .http = 401});

    assert_int_equal(sign(story, &no_credentials, &lone, note), SCA_USER_AUTH);

    assert_int_equal(story->request_count, 1); /* five wrong ones lock the account */
    assert_non_null(strstr(note, "password refused"));
    assert_null(strstr(note, password_text));
    assert_int_equal(story_journal_size(story), 0);
}

static void a_refused_service_provider_is_not_the_person(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PROVIDER_WRONG, .http = 401});

    assert_int_equal(story_sign_alone(story, &lone), SCA_SERVICE_AUTH);
}

static void other_refusals_are_as_with_the_phone(void **state)
{
    static const struct {
        const char *says;
        enum sca_status status;
    } rows[] = {
        {ENVELOPE("403", "certificate revoked", "null"), SCA_NOT_PERMITTED},
        {ENVELOPE("65000", "service pack exhausted", "null"), SCA_EXHAUSTED},
        {ENVELOPE("400", "bad request", "null"), SCA_PROTOCOL},
    };
    struct story *story = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct lone lone;
        TELL(story, {.to = SIGN2, .says = rows[i].says});
        assert_int_equal(story_sign_alone(story, &lone), rows[i].status);
        TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = rows[i].says});
        assert_int_equal(story_sign_alone(story, &lone), rows[i].status);
        assert_int_equal(story_journal_size(story), 0);
    }
}

static void without_a_permission_it_is_the_phones_turn(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = ACCEPTED}, {.to = STATUS, .says = WAITING, .times = 3},
         {.to = STATUS, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_int_equal(story_count(story, SIGN2), 1);
}

static void a_lost_confirmation_is_found_by_its_status(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .fate = LOST},
         {.to = STATUS, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_int_equal(story_count(story, SIGN2), 1);
    assert_int_equal(story_count(story, CONFIRM), 1);
}

static void a_confirmation_that_did_not_arrive_is_sent_again(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .fate = UNSENT},
         {.to = STATUS, .says = WAITING}, {.to = CONFIRM, .says = "{oops", .http = 502},
         {.to = STATUS, .says = WAITING}, {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_int_equal(story_count(story, SIGN2), 1);
    assert_sent(story, 5, "sad", "e.y.J");
}

static void a_lost_permission_is_asked_for_again_under_the_same_id(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .fate = LOST}, {.to = STATUS, .says = WAITING},
         {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_int_equal(story_count(story, SIGN2), 2);
    assert_int_equal(story_count_ids(story, SIGN2), 1);
    assert_code(story, 0, 0);
    assert_code(story, 2, 1); /* no code is sent twice */
}

static void a_service_that_gives_no_second_permission_leaves_it_to_the_phone(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .fate = LOST}, {.to = STATUS, .says = WAITING},
         {.to = SIGN2, .says = EXISTS}, {.to = STATUS, .says = WAITING, .times = 2},
         {.to = STATUS, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_int_equal(story_count_ids(story, SIGN2), 1);
}

static void a_request_that_got_lost_unheard_fails_and_is_repeated_by_the_next_call(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .fate = LOST}, {.to = STATUS, .says = UNKNOWN_ID, .http = 404});
    assert_int_equal(story_sign_alone(story, &lone), SCA_NETWORK);
    char first[64];
    (void)strcpy(first, story->requests[0].id);
    TELL(story, {.to = STATUS, .says = UNKNOWN_ID, .http = 404}, {.to = SIGN2, .says = PERMITTED},
         {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_string_equal(story->requests[1].id, first);
    assert_code(story, 1, 1);
}

static void the_next_call_resumes_what_a_cancelled_one_left(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    char first[64];
    (void)strcpy(first, story->requests[0].id);
    TELL(story, {.to = STATUS, .says = WAITING}, {.to = SIGN2, .says = PERMITTED},
         {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_string_equal(story->requests[1].id, first);
}

static void an_expired_permission_ends_the_transaction(void **state)
{
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    TELL(story, {.to = SIGN2, .says = PERMITTED},
         {.to = CONFIRM, .says = SAD_EXPIRED, .http = 401});

    assert_int_equal(sign(story, &no_credentials, &lone, note), SCA_UNCONFIRMED);

    assert_non_null(strstr(note, "sign again"));
    assert_null(strstr(note, "e.y.J"));
    assert_int_equal(story_journal_size(story), 0);
}

static void a_wrong_signature_is_never_handed_out(void **state)
{
    struct story *story = *state;
    struct story_document made[2];
    struct remote_document documents[] = {story_document(&made[0], 1), story_document(&made[1], 2)};
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED_TWISTED});

    assert_int_equal(story_sign(story, documents, 2), SCA_MISMATCH);

    assert_int_equal(documents[0].status, SCA_OK);
    assert_int_equal(documents[1].status, SCA_MISMATCH);
}

static void a_typed_code_is_sent_as_it_was_typed(void **state)
{
    AUTO(secret_freep) struct secret *otp = secret_of("012345");
    const struct remote_credentials credentials = {.otp = otp};
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(sign(story, &credentials, &lone, NULL), SCA_OK);

    assert_sent(story, 0, "otp", "012345");
}

static void without_a_typed_code_nothing_is_sent(void **state)
{
    struct story *story = *state;
    struct lone lone;
    story_tell(story, NULL, 0);

    assert_int_equal(story_sign_alone(story, &lone), SCA_USER_AUTH);

    assert_int_equal(story->request_count, 0);
    assert_int_equal(story_journal_size(story), 0);
}

static void a_refused_typed_code_is_not_tried_again(void **state)
{
    AUTO(secret_freep) struct secret *otp = secret_of("012345");
    const struct remote_credentials credentials = {.otp = otp};
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    TELL(story, {.to = SIGN2, .says = OTP_WRONG});

    assert_int_equal(sign(story, &credentials, &lone, note), SCA_USER_AUTH);

    assert_int_equal(story->request_count, 1);
    assert_non_null(strstr(note, "log in again"));
}

static void a_busy_service_is_not_told_as_a_code_that_is_used_up(void **state)
{
    AUTO(secret_freep) struct secret *otp = secret_of("012345");
    const struct remote_credentials credentials = {.otp = otp};
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    TELL(story, {.to = SIGN2, .says = ENVELOPE("429", "slow down", "null"), .http = 429});

    assert_int_equal(sign(story, &credentials, &lone, note), SCA_NETWORK);

    assert_int_equal(story->request_count, 1);
    assert_non_null(strstr(note, "the service has too many requests"));
    assert_int_equal(story_journal_size(story), 0);
}

static void a_busy_service_is_asked_again_with_a_computed_code(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = ENVELOPE("429", "slow down", "null"), .http = 429},
         {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_int_equal(story->request_count, 3);
}

static void a_typed_code_is_not_sent_twice_for_a_lost_permission(void **state)
{
    AUTO(secret_freep) struct secret *otp = secret_of("012345");
    AUTO(secret_freep) struct secret *next = secret_of("543210");
    const struct remote_credentials credentials = {.otp = otp};
    const struct remote_credentials again = {.otp = next};
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .fate = LOST}, {.to = STATUS, .says = WAITING});
    assert_int_equal(sign(story, &credentials, &lone, NULL), SCA_USER_AUTH);
    char first[64];
    (void)strcpy(first, story->requests[0].id);
    TELL(story, {.to = STATUS, .says = WAITING}, {.to = SIGN2, .says = PERMITTED},
         {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(sign(story, &again, &lone, NULL), SCA_OK);

    assert_string_equal(story->requests[1].id, first);
    assert_sent(story, 1, "otp", "543210");
}

static void a_secret_that_cannot_be_had_sends_nothing(void **state)
{
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    char bad_key[] = "no key!";
    story_tell(story, NULL, 0);

    story->account.totp_secret.text = bad_key;
    assert_int_equal(sign(story, &no_credentials, &lone, note), SCA_INVALID);
    assert_non_null(strstr(note, "totp_secret of account work"));
    assert_null(strstr(note, bad_key));
    story->account.password.kind = SECRET_VAULT;
    assert_int_equal(sign(story, &no_credentials, &lone, note), SCA_USER_AUTH);
    assert_non_null(strstr(note, "vault"));

    assert_int_equal(story->request_count, 0);
    assert_int_equal(story_journal_size(story), 0);
}

/* Whatever the service repeats of what it was sent: it must not get into a log. */
static void a_service_that_repeats_secrets_is_not_quoted(void **state)
{
    AUTO(secret_freep) struct secret *sp_password = secret_of("canary-of-the-provider");
    const struct remote_credentials credentials = {.sp_password = sp_password};
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];

    TELL(story, {.to = SIGN2, .says = ENVELOPE("400", "canary-of-the-password bad", "null")});
    assert_int_equal(sign(story, &credentials, &lone, note), SCA_PROTOCOL);
    assert_null(strstr(note, password_text));
    TELL(story, {.to = SIGN2, .says = ENVELOPE("400", "see canary-of-the-provider", "null")});
    assert_int_equal(sign(story, &credentials, &lone, note), SCA_PROTOCOL);
    assert_null(strstr(note, "canary-of-the-provider"));
    TELL(story, {.to = SIGN2, .says = PERMITTED},
         {.to = CONFIRM, .says = ENVELOPE("400", "wrong e.y.J", "null")});
    assert_int_equal(sign(story, &credentials, &lone, note), SCA_PROTOCOL);
    assert_null(strstr(note, "e.y.J"));
    TELL(story, {.to = SIGN2, .says = ENVELOPE("400", "CCCD 012.345.678.901 unknown", "null")});
    assert_int_equal(sign(story, &credentials, &lone, note), SCA_PROTOCOL);
    assert_null(strstr(note, "345.678"));
}

static void a_secret_of_asterisks_is_hidden_and_that_ends(void **state)
{
    AUTO(secret_freep) struct secret *sp_password = secret_of("****");
    const struct remote_credentials credentials = {.sp_password = sp_password};
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    TELL(story, {.to = SIGN2, .says = ENVELOPE("400", "no ********, but *****", "null")});

    assert_int_equal(sign(story, &credentials, &lone, note), SCA_PROTOCOL);

    assert_non_null(strstr(note, "no ********, but *****"));
}

static void no_secret_reaches_the_journal(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    char *otp = story_text_of(story->requests[0].body, "otp");

    assert_true(story_journal_size(story) > 0);
    assert_false(story_journal_holds(story, password_text));
    assert_false(story_journal_holds(story, otp));
    assert_false(story_journal_holds(story, "e.y.J"));
    free(otp);
}

#define TOTP(name) cmocka_unit_test_setup_teardown(name, begin_totp, story_end)
#define OTP(name)  cmocka_unit_test_setup_teardown(name, begin_otp, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOTP(two_requests_make_a_signature),
        TOTP(an_account_with_the_phone_sends_no_password),
        TOTP(what_a_login_opened_goes_before_what_the_configuration_says),
        TOTP(a_second_signature_in_a_step_waits_for_the_next),
        TOTP(a_refused_code_is_followed_by_its_neighbour_once),
        TOTP(a_neighbour_that_works_is_remembered),
        TOTP(a_code_used_on_another_computer_moves_no_clock),
        TOTP(a_clock_that_is_off_is_named),
        TOTP(a_wrong_password_asks_for_a_login),
        TOTP(a_refused_service_provider_is_not_the_person),
        TOTP(other_refusals_are_as_with_the_phone),
        TOTP(without_a_permission_it_is_the_phones_turn),
        TOTP(a_lost_confirmation_is_found_by_its_status),
        TOTP(a_confirmation_that_did_not_arrive_is_sent_again),
        TOTP(a_lost_permission_is_asked_for_again_under_the_same_id),
        TOTP(a_service_that_gives_no_second_permission_leaves_it_to_the_phone),
        TOTP(a_request_that_got_lost_unheard_fails_and_is_repeated_by_the_next_call),
        TOTP(the_next_call_resumes_what_a_cancelled_one_left),
        TOTP(an_expired_permission_ends_the_transaction),
        TOTP(a_wrong_signature_is_never_handed_out),
        TOTP(a_secret_that_cannot_be_had_sends_nothing),
        TOTP(no_secret_reaches_the_journal),
        TOTP(a_service_that_repeats_secrets_is_not_quoted),
        TOTP(a_secret_of_asterisks_is_hidden_and_that_ends),
        OTP(a_typed_code_is_sent_as_it_was_typed),
        OTP(without_a_typed_code_nothing_is_sent),
        OTP(a_refused_typed_code_is_not_tried_again),
        OTP(a_busy_service_is_not_told_as_a_code_that_is_used_up),
        TOTP(a_busy_service_is_asked_again_with_a_computed_code),
        OTP(a_typed_code_is_not_sent_twice_for_a_lost_permission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
