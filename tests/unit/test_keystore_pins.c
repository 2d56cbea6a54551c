/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/unit/keystore_stage.h"

static void counters_are(const struct keystore_stage *stage, unsigned user, unsigned so)
{
    struct keystore_info info = keystore_stage_info(stage);
    assert_int_equal(info.wrong_user_pins, user);
    assert_int_equal(info.wrong_so_pins, so);
}

/* wrong-0, wrong-1 ... so that none is a repetition. */
static enum sca_status guess(struct keystore_stage *stage, enum keystore_user user, int number)
{
    char pin[32];
    (void)snprintf(pin, sizeof(pin), "wrong-%d", number);
    return keystore_stage_login(stage, user, pin);
}

static void both_pins_open_the_same_master_key(void **state)
{
    struct keystore_stage *stage = *state;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_OK);
    (void)keystore_stage_add(stage, "body", "key", NULL);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);

    keystore_stage_holds(stage, "1:body/key");
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, SO_PIN), SCA_USER_AUTH);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, USER_PIN), SCA_USER_AUTH);
}

static void wrong_pins_are_counted_until_the_right_one(void **state)
{
    struct keystore_stage *stage = *state;

    for (int i = 1; i <= 9; i++) {
        assert_int_equal(guess(stage, KEYSTORE_USER, i), SCA_USER_AUTH);
        counters_are(stage, (unsigned)i, 0);
    }
    assert_int_equal(guess(stage, KEYSTORE_SO, 0), SCA_USER_AUTH);
    counters_are(stage, 9, 1);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    counters_are(stage, 0, 1);
}

static void the_tenth_wrong_pin_locks(void **state)
{
    static const char *const right[] = {[KEYSTORE_USER] = USER_PIN, [KEYSTORE_SO] = SO_PIN};
    struct keystore_stage *stage = *state;

    for (enum keystore_user user = KEYSTORE_USER; user <= KEYSTORE_SO; user++) {
        for (int i = 0; i < KEYSTORE_PIN_TRIES; i++)
            assert_int_equal(guess(stage, user, i), SCA_USER_AUTH);
        assert_int_equal(guess(stage, user, 10), SCA_PIN_LOCKED);
        assert_int_equal(keystore_stage_login(stage, user, right[user]), SCA_PIN_LOCKED);
        assert_int_equal(keystore_stage_set_pin(stage, user, right[user], "another"),
                         SCA_PIN_LOCKED);
    }

    counters_are(stage, 10, 10);
    assert_int_equal(keystore_stage_reset(stage, SO_PIN), SCA_PIN_LOCKED);
}

static void the_security_officer_unlocks(void **state)
{
    struct keystore_stage *stage = *state;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    (void)keystore_stage_add(stage, "body", "key", NULL);
    for (int i = 0; i < KEYSTORE_PIN_TRIES; i++)
        assert_int_equal(guess(stage, KEYSTORE_USER, i), SCA_USER_AUTH);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_OK);
    assert_int_equal(keystore_stage_init_pin(stage, "654321"), SCA_OK);

    counters_are(stage, 0, 0);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_USER_AUTH);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, "654321"), SCA_OK);
    keystore_stage_holds(stage, "1:body/key");
}

static void the_wrong_pin_tried_last_is_counted_once(void **state)
{
    static const enum sca_status expected[] = {SCA_USER_AUTH, SCA_USER_AUTH,  SCA_USER_AUTH,
                                               SCA_USER_AUTH, SCA_PIN_LOCKED, SCA_PIN_LOCKED};
    struct keystore_stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_int_equal(guess(stage, KEYSTORE_USER, 1), expected[i]);
    counters_are(stage, 1, 0);

    assert_int_equal(guess(stage, KEYSTORE_USER, 2), SCA_USER_AUTH);
    counters_are(stage, 2, 0);
    assert_int_equal(guess(stage, KEYSTORE_USER, 1), SCA_USER_AUTH);
    counters_are(stage, 3, 0);
    for (int i = 0; i < 4; i++)
        (void)guess(stage, KEYSTORE_USER, 1);
    counters_are(stage, 3, 0);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    counters_are(stage, 0, 0);
    assert_int_equal(guess(stage, KEYSTORE_USER, 1), SCA_USER_AUTH);
    counters_are(stage, 1, 0);
}

static void the_memory_of_one_user_is_not_that_of_the_other(void **state)
{
    struct keystore_stage *stage = *state;

    assert_int_equal(guess(stage, KEYSTORE_USER, 1), SCA_USER_AUTH);
    stage->memory[KEYSTORE_SO] = stage->memory[KEYSTORE_USER];
    assert_int_equal(guess(stage, KEYSTORE_SO, 1), SCA_USER_AUTH);

    counters_are(stage, 1, 1);
}

static void a_pin_that_was_wrong_may_become_the_right_one(void **state)
{
    struct keystore_stage *stage = *state;
    struct pin_memory wrong;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, "654321"), SCA_USER_AUTH);
    wrong = stage->memory[KEYSTORE_USER];
    assert_int_equal(keystore_stage_set_pin(stage, KEYSTORE_USER, USER_PIN, "654321"), SCA_OK);
    stage->memory[KEYSTORE_USER] = wrong; /* another process made the change */

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, "654321"), SCA_OK);
}

static void an_empty_pin_is_refused_uncounted(void **state)
{
    struct keystore_stage *stage = *state;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, ""), SCA_INVALID);
    assert_int_equal(keystore_stage_set_pin(stage, KEYSTORE_USER, "", "654321"), SCA_INVALID);
    counters_are(stage, 0, 0);
}

static void a_new_pin_has_six_to_sixty_four_bytes(void **state)
{
    static const char letters[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0";
    static const size_t lens[] = {0, 1, 5, 65};
    struct keystore_stage *stage = *state;
    char pin[80];

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_OK);
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        (void)snprintf(pin, sizeof(pin), "%.*s", (int)lens[i], letters);
        assert_int_equal(keystore_stage_init_pin(stage, pin), SCA_INVALID);
        assert_int_equal(keystore_stage_set_pin(stage, KEYSTORE_USER, USER_PIN, pin), SCA_INVALID);
        assert_int_equal(keystore_stage_reset(stage, pin), SCA_INVALID);
    }
    (void)snprintf(pin, sizeof(pin), "%.64s", letters);
    assert_int_equal(keystore_stage_set_pin(stage, KEYSTORE_USER, USER_PIN, pin), SCA_OK);
    assert_int_equal(keystore_stage_set_pin(stage, KEYSTORE_USER, pin, "123abc"), SCA_OK);
    counters_are(stage, 0, 0);
}

static void a_changed_pin_keeps_the_objects_and_ends_the_old_one(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf new;
    AUTO(buf_fini) struct buf old;

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    (void)keystore_stage_add(stage, "body", "key", NULL);
    assert_int_equal(keystore_stage_set_pin(stage, KEYSTORE_USER, USER_PIN, "654321"), SCA_OK);

    keystore_stage_holds(stage, "1:body/key");
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_USER_AUTH);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, "654321"), SCA_OK);
    keystore_stage_holds(stage, "1:body/key");

    /* Nothing under the old PIN stays on disk. */
    keystore_stage_load(stage, "token", &new);
    keystore_stage_load(stage, "token.old", &old);
    assert_true(span_equal(buf_span(&new), buf_span(&old)));
}

static void the_so_pin_can_be_changed(void **state)
{
    struct keystore_stage *stage = *state;

    assert_int_equal(keystore_stage_set_pin(stage, KEYSTORE_SO, "wrong!", "new-so-pin"),
                     SCA_USER_AUTH);
    counters_are(stage, 0, 1);
    assert_int_equal(keystore_stage_set_pin(stage, KEYSTORE_SO, SO_PIN, "new-so-pin"), SCA_OK);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, "new-so-pin"), SCA_OK);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_USER_AUTH);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
}

static void every_damage_to_the_counters_leaves_one_try(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf sound;

    assert_int_equal(guess(stage, KEYSTORE_USER, 0), SCA_USER_AUTH);
    keystore_stage_load(stage, "pins", &sound);
    for (size_t i = 0; i < sound.len; i++) {
        sound.ptr[i] ^= 1;
        keystore_stage_put(stage, "pins", buf_span(&sound));
        sound.ptr[i] ^= 1;
        counters_are(stage, 9, 9);
        keystore_stage_put(stage, "pins", span_of(sound.ptr, i));
        counters_are(stage, 9, 9);
    }
    assert_int_equal(buf_append(&sound, span_text("x")), SCA_OK);
    keystore_stage_put(stage, "pins", buf_span(&sound));
    counters_are(stage, 9, 9);
    sound.len--;
    keystore_stage_put(stage, "pins", buf_span(&sound));
    counters_are(stage, 1, 0);
}

static void damaged_counters_are_healed_by_the_right_pin(void **state)
{
    struct keystore_stage *stage = *state;

    keystore_stage_put(stage, "pins", span_text("rubbish"));
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    counters_are(stage, 0, 9);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_OK);
    counters_are(stage, 0, 0);

    keystore_stage_put(stage, "pins", span_text(""));
    assert_int_equal(guess(stage, KEYSTORE_USER, 0), SCA_USER_AUTH);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_PIN_LOCKED);
}

static void counters_behind_a_link_or_open_to_others_are_damaged(void **state)
{
    struct keystore_stage *stage = *state;
    char path[128];
    char other[140];

    assert_int_equal(guess(stage, KEYSTORE_USER, 0), SCA_USER_AUTH);
    keystore_stage_path(stage, "pins", path);
    assert_int_equal(chmod(path, 0602), 0);
    counters_are(stage, 9, 9);
    assert_int_equal(chmod(path, 0600), 0);
    counters_are(stage, 1, 0);
    (void)snprintf(other, sizeof(other), "%s.elsewhere", path);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    counters_are(stage, 9, 9);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    counters_are(stage, 0, 9);
}

static void no_counters_are_zeros_and_those_of_another_epoch_too(void **state)
{
    struct keystore_stage *stage = *state;
    char path[128];

    for (int i = 0; i < 3; i++)
        (void)guess(stage, KEYSTORE_USER, i);
    counters_are(stage, 3, 0);
    assert_int_equal(keystore_stage_reset(stage, SO_PIN), SCA_OK);
    counters_are(stage, 0, 0);
    (void)guess(stage, KEYSTORE_SO, 0);
    counters_are(stage, 0, 1);
    keystore_stage_path(stage, "pins", path);
    assert_int_equal(unlink(path), 0);
    counters_are(stage, 0, 0);
}

static void a_try_that_cannot_be_counted_is_not_made(void **state)
{
    struct keystore_stage *stage = *state;
    char path[128];

    keystore_stage_path(stage, "pins", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0); /* nothing replaces a folder */
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_IO);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
}

/* Time passes only while somebody waits. */
struct story_clock {
    struct clock clock;
    uint64_t now_ms;
    uint64_t cancel_at_ms;
};

static uint64_t story_now(const struct clock *clock)
{
    return ((const struct story_clock *)clock)->now_ms;
}

static int64_t story_wall(const struct clock *clock)
{
    (void)clock;
    return 0;
}

static void story_wait(const struct clock *clock, struct call *call, uint64_t ms)
{
    union {
        const struct clock *in;
        struct story_clock *out;
    } story = {.in = clock};
    story.out->now_ms += ms;
    if (story.out->now_ms >= story.out->cancel_at_ms)
        call_cancel(call);
}

static void waiting_for_others_ends(void **state)
{
    static const struct {
        uint64_t budget_ms;
        uint64_t cancel_at_ms;
        enum sca_status expected;
        uint64_t ended_ms;
    } rows[] = {
        {1000000, 1000000, SCA_IO, 60000},
        {2000, 1000000, SCA_IO, 2000},
        {1000000, 500, SCA_CANCELLED, 500},
    };
    struct keystore_stage *stage = *state;
    AUTO(fd_closep) int other = -1;
    char path[128];

    keystore_stage_path(stage, "login", path);
    other = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(other, LOCK_EX), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct story_clock story = {.clock = {story_now, story_wall, story_wait},
                                    .cancel_at_ms = rows[i].cancel_at_ms};
        call_fini(&stage->call);
        call_init(&stage->call, &story.clock, rows[i].budget_ms);
        assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), rows[i].expected);
        assert_in_range(story.now_ms, rows[i].ended_ms, rows[i].ended_ms + 20);
        call_fini(&stage->call);
        call_init(&stage->call, &clock_system, 30000);
    }
    counters_are(stage, 0, 0);
    assert_int_equal(flock(other, LOCK_UN), 0);
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
}

enum { PROCESSES = 50 };

static pid_t fork_guess(struct keystore_stage *stage, int number)
{
    pid_t child = fork();
    if (child == 0)
        _exit((int)guess(stage, KEYSTORE_USER, number));
    assert_true(child > 0);
    return child;
}

static void fifty_processes_at_once_have_ten_tries(void **state)
{
    struct keystore_stage *stage = *state;
    pid_t children[PROCESSES];
    unsigned answers[SCA_STATUS_COUNT] = {0};

    for (int i = 0; i < PROCESSES; i++)
        children[i] = fork_guess(stage, i);
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        answers[WEXITSTATUS(status)]++;
    }

    assert_int_equal(answers[SCA_USER_AUTH], KEYSTORE_PIN_TRIES);
    assert_int_equal(answers[SCA_PIN_LOCKED], PROCESSES - KEYSTORE_PIN_TRIES);
    counters_are(stage, KEYSTORE_PIN_TRIES, 0);
}

static void a_child_remembers_with_a_key_of_its_own(void **state)
{
    struct keystore_stage *stage = *state;
    int status = 0;

    assert_int_equal(guess(stage, KEYSTORE_USER, 1), SCA_USER_AUTH);
    pid_t child = fork_guess(stage, 1);
    assert_int_equal(waitpid(child, &status, 0), child);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SCA_USER_AUTH);
    counters_are(stage, 2, 0);
}

/* Guesses until it is killed, and tells of every answer. */
static void guess_for_ever(struct keystore_stage *stage, int told)
{
    for (int i = 0;; i++) {
        uint8_t st = (uint8_t)guess(stage, KEYSTORE_USER, i);
        if (write(told, &st, 1) != 1)
            _exit(1);
    }
}

static unsigned kill_after(struct keystore_stage *stage, long delay_ns)
{
    const struct timespec delay = {.tv_nsec = delay_ns};
    uint8_t answers[1024];
    size_t done = 0;
    int pipe_fds[2];

    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)close(pipe_fds[0]);
        guess_for_ever(stage, pipe_fds[1]);
    }
    (void)close(pipe_fds[1]);
    (void)nanosleep(&delay, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    for (ssize_t got = 1; got > 0; done += (size_t)got) {
        got = read(pipe_fds[0], answers + done, sizeof(answers) - done);
        assert_true(got >= 0);
    }
    (void)close(pipe_fds[0]);
    unsigned tries = 0;
    for (size_t i = 0; i < done; i++)
        tries += answers[i] == SCA_USER_AUTH;
    return tries;
}

static void a_killed_process_gains_no_try(void **state)
{
    enum { ROUNDS = 60, MOST_NS = 12000000 };
    struct keystore_stage *stage = *state;

    for (long i = 0; i < ROUNDS; i++) {
        unsigned told = kill_after(stage, i * MOST_NS / ROUNDS);
        unsigned counted = keystore_stage_info(stage).wrong_user_pins;
        assert_in_range(counted, told, told + 1);
        if (counted == KEYSTORE_PIN_TRIES) {
            assert_int_equal(keystore_stage_login(stage, KEYSTORE_SO, SO_PIN), SCA_OK);
            assert_int_equal(keystore_stage_init_pin(stage, USER_PIN), SCA_OK);
        } else {
            assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
        }
        counters_are(stage, 0, 0);
    }
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, keystore_stage_begin, keystore_stage_end)
    const struct CMUnitTest tests[] = {
        WITH(both_pins_open_the_same_master_key),
        WITH(wrong_pins_are_counted_until_the_right_one),
        WITH(the_tenth_wrong_pin_locks),
        WITH(the_security_officer_unlocks),
        WITH(the_wrong_pin_tried_last_is_counted_once),
        WITH(the_memory_of_one_user_is_not_that_of_the_other),
        WITH(a_pin_that_was_wrong_may_become_the_right_one),
        WITH(an_empty_pin_is_refused_uncounted),
        WITH(a_new_pin_has_six_to_sixty_four_bytes),
        WITH(a_changed_pin_keeps_the_objects_and_ends_the_old_one),
        WITH(the_so_pin_can_be_changed),
        WITH(every_damage_to_the_counters_leaves_one_try),
        WITH(damaged_counters_are_healed_by_the_right_pin),
        WITH(counters_behind_a_link_or_open_to_others_are_damaged),
        WITH(no_counters_are_zeros_and_those_of_another_epoch_too),
        WITH(a_try_that_cannot_be_counted_is_not_made),
        WITH(waiting_for_others_ends),
        WITH(fifty_processes_at_once_have_ten_tries),
        WITH(a_child_remembers_with_a_key_of_its_own),
        WITH(a_killed_process_gains_no_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
