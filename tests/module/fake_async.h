/* SPDX-License-Identifier: Apache-2.0 */
/* The asynchronous half of the scripted tokens: every one but FAKE_ODD has it, where offered. */
#ifndef TESTS_MODULE_FAKE_ASYNC_H
#define TESTS_MODULE_FAKE_ASYNC_H

#include <stdbool.h>

#include "module/backend/backend.h"
#include "tests/module/fake_backends.h"

extern const struct token_async_ops fake_async_ops;

/* What jobs do from now on. The outcome of a job is the sign_status of struct fake_script, which
 * also holds looks and questions for an id. */
struct fake_async_script {
    bool is_offered;   /* before C_Initialize; FAKE_PHONE shows it among its flags */
    unsigned pendings; /* looks at one job that find nothing */
    enum sca_status begin_status;
    enum sca_status id_status;
    enum sca_status join_status;
};

struct fake_async_counts {
    unsigned begin;
    unsigned poll;
    unsigned get_id;
    unsigned join;
    unsigned keep;
    unsigned live;       /* jobs not yet freed */
    unsigned under_lock; /* calls that came with a lock held */
    unsigned overlapped; /* calls for a job that another thread was in */
};

void fake_async_play(struct fake_async_script script);
struct fake_async_counts fake_async_counted(void);

/* For fake_backends.c. */
void fake_async_reset(void);
void fake_async_abandon(void);
bool fake_async_is_offered(void);

/* From there: the script, a wait as it says, and what fake_last_job tells. */
struct fake_script fake_script_now(void);
enum sca_status fake_hold(struct call *call);
void fake_remember(const struct sign_job *job);

#endif
