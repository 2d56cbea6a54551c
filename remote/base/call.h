/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_BASE_CALL_H
#define REMOTE_BASE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/base/clock.h"
#include "remote/base/lock.h"
#include "remote/base/status.h"

/*
 * One call of an application on its way through the layers: how long it may take, whether it was
 * cancelled, whom to tell that it still waits, and why it failed. Everything that waits below a
 * call does so through call_wait or a transport that honours the same fields.
 *
 * Owned by the thread that makes the call; call_cancel and call_poke are what another thread may
 * use.
 */
struct call {
    const struct clock *clock;
    uint64_t deadline_ms; /* monotonic; no wait below this call goes on after it */

    /* Runs about once a second on the calling thread while it waits, with no lock held;
     * false gives the call up (CKN_SURRENDER answered with CKR_CANCEL). May be NULL. */
    bool (*keep_going)(void *keep_going_arg);
    void *keep_going_arg;
    uint64_t next_tick_ms;

    bool is_brief; /* never waits for a person: call_wait says SCA_PENDING at once */

    struct lock lock; /* guards the five below */
    pthread_cond_t changed;
    bool is_cancelled;
    bool is_poked;
    void (*wake)(void *wake_arg); /* interrupts a transport in progress */
    void *wake_arg;

    char transaction[40];       /* the service's transaction that it became, or "" */
    unsigned long device_error; /* what CK_SESSION_INFO.ulDeviceError will say */
    char note[384];             /* why it failed and what to do next, for one log line */
};

/* budget_ms counts from now. */
void call_init(struct call *call, const struct clock *clock, uint64_t budget_ms);
void call_fini(struct call *call);

/* From any thread: ends every wait of the call at once. */
void call_cancel(struct call *call);
bool call_is_cancelled(struct call *call);

uint64_t call_now_ms(const struct call *call);

/* Milliseconds until the deadline, 0 when it has passed. */
uint64_t call_left_ms(const struct call *call);

/*
 * Waits ms milliseconds on the calling thread. SCA_CANCELLED when the call was cancelled or given
 * up meanwhile, SCA_UNCONFIRMED when the deadline came first, SCA_PENDING for a brief call that
 * would have to wait, else SCA_OK.
 */
enum sca_status call_wait(struct call *call, uint64_t ms);

/*
 * The same until another thread pokes the call, to the deadline at most. call_poke may come first:
 * the next sleep then ends at once. call_unpoke forgets it: before anything else is waited for.
 */
enum sca_status call_sleep(struct call *call);
void call_poke(struct call *call);
void call_unpoke(struct call *call);

/* To be called often by a transport: asks keep_going when a second has passed. SCA_OK or
 * SCA_CANCELLED. */
enum sca_status call_tick(struct call *call);

/* While wake is set, call_cancel calls it. SCA_CANCELLED if that already happened. */
enum sca_status call_set_wake(struct call *call, void (*wake)(void *), void *wake_arg);
void call_clear_wake(struct call *call);

/* Writes the note and returns status, so that a failure is one line where it is known. */
enum sca_status call_fail(struct call *call, enum sca_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
