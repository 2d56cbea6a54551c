/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fork, and other vendors' modules. They have locks, and seldom a handler for fork: a lock that
 * another thread held then is held for ever in the child, and the first call there hangs. So a fork
 * waits a moment until nobody is inside, and what somebody is in even then the child leaves alone.
 */
#ifndef MODULE_BACKEND_INNER_FORK_H
#define MODULE_BACKEND_INNER_FORK_H

#include <stdbool.h>

/* Before the first module is called. False: forks cannot be watched. */
bool inner_fork_watch(void);

/* Is a thread forking? Who has marked a module as in use since looks here, and goes back. */
bool inner_fork_is_near(void);

/*
 * Until no thread forks any more. Not with a module marked as in use: the fork waits for that.
 * False: forks have gone on for so long that the caller goes in all the same, and marks the module
 * as held (the thread that forks may be waiting for a lock of the host's that the caller has).
 */
bool inner_fork_wait(void);

#endif
