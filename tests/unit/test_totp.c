/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/smartca/totp.h"
#include "tests/lib/folder.h"

enum { START_S = 1111111109 / 30 * 30 }; /* the beginning of a step */

/* A wall clock that moves only when somebody waits. */
struct stage {
    struct clock clock; /* first: the functions below find the stage by it */
    uint64_t now_ms;
    unsigned waits;
    unsigned cancel_after; /* waits; 0: never */
    unsigned free_after;   /* waits; then nobody has locked_fd any more */
    int locked_fd;
    char dir[32];
    struct totp_owner owner;
    struct call call;
    struct totp_key key;
};

static struct stage *stage_of(const struct clock *clock)
{
    return (struct stage *)(uintptr_t)clock;
}

static uint64_t now_ms(const struct clock *clock)
{
    return stage_of(clock)->now_ms;
}

static int64_t wall_s(const struct clock *clock)
{
    return START_S + (int64_t)(stage_of(clock)->now_ms / 1000);
}

static void wait_ms(const struct clock *clock, struct call *call, uint64_t ms)
{
    struct stage *stage = stage_of(clock);

    stage->now_ms += ms;
    if (++stage->waits == stage->free_after)
        assert_int_equal(flock(stage->locked_fd, LOCK_UN), 0);
    if (stage->waits == stage->cancel_after)
        call->is_cancelled = true; /* under the call's lock */
}

static enum sca_status read_key(const char *text, struct totp_key *ret_key, const char **why)
{
    AUTO(secret_freep) struct secret *secret = NULL;
    assert_int_equal(secret_new(span_text(text), &secret), SCA_OK);
    return totp_key_read(secret, ret_key, why);
}

static int begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    const char *why = NULL;

    assert_non_null(stage);
    stage->locked_fd = -1;
    stage->clock = (struct clock){.now_ms = now_ms, .wall_s = wall_s, .wait = wait_ms};
    (void)strcpy(stage->dir, "/tmp/totp.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    stage->owner = (struct totp_owner){.state_dir = stage->dir,
                                       .identity = {"https://localhost/sca", "0312345678"}};
    assert_int_equal(read_key("raw:12345678901234567890", &stage->key, &why), SCA_OK);
    call_init(&stage->call, &stage->clock, 290000);
    *state = stage;
    return 0;
}

static int end(void **state)
{
    struct stage *stage = *state;

    call_fini(&stage->call);
    if (stage->locked_fd >= 0)
        assert_int_equal(close(stage->locked_fd), 0);
    assert_int_equal(folder_remove(stage->dir), 0);
    free(stage);
    return 0;
}

static int64_t take(struct stage *stage)
{
    int64_t step = 0;
    assert_int_equal(totp_take(&stage->owner, &stage->call, &stage->key, &step), SCA_OK);
    return step;
}

static int64_t now_step(const struct stage *stage)
{
    return totp_step(&stage->key, wall_s(&stage->clock));
}

/* RFC 6238 appendix B, SHA-1, eight digits. */
static void codes_are_those_of_rfc_6238(void **state)
{
    static const struct {
        int64_t wall_s;
        const char *code;
    } rows[] = {
        {59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
        {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"},
    };
    struct stage *stage = *state;
    char code[TOTP_CODE_SIZE];

    stage->key.digits = 8;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t step = totp_step(&stage->key, rows[i].wall_s);
        assert_int_equal(totp_code(&stage->key, step, code), SCA_OK);
        assert_string_equal(code, rows[i].code);
    }
}

static void one_key_in_every_form_is_the_same_key(void **state)
{
    static const char *const forms[] = {
        "raw:12345678901234567890",
        "base64:MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=",
        "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=",
        "hex:3132333435363738393031323334353637383930",
        "base32:GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "base32:gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
        "otpauth://totp/VNPT:user?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=VNPT",
        "otpauth://totp/x?algorithm=SHA1&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ%3D%3D",
    };
    struct stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct totp_key key;
        const char *why = NULL;
        assert_int_equal(read_key(forms[i], &key, &why), SCA_OK);
        assert_int_equal(key.len, 20);
        assert_memory_equal(key.bytes, stage->key.bytes, 20);
        assert_int_equal(key.digits, 6);
        assert_int_equal(key.period_s, 30);
    }
}

static void an_otpauth_address_sets_digits_and_period(void **state)
{
    struct totp_key key;
    const char *why = NULL;
    (void)state;

    assert_int_equal(
        read_key("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=8&period=60",
                 &key, &why),
        SCA_OK);

    assert_int_equal(key.digits, 8);
    assert_int_equal(key.period_s, 60);
}

static void a_key_that_may_be_base32_is_doubtful(void **state)
{
    static const struct {
        const char *text;
        bool is_doubtful;
    } rows[] = {
        {"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", true},
        {"JBSWY3DPEHPK3PXP", true},
        {"GEZDGNBVGY3TQOJQGEZDGNBV======", true},
        {"base32:GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", false},
        {"base64:MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", false},
        {"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", false},
        {"GEZDGNBVGY3TQOJ", false},
        {"GEZDGNBVGY3TQOJQ=A", false},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(secret_freep) struct secret *text = NULL;
        assert_int_equal(secret_new(span_text(rows[i].text), &text), SCA_OK);

        assert_int_equal(totp_key_is_doubtful(text), rows[i].is_doubtful);
    }
}

static void what_is_no_key_is_refused_with_a_reason_that_does_not_repeat_it(void **state)
{
    static const char *const bad[] = {
        "",
        "not base64!",
        "MTIz",
        "hex:313",
        "hex:zz",
        "base32:1118",
        "raw:short",
        "otpauth://hotp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "otpauth://totp/x",
        "otpauth://totp/x?digits=6",
        "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=9",
        "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=0",
        "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=99999999999",
        "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA256",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct totp_key key;
        const char *why = NULL;
        assert_int_equal(read_key(bad[i], &key, &why), SCA_INVALID);
        assert_non_null(why);
        assert_true(!*bad[i] || !strstr(why, bad[i]));
    }
}

static void a_key_that_is_too_long_is_refused(void **state)
{
    char text[5 + TOTP_KEY_MAX + 2] = "raw:";
    struct totp_key key;
    const char *why = NULL;
    (void)state;

    memset(text + 4, 'a', TOTP_KEY_MAX + 1);

    assert_int_equal(read_key(text, &key, &why), SCA_INVALID);
}

static void the_first_step_is_the_current_one_without_waiting(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(take(stage), START_S / 30);

    assert_int_equal(stage->waits, 0);
}

static void no_step_is_taken_twice(void **state)
{
    struct stage *stage = *state;
    int64_t first = take(stage);

    int64_t second = take(stage);

    assert_int_equal(second, first + 1);
    assert_int_equal(now_step(stage), second); /* it waited for the step to begin */
    assert_in_range(stage->now_ms, 30000, 31000);
}

static void another_identity_does_not_wait(void **state)
{
    struct stage *stage = *state;
    int64_t first = take(stage);

    stage->owner.identity.user_id = "0312345679";

    assert_int_equal(take(stage), first);
}

static void another_process_takes_another_step(void **state)
{
    struct stage *stage = *state;
    int64_t first = now_step(stage);
    int status = 0;

    pid_t pid = fork();
    if (pid == 0) {
        int64_t step = 0;
        enum sca_status st = totp_take(&stage->owner, &stage->call, &stage->key, &step);
        _exit(st == SCA_OK && step == first ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);

    assert_int_equal(take(stage), first + 1);
}

static void a_wait_for_the_next_step_can_be_cancelled(void **state)
{
    struct stage *stage = *state;
    int64_t step = 0;
    (void)take(stage);
    stage->cancel_after = 3;

    assert_int_equal(totp_take(&stage->owner, &stage->call, &stage->key, &step), SCA_CANCELLED);

    assert_int_equal(step, 0);
    assert_int_equal(stage->waits, 3);
}

static void a_wait_beyond_the_deadline_fails_with_advice(void **state)
{
    struct stage *stage = *state;
    int64_t step = 0;
    (void)take(stage);
    stage->call.deadline_ms = 5000;

    assert_int_equal(totp_take(&stage->owner, &stage->call, &stage->key, &step), SCA_NETWORK);

    assert_non_null(strstr(stage->call.note, "one in 30 s"));
}

static void a_clock_that_was_ahead_does_not_lock_out(void **state)
{
    struct stage *stage = *state;
    stage->now_ms = 3600u * 1000;
    (void)take(stage);
    stage->now_ms = 0;

    assert_int_equal(take(stage), START_S / 30);

    assert_int_equal(stage->waits, 0);
}

static void early_in_a_step_the_neighbour_is_the_one_before(void **state)
{
    struct stage *stage = *state;
    int64_t neighbour = 0;
    int64_t refused = take(stage);

    assert_int_equal(
        totp_take_neighbour(&stage->owner, &stage->call, &stage->key, refused, &neighbour), SCA_OK);

    assert_int_equal(neighbour, refused - 1);
}

static void late_in_a_step_the_neighbour_is_the_next(void **state)
{
    struct stage *stage = *state;
    int64_t neighbour = 0;
    stage->now_ms = 20000;
    int64_t refused = take(stage);

    assert_int_equal(
        totp_take_neighbour(&stage->owner, &stage->call, &stage->key, refused, &neighbour), SCA_OK);

    assert_int_equal(neighbour, refused + 1);
    assert_int_equal(take(stage), refused + 2); /* and that one is used, too */
}

static void a_neighbour_that_was_used_is_not_used_again(void **state)
{
    struct stage *stage = *state;
    int64_t neighbour = 0;
    (void)take(stage);
    int64_t refused = take(stage); /* the step right after, at its beginning */

    assert_int_equal(
        totp_take_neighbour(&stage->owner, &stage->call, &stage->key, refused, &neighbour), SCA_OK);

    assert_int_equal(neighbour, refused + 1);
}

static void there_is_no_neighbour_when_both_were_used(void **state)
{
    struct stage *stage = *state;
    int64_t neighbour = 0;
    (void)take(stage);
    int64_t refused = take(stage);
    (void)take(stage);

    assert_int_equal(
        totp_take_neighbour(&stage->owner, &stage->call, &stage->key, refused, &neighbour),
        SCA_NOT_FOUND);
}

static void found_drift(const struct stage *stage, int64_t refused, int64_t accepted,
                        int64_t offset_s)
{
    const struct totp_evidence evidence = {refused, accepted, offset_s, stage->key.period_s};
    totp_found_drift(&stage->owner, &evidence);
}

static void a_drift_that_was_found_is_used_from_then_on(void **state)
{
    struct stage *stage = *state;
    int64_t refused = take(stage);

    found_drift(stage, refused, refused - 1, -29);
    stage->now_ms = 95000; /* three steps later */

    assert_int_equal(take(stage), refused + 2);
}

/* Such as a code that another computer had used: the clocks agree. */
static void what_the_clocks_do_not_say_is_no_drift(void **state)
{
    static const int64_t offsets[] = {0, 15, -14, 29};
    struct stage *stage = *state;
    int64_t refused = take(stage);

    for (size_t i = 0; i < ARRAY_LEN(offsets); i++)
        found_drift(stage, refused, refused - 1, offsets[i]);
    found_drift(stage, refused, refused + 1, 15);
    stage->now_ms = 95000;

    assert_int_equal(take(stage), refused + 3);
}

static void a_drift_is_forgotten_when_the_clock_is_set(void **state)
{
    struct stage *stage = *state;
    int64_t refused = take(stage);
    found_drift(stage, refused, refused + 1, 40);

    found_drift(stage, refused + 1, refused, 1);
    stage->now_ms = 95000;

    assert_int_equal(take(stage), refused + 3);
}

static void a_drift_never_grows_beyond_what_one_retry_can_mend(void **state)
{
    struct stage *stage = *state;
    int64_t refused = take(stage);
    for (int i = 0; i < 5; i++)
        found_drift(stage, refused, refused + 1, 300);
    stage->now_ms = 300000;

    assert_int_equal(take(stage) - now_step(stage), 2);
}

static void a_damaged_record_is_begun_anew(void **state)
{
    struct stage *stage = *state;
    char command[128];
    (void)take(stage);
    (void)snprintf(command, sizeof(command), "for f in %s/journal/otp-*; do echo junk >$f; done",
                   stage->dir);
    assert_int_equal(system(command), 0);

    assert_int_equal(take(stage), START_S / 30);
}

static void without_a_record_no_code_may_be_used(void **state)
{
    struct stage *stage = *state;
    int64_t step = 0;
    stage->owner.state_dir = "/dev/null";

    assert_int_equal(totp_take(&stage->owner, &stage->call, &stage->key, &step), SCA_IO);

    assert_non_null(strstr(stage->call.note, "check its owner"));
}

/* Another program has the record; it is stopped, say. */
static void lock_record(struct stage *stage)
{
    char pattern[64];
    glob_t found;

    (void)take(stage);
    stage->now_ms += 30000;
    stage->waits = 0;
    (void)snprintf(pattern, sizeof(pattern), "%s/journal/otp-*", stage->dir);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    stage->locked_fd = open(found.gl_pathv[0], O_RDWR | O_CLOEXEC);
    globfree(&found);
    assert_int_equal(flock(stage->locked_fd, LOCK_EX), 0);
}

static void a_record_that_others_have_is_waited_for(void **state)
{
    struct stage *stage = *state;
    lock_record(stage);
    stage->free_after = 3;

    assert_int_equal(take(stage), START_S / 30 + 1);

    assert_int_equal(stage->waits, 3);
}

static void the_wait_for_others_can_be_cancelled(void **state)
{
    struct stage *stage = *state;
    int64_t step = 0;
    lock_record(stage);
    stage->cancel_after = 3;

    assert_int_equal(totp_take(&stage->owner, &stage->call, &stage->key, &step), SCA_CANCELLED);

    assert_int_equal(stage->waits, 3);
    assert_int_equal(totp_take_neighbour(&stage->owner, &stage->call, &stage->key, 5, &step),
                     SCA_CANCELLED);
    assert_int_equal(step, 0);
}

static void the_wait_for_others_ends(void **state)
{
    struct stage *stage = *state;
    int64_t step = 0;
    lock_record(stage);
    uint64_t begun_ms = stage->now_ms;

    assert_int_equal(totp_take(&stage->owner, &stage->call, &stage->key, &step), SCA_IO);

    assert_int_equal(step, 0);
    assert_int_equal(stage->now_ms - begun_ms, 5000);
    assert_non_null(strstr(stage->call.note, "locked; try again"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(codes_are_those_of_rfc_6238),
        TEST(one_key_in_every_form_is_the_same_key),
        TEST(an_otpauth_address_sets_digits_and_period),
        TEST(a_key_that_may_be_base32_is_doubtful),
        TEST(what_is_no_key_is_refused_with_a_reason_that_does_not_repeat_it),
        TEST(a_key_that_is_too_long_is_refused),
        TEST(the_first_step_is_the_current_one_without_waiting),
        TEST(no_step_is_taken_twice),
        TEST(another_identity_does_not_wait),
        TEST(another_process_takes_another_step),
        TEST(a_wait_for_the_next_step_can_be_cancelled),
        TEST(a_wait_beyond_the_deadline_fails_with_advice),
        TEST(a_clock_that_was_ahead_does_not_lock_out),
        TEST(early_in_a_step_the_neighbour_is_the_one_before),
        TEST(late_in_a_step_the_neighbour_is_the_next),
        TEST(a_neighbour_that_was_used_is_not_used_again),
        TEST(there_is_no_neighbour_when_both_were_used),
        TEST(a_drift_that_was_found_is_used_from_then_on),
        TEST(what_the_clocks_do_not_say_is_no_drift),
        TEST(a_drift_is_forgotten_when_the_clock_is_set),
        TEST(a_drift_never_grows_beyond_what_one_retry_can_mend),
        TEST(a_damaged_record_is_begun_anew),
        TEST(without_a_record_no_code_may_be_used),
        TEST(a_record_that_others_have_is_waited_for),
        TEST(the_wait_for_others_can_be_cancelled),
        TEST(the_wait_for_others_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
