/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/schedule.h"

enum {
    FIRST_POLL_MS = 500,
    PATIENCE_MS = 60 * 1000, /* who has not confirmed by then does something else first */
    SLOW_POLL_MAX_MS = 5000,
    FIRST_BACKOFF_MS = 500,
    BACKOFF_MAX_MS = 5000,
    JITTER_PERCENT = 20, /* to either side, so that many clients do not return together */
    MARGIN_MS = 250,     /* one round trip */
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void schedule_init(struct schedule *schedule, uint64_t interval_ms, uint64_t now_ms,
                   uint64_t deadline_ms, uint32_t seed)
{
    uint64_t budget = deadline_ms > now_ms ? deadline_ms - now_ms : 0;

    *schedule = (struct schedule){
        .interval_ms = interval_ms,
        .deadline_ms = deadline_ms,
        .margin_ms = least(budget / 4, MARGIN_MS),
        .backoff_ms = FIRST_BACKOFF_MS,
        .noise = seed ? seed : 1,
    };
}

void schedule_at_once(struct schedule *schedule)
{
    schedule->pause_ms = 0;
}

static uint64_t ceiling_ms(const struct schedule *schedule, uint64_t now_ms)
{
    uint64_t slow = least(schedule->interval_ms * 5 / 2, SLOW_POLL_MAX_MS);

    if (now_ms - schedule->started_ms < PATIENCE_MS || slow < schedule->interval_ms)
        return schedule->interval_ms;
    return slow;
}

void schedule_poll(struct schedule *schedule, uint64_t now_ms)
{
    schedule->backoff_ms = FIRST_BACKOFF_MS;
    if (schedule->started_ms == 0) {
        schedule->started_ms = now_ms ? now_ms : 1;
        schedule->poll_ms = least(FIRST_POLL_MS, schedule->interval_ms);
    } else {
        schedule->poll_ms = least(schedule->poll_ms * 3 / 2, ceiling_ms(schedule, now_ms));
    }
    schedule->pause_ms = schedule->poll_ms;
}

/* xorshift32: no more is asked of a jitter. */
static uint32_t noise(struct schedule *schedule)
{
    schedule->noise ^= schedule->noise << 13;
    schedule->noise ^= schedule->noise >> 17;
    schedule->noise ^= schedule->noise << 5;
    return schedule->noise;
}

void schedule_backoff(struct schedule *schedule)
{
    uint64_t percent = 100 - JITTER_PERCENT + noise(schedule) % (2 * JITTER_PERCENT + 1);

    schedule->pause_ms = schedule->backoff_ms * percent / 100;
    schedule->backoff_ms = least(schedule->backoff_ms * 3 / 2, BACKOFF_MAX_MS);
}

void schedule_hint(struct schedule *schedule, uint64_t now_ms, uint64_t retry_after_ms)
{
    if (retry_after_ms > 0)
        schedule->not_before_ms = now_ms + retry_after_ms;
}

void schedule_expiry(struct schedule *schedule, uint64_t now_ms, uint64_t expires_in_ms)
{
    if (expires_in_ms > 0 && now_ms < schedule->deadline_ms)
        schedule->deadline_ms = now_ms + least(expires_in_ms, schedule->deadline_ms - now_ms);
}

bool schedule_next(const struct schedule *schedule, uint64_t now_ms, uint64_t *ret_wait_ms)
{
    uint64_t last = schedule->deadline_ms - least(schedule->margin_ms, schedule->deadline_ms);
    uint64_t at = least(now_ms + schedule->pause_ms, last);

    if (at < schedule->not_before_ms)
        at = schedule->not_before_ms;
    *ret_wait_ms = at > now_ms ? at - now_ms : 0;
    if (now_ms >= last) {
        *ret_wait_ms = 0;
        return false;
    }
    if (at < schedule->deadline_ms)
        return true;
    *ret_wait_ms = schedule->deadline_ms - now_ms;
    return false;
}
