/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to ask again, and when to stop: quick while the phone is still in the hand, slower the
 * longer it takes, with growing distance after failures, never sooner than the service wants. Pure;
 * all times are monotonic milliseconds.
 */
#ifndef REMOTE_SMARTCA_SCHEDULE_H
#define REMOTE_SMARTCA_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    uint64_t interval_ms;   /* poll_interval */
    uint64_t deadline_ms;   /* the call's, or the service's if that is sooner */
    uint64_t margin_ms;     /* the last question is asked so long before it */
    uint64_t not_before_ms; /* what Retry-After said */
    uint64_t pause_ms;      /* before the next step; 0 at first */
    uint64_t started_ms;    /* the first poll's pause began then; 0: not yet */
    uint64_t poll_ms;       /* the pause between polls given last */
    uint64_t backoff_ms;    /* the next pause after a failure, without jitter */
    uint32_t noise;         /* state of the jitter, never 0 */
};

void schedule_init(struct schedule *schedule, uint64_t interval_ms, uint64_t now_ms,
                   uint64_t deadline_ms, uint32_t seed);

/* The next step follows at once; as a poll, after "waiting"; after no answer or an empty promise.
 */
void schedule_at_once(struct schedule *schedule);
void schedule_poll(struct schedule *schedule, uint64_t now_ms);
void schedule_backoff(struct schedule *schedule);

/* What the service asks for: no question before, no hope after so many milliseconds. 0: nothing. */
void schedule_hint(struct schedule *schedule, uint64_t now_ms, uint64_t retry_after_ms);
void schedule_expiry(struct schedule *schedule, uint64_t now_ms, uint64_t expires_in_ms);

/* How long to wait now. True: then do the next step. False: then the time is over. */
bool schedule_next(const struct schedule *schedule, uint64_t now_ms, uint64_t *ret_wait_ms);

#endif
