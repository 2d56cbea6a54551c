/* SPDX-License-Identifier: Apache-2.0 */
/* sp769 v2: what was asked for twice, because an answer or its owner got lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/unit/story.h"

#define PERMITTED                                                                                  \
    ENVELOPE("200", "sig_wait_for_user_confirm",                                                   \
             "{\"transaction_id\":\"other\",\"tran_code\":\"code-1\",\"sad\":\"e.y.J\"}")
#define PASSWORD_WRONG ENVELOPE("401", "user password invalid", "null")
#define PROVIDER_WRONG ENVELOPE("401", "client credentials of the partner invalid", "null")
#define SAD_USED       ENVELOPE("401", "sad already used", "null")
#define EXISTS         ENVELOPE("400", "Transaction exist", "null")

static char password_text[] = "password";
static char key_text[] = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";

static int begin(void **state)
{
    int rc = story_begin(state);
    struct story *story = *state;

    story->account.confirm = CONFIRM_TOTP;
    story->account.password = (struct secret_ref){.kind = SECRET_LITERAL, .text = password_text};
    story->account.totp_secret = (struct secret_ref){.kind = SECRET_LITERAL, .text = key_text};
    return rc;
}

static enum sca_status sign(struct story *story, const struct remote_credentials *credentials,
                            struct lone *lone, char *note)
{
    story_alone(lone);
    return story_sign_with(story, credentials, &lone->document, 1, note);
}

static void a_confirmation_refused_the_second_time_may_have_been_heard_the_first(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .fate = LOST},
         {.to = STATUS, .says = WAITING}, {.to = CONFIRM, .says = SAD_USED, .http = 401},
         {.to = STATUS, .says = WAITING}, {.to = STATUS, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_true(story_is_signed(story, &lone.document));
    assert_int_equal(story_count(story, SIGN2), 1);
    assert_int_equal(story_count(story, CONFIRM), 2);
    assert_int_equal(story_journal_size(story), 0);
}

static void a_signature_that_comes_late_is_fetched_by_the_next_call(void **state)
{
    enum { IN_LIMBO = 6 }; /* questions in 5 s */
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .fate = LOST},
         {.to = STATUS, .says = WAITING}, {.to = CONFIRM, .says = SAD_USED, .http = 401},
         {.to = STATUS, .says = WAITING, .times = IN_LIMBO}, {.to = STATUS, .says = SIGNED});
    assert_int_equal(story_sign_alone(story, &lone), SCA_UNCONFIRMED);
    assert_true(story->now_ms - STORY_BEGIN_MS < 10000);

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_true(story_is_signed(story, &lone.document));
    assert_int_equal(story_count(story, SIGN2), 1);
}

/* What a call that died left with the service is not forgotten because it cannot be sent again. */
static void a_refused_repetition_does_not_end_what_was_accepted(void **state)
{
    static const struct {
        const char *says;
        enum sca_status status;
    } rows[] = {
        {ENVELOPE("65000", "service pack exhausted", "null"), SCA_EXHAUSTED},
        {ENVELOPE("403", "certificate revoked", "null"), SCA_NOT_PERMITTED},
        {ENVELOPE("400", "bad request", "null"), SCA_PROTOCOL},
        {PASSWORD_WRONG, SCA_USER_AUTH},
        {PROVIDER_WRONG, SCA_SERVICE_AUTH},
    };
    struct story *story = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct lone lone;
        char note[STORY_NOTE_SIZE];
        TELL(story, {.to = SIGN2, .says = ACCEPTED}, {.to = STATUS, .fate = GIVEN_UP},
             {.to = STATUS, .says = WAITING}, {.to = SIGN2, .says = rows[i].says},
             {.to = STATUS, .says = WAITING}, {.to = STATUS, .says = SIGNED});
        assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
        assert_int_equal(sign(story, &no_credentials, &lone, note), rows[i].status);
        assert_null(strstr(note, "phone"));

        assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

        assert_true(story_is_signed(story, &lone.document));
        assert_int_equal(story_count_ids(story, SIGN2), 1);
        assert_int_equal(story_journal_size(story), 0);
    }
}

/* The call that gave it up is the last that was at it: nobody is waited for. */
static void one_that_was_given_up_is_taken_over_at_once(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = ACCEPTED}, {.to = STATUS, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    journal_park(story->client->journal, story->requests[0].id);
    TELL(story, {.to = STATUS, .says = WAITING}, {.to = SIGN2, .says = PERMITTED},
         {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_true(story_is_signed(story, &lone.document));
    assert_int_equal(story_count(story, STATUS), 1);
}

/* No person is waited for, so nobody is told to look at a phone. */
static void a_confirmation_that_is_never_taken_is_the_services_trouble(void **state)
{
    enum { TRIES = 60 };
    static struct line lines[1 + 2 * TRIES] = {{.to = SIGN2, .says = PERMITTED}};
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    for (size_t i = 1; i < ARRAY_LEN(lines); i += 2) {
        lines[i] = (struct line){.to = CONFIRM, .says = "", .http = 503, .takes_ms = 5000};
        lines[i + 1] = (struct line){.to = STATUS, .says = WAITING};
    }
    story_tell(story, lines, ARRAY_LEN(lines));

    assert_int_equal(sign(story, &no_credentials, &lone, note), SCA_NETWORK);

    assert_null(strstr(note, "phone"));
    assert_true(story_journal_size(story) > 0);
}

static void a_refused_repetition_hears_of_a_signature_made_meanwhile(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = ACCEPTED}, {.to = STATUS, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    TELL(story, {.to = STATUS, .says = WAITING},
         {.to = SIGN2, .says = ENVELOPE("65000", "service pack exhausted", "null")},
         {.to = STATUS, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_int_equal(story_journal_size(story), 0);
}

static void a_permission_that_is_lost_for_good_is_told_soon_and_nobody_is_alarmed(void **state)
{
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    char told[128];
    (void)snprintf(told, sizeof(told), "/usr/bin/touch %s/told", story->dir);
    story->account.service.on_confirm = told;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    uint64_t begun_ms = story->now_ms;
    TELL(story, {.to = STATUS, .says = WAITING}, {.to = SIGN2, .says = EXISTS},
         {.to = STATUS, .says = WAITING, .times = 40});

    assert_int_equal(sign(story, &no_credentials, &lone, note), SCA_PROTOCOL);

    assert_true(story->now_ms - begun_ms < 10000 + 30000); /* the wait for a new code is another */
    assert_non_null(strstr(note, "the permission to sign got lost"));
    assert_non_null(strstr(note, "min"));
    assert_null(strstr(note, "nobody confirmed"));
    (void)snprintf(told, sizeof(told), "%s/told", story->dir);
    assert_int_not_equal(access(told, F_OK), 0);
}

static void a_permission_lost_twice_does_not_wait_for_a_phone(void **state)
{
    struct story *story = *state;
    struct lone lone;
    char note[STORY_NOTE_SIZE];
    TELL(story, {.to = SIGN2, .fate = LOST}, {.to = STATUS, .says = WAITING},
         {.to = SIGN2, .fate = LOST}, {.to = STATUS, .says = WAITING, .times = 40});

    assert_int_equal(sign(story, &no_credentials, &lone, note), SCA_PROTOCOL);

    assert_non_null(strstr(note, "the permission to sign got lost"));
    assert_int_equal(story_count(story, SIGN2), 2);
}

static void what_expired_without_its_permission_is_begun_anew(void **state)
{
    struct story *story = *state;
    struct lone lone;
    TELL(story, {.to = SIGN2, .says = PERMITTED}, {.to = CONFIRM, .fate = GIVEN_UP});
    assert_int_equal(story_sign_alone(story, &lone), SCA_CANCELLED);
    char first[64];
    (void)strcpy(first, story->requests[0].id);
    TELL(story, {.to = STATUS, .says = EXPIRED}, {.to = SIGN2, .says = PERMITTED},
         {.to = CONFIRM, .says = SIGNED});

    assert_int_equal(story_sign_alone(story, &lone), SCA_OK);

    assert_string_equal(story->requests[0].id, first);
    assert_string_not_equal(story->requests[1].id, first);
    assert_int_equal(story_journal_size(story), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_confirmation_refused_the_second_time_may_have_been_heard_the_first, begin, story_end),
        cmocka_unit_test_setup_teardown(a_signature_that_comes_late_is_fetched_by_the_next_call,
                                        begin, story_end),
        cmocka_unit_test_setup_teardown(a_refused_repetition_does_not_end_what_was_accepted, begin,
                                        story_end),
        cmocka_unit_test_setup_teardown(one_that_was_given_up_is_taken_over_at_once, begin,
                                        story_end),
        cmocka_unit_test_setup_teardown(a_confirmation_that_is_never_taken_is_the_services_trouble,
                                        begin, story_end),
        cmocka_unit_test_setup_teardown(a_refused_repetition_hears_of_a_signature_made_meanwhile,
                                        begin, story_end),
        cmocka_unit_test_setup_teardown(
            a_permission_that_is_lost_for_good_is_told_soon_and_nobody_is_alarmed, begin,
            story_end),
        cmocka_unit_test_setup_teardown(a_permission_lost_twice_does_not_wait_for_a_phone, begin,
                                        story_end),
        cmocka_unit_test_setup_teardown(what_expired_without_its_permission_is_begun_anew, begin,
                                        story_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
