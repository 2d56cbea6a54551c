/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "remote/base/bytes.h"
#include "remote/base/wording.h"

enum { TICK_MS = 1000, UTF8_LETTER_MAX = 4 };

static uint64_t system_now_ms(const struct clock *clock)
{
    (void)clock;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t system_wall_s(const struct clock *clock)
{
    (void)clock;
    return (int64_t)time(NULL);
}

static void system_wait(const struct clock *clock, struct call *call, uint64_t ms)
{
    (void)clock;
    uint64_t until = call_now_ms(call) + ms;

    lock_take(&call->lock);
    for (;;) {
        uint64_t now = call_now_ms(call);
        if (call->is_cancelled || call->is_poked || now >= until)
            break;
        (void)lock_wait_for(&call->lock, &call->changed, (unsigned)(until - now));
    }
    lock_drop(&call->lock);
}

const struct clock clock_system = {
    .now_ms = system_now_ms,
    .wall_s = system_wall_s,
    .wait = system_wait,
};

void call_init(struct call *call, const struct clock *clock, uint64_t budget_ms)
{
    *call = (struct call){.clock = clock};
    lock_init(&call->lock, LOCK_LEAF);
    lock_cond_init(&call->changed);
    uint64_t now = call_now_ms(call);
    call->deadline_ms = now + budget_ms;
    call->next_tick_ms = now + TICK_MS;
}

void call_fini(struct call *call)
{
    pthread_cond_destroy(&call->changed);
    lock_fini(&call->lock);
}

void call_cancel(struct call *call)
{
    lock_take(&call->lock);
    call->is_cancelled = true;
    if (call->wake)
        call->wake(call->wake_arg);
    pthread_cond_broadcast(&call->changed);
    lock_drop(&call->lock);
}

bool call_is_cancelled(struct call *call)
{
    lock_take(&call->lock);
    bool is_cancelled = call->is_cancelled;
    lock_drop(&call->lock);
    return is_cancelled;
}

uint64_t call_now_ms(const struct call *call)
{
    return call->clock->now_ms(call->clock);
}

uint64_t call_left_ms(const struct call *call)
{
    uint64_t now = call_now_ms(call);
    return now < call->deadline_ms ? call->deadline_ms - now : 0;
}

enum sca_status call_tick(struct call *call)
{
    if (call->keep_going && call_now_ms(call) >= call->next_tick_ms) {
        call->next_tick_ms = call_now_ms(call) + TICK_MS;
        if (!call->keep_going(call->keep_going_arg))
            call_cancel(call);
    }
    return call_is_cancelled(call) ? SCA_CANCELLED : SCA_OK;
}

static bool take_poke(struct call *call)
{
    lock_take(&call->lock);
    bool is_poked = call->is_poked;
    call->is_poked = false;
    lock_drop(&call->lock);
    return is_poked;
}

void call_poke(struct call *call)
{
    lock_take(&call->lock);
    call->is_poked = true;
    pthread_cond_broadcast(&call->changed);
    lock_drop(&call->lock);
}

void call_unpoke(struct call *call)
{
    (void)take_poke(call);
}

/* The next moment at which something is to be done. */
static uint64_t next_stop(const struct call *call, uint64_t until)
{
    uint64_t stop = until < call->deadline_ms ? until : call->deadline_ms;

    return call->keep_going && call->next_tick_ms < stop ? call->next_tick_ms : stop;
}

/* until is monotonic; ends_by_poke: and so does a poke, which is nobody else's business. */
static enum sca_status wait_until(struct call *call, uint64_t until, bool ends_by_poke)
{
    for (;;) {
        if (call_tick(call) != SCA_OK)
            return SCA_CANCELLED;
        uint64_t now = call_now_ms(call);
        if (now >= until || (ends_by_poke && take_poke(call)))
            return SCA_OK;
        if (call->is_brief)
            return SCA_PENDING;
        if (now >= call->deadline_ms)
            return SCA_UNCONFIRMED;
        uint64_t stop = next_stop(call, until);
        if (stop > now)
            call->clock->wait(call->clock, call, stop - now);
    }
}

enum sca_status call_wait(struct call *call, uint64_t ms)
{
    return wait_until(call, call_now_ms(call) + ms, false);
}

enum sca_status call_sleep(struct call *call)
{
    return wait_until(call, UINT64_MAX, true);
}

enum sca_status call_set_wake(struct call *call, void (*wake)(void *), void *wake_arg)
{
    lock_take(&call->lock);
    call->wake = wake;
    call->wake_arg = wake_arg;
    bool is_cancelled = call->is_cancelled;
    lock_drop(&call->lock);
    return is_cancelled ? SCA_CANCELLED : SCA_OK;
}

void call_clear_wake(struct call *call)
{
    (void)call_set_wake(call, NULL, NULL);
}

enum sca_status call_fail(struct call *call, enum sca_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(call->note, sizeof(call->note), wording(format), args);
    va_end(args);
    /* A cut note is still a note, but half a letter is no text. */
    size_t end = sizeof(call->note) - 1;
    while (len > (int)end && end > sizeof(call->note) - UTF8_LETTER_MAX &&
           !utf8_is_valid(span_of(call->note, end)))
        call->note[--end] = 0;
    return status;
}
