/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fork, and other vendors' modules. They have locks, and seldom a handler for fork: a lock that
 * another thread held then is held for ever in the child, and the first call there hangs. So a fork
 * waits a moment until nobody is inside, and what somebody is in even then the child leaves alone.
 */
#ifndef MODULE_BACKEND_INNER_FORK_H
#define MODULE_BACKEND_INNER_FORK_H

#include <stdatomic.h>
#include <stdbool.h>

struct inner;

/* Before the first module is called. False: forks cannot be watched. */
bool inner_fork_watch(void);

/* Around what is done in the module: marks it as in use, when no thread forks any more, and at the
 * latest after 300 ms. */
void inner_fork_step_in(struct inner *inner);
void inner_fork_step_out(struct inner *inner);

/* The same for what one thread does at a time; false: somebody else is at it. Its caller resets the
 * mark. */
bool inner_fork_claim(struct inner *inner, atomic_bool *mark);

#endif
