/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/call.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"

/* A clock that only a wait moves on. */
struct story {
    struct clock clock; /* first: what the call gets */
    uint64_t now;
    unsigned waits;
    uint64_t cancel_at; /* somebody cancels then; 0: nobody */
    struct call call;
    unsigned asked;
    unsigned give_up_after; /* questions answered with yes; 0: all */
};

static struct story *story_of(const struct clock *clock)
{
    return (struct story *)(uintptr_t)clock;
}

static uint64_t story_now(const struct clock *clock)
{
    return story_of(clock)->now;
}

static int64_t story_wall(const struct clock *clock)
{
    (void)clock;
    return 0;
}

static void story_wait(const struct clock *clock, struct call *call, uint64_t ms)
{
    struct story *story = story_of(clock);
    story->waits++;
    if (story->cancel_at && story->now + ms >= story->cancel_at) {
        story->now = story->cancel_at;
        call_cancel(call);
    } else {
        story->now += ms;
    }
}

static bool story_keep_going(void *arg)
{
    struct story *story = arg;
    story->asked++;
    return !story->give_up_after || story->asked <= story->give_up_after;
}

static void begin(struct story *story, uint64_t budget_ms)
{
    *story = (struct story){.clock = {story_now, story_wall, story_wait}, .now = 5000};
    call_init(&story->call, &story->clock, budget_ms);
}

static void a_wait_takes_its_time(void **state)
{
    struct story story;
    (void)state;
    begin(&story, 60000);

    assert_int_equal(call_wait(&story.call, 2500), SCA_OK);

    assert_int_equal(story.now, 5000 + 2500);
    assert_int_equal(story.waits, 1);
    assert_int_equal(call_left_ms(&story.call), 57500);
    assert_int_equal(call_wait(&story.call, 0), SCA_OK);
    assert_int_equal(story.waits, 1);
    call_fini(&story.call);
}

static void no_wait_goes_beyond_the_deadline(void **state)
{
    struct story story;
    (void)state;
    begin(&story, 1000);

    assert_int_equal(call_wait(&story.call, 1001), SCA_UNCONFIRMED);

    assert_int_equal(story.now, 5000 + 1000);
    assert_int_equal(call_left_ms(&story.call), 0);
    assert_int_equal(call_wait(&story.call, 1), SCA_UNCONFIRMED);
    assert_int_equal(story.now, 5000 + 1000);
    call_fini(&story.call);
}

static void cancelling_ends_a_wait_and_all_later_ones(void **state)
{
    struct story story;
    (void)state;
    begin(&story, 60000);
    story.cancel_at = 6234;

    assert_int_equal(call_wait(&story.call, 10000), SCA_CANCELLED);

    assert_int_equal(story.now, 6234);
    assert_true(call_is_cancelled(&story.call));
    assert_int_equal(call_wait(&story.call, 1), SCA_CANCELLED);
    assert_int_equal(call_tick(&story.call), SCA_CANCELLED);
    call_fini(&story.call);
}

static void the_application_is_asked_once_a_second(void **state)
{
    struct story story;
    (void)state;
    begin(&story, 60000);
    story.call.keep_going = story_keep_going;
    story.call.keep_going_arg = &story;

    assert_int_equal(call_wait(&story.call, 4500), SCA_OK);
    assert_int_equal(story.asked, 4);
    assert_int_equal(call_tick(&story.call), SCA_OK);
    assert_int_equal(story.asked, 4); /* not a second yet */

    assert_int_equal(story.now, 9500);
    call_fini(&story.call);
}

static void the_application_may_give_up(void **state)
{
    struct story story;
    (void)state;
    begin(&story, 60000);
    story.call.keep_going = story_keep_going;
    story.call.keep_going_arg = &story;
    story.give_up_after = 2;

    assert_int_equal(call_wait(&story.call, 30000), SCA_CANCELLED);

    assert_int_equal(story.now, 8000);
    assert_int_equal(story.asked, 3);
    assert_int_equal(call_wait(&story.call, 5000), SCA_CANCELLED);
    assert_int_equal(story.asked, 3); /* asked no more */
    call_fini(&story.call);
}

static void count_wake(void *arg)
{
    (*(unsigned *)arg)++;
}

static void a_transport_in_progress_is_woken(void **state)
{
    struct story story;
    unsigned wakes = 0;
    (void)state;
    begin(&story, 60000);

    assert_int_equal(call_set_wake(&story.call, count_wake, &wakes), SCA_OK);
    call_clear_wake(&story.call);
    call_cancel(&story.call);
    assert_int_equal(wakes, 0);
    assert_int_equal(call_set_wake(&story.call, count_wake, &wakes), SCA_CANCELLED);
    call_cancel(&story.call);

    assert_int_equal(wakes, 1);
    call_fini(&story.call);
}

static void a_failure_leaves_its_note(void **state)
{
    struct story story;
    char longer[400];
    (void)state;
    begin(&story, 1);
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;

    assert_int_equal(call_fail(&story.call, SCA_NETWORK, "no route to %s", "host"), SCA_NETWORK);
    assert_string_equal(story.call.note, "no route to host");
    assert_int_equal(call_fail(&story.call, SCA_IO, "%s", longer), SCA_IO);
    assert_int_equal(strlen(story.call.note), sizeof(story.call.note) - 1);
    call_fini(&story.call);
}

static void a_brief_call_waits_for_nothing(void **state)
{
    struct story story;
    (void)state;
    begin(&story, 60000);
    story.call.is_brief = true;

    assert_int_equal(call_wait(&story.call, 1), SCA_PENDING);
    assert_int_equal(call_wait(&story.call, 0), SCA_OK);

    assert_int_equal(story.waits, 0);
    call_fini(&story.call);
}

static void a_sleep_ends_by_the_deadline_or_by_a_poke_that_may_come_first(void **state)
{
    struct story story;
    (void)state;
    begin(&story, 1000);

    call_poke(&story.call);
    assert_int_equal(call_sleep(&story.call), SCA_OK);
    assert_int_equal(story.waits, 0);
    call_poke(&story.call);
    call_unpoke(&story.call);
    assert_int_equal(call_sleep(&story.call), SCA_UNCONFIRMED);

    assert_int_equal(story.now, 5000 + 1000);
    call_fini(&story.call);
}

static void *poke(void *arg)
{
    call_poke(arg);
    return NULL;
}

static void another_thread_ends_a_real_sleep(void **state)
{
    struct call call;
    pthread_t thread;
    (void)state;
    call_init(&call, &clock_system, 3600000);
    assert_int_equal(pthread_create(&thread, NULL, poke, &call), 0);

    assert_int_equal(call_sleep(&call), SCA_OK);

    assert_int_equal(pthread_join(thread, NULL), 0);
    call_fini(&call);
}

static void *cancel(void *arg)
{
    call_cancel(arg);
    return NULL;
}

/* With the real clock: the wait would be an hour. */
static void another_thread_ends_a_real_wait(void **state)
{
    struct call call;
    pthread_t thread;
    (void)state;
    call_init(&call, &clock_system, 3600000);
    assert_int_equal(pthread_create(&thread, NULL, cancel, &call), 0);

    assert_int_equal(call_wait(&call, 3600000), SCA_CANCELLED);

    assert_int_equal(pthread_join(thread, NULL), 0);
    call_fini(&call);
}

static void the_real_clock_goes_on(void **state)
{
    struct call call;
    (void)state;
    call_init(&call, &clock_system, 1000);
    uint64_t before = call_now_ms(&call);

    assert_int_equal(call_wait(&call, 3), SCA_OK);

    assert_true(call_now_ms(&call) >= before + 3);
    assert_true(clock_system.wall_s(&clock_system) > 1700000000);
    call_fini(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_takes_its_time),
        cmocka_unit_test(no_wait_goes_beyond_the_deadline),
        cmocka_unit_test(cancelling_ends_a_wait_and_all_later_ones),
        cmocka_unit_test(the_application_is_asked_once_a_second),
        cmocka_unit_test(the_application_may_give_up),
        cmocka_unit_test(a_transport_in_progress_is_woken),
        cmocka_unit_test(a_failure_leaves_its_note),
        cmocka_unit_test(another_thread_ends_a_real_wait),
        cmocka_unit_test(a_brief_call_waits_for_nothing),
        cmocka_unit_test(a_sleep_ends_by_the_deadline_or_by_a_poke_that_may_come_first),
        cmocka_unit_test(another_thread_ends_a_real_sleep),
        cmocka_unit_test(the_real_clock_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
