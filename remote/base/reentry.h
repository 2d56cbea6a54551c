/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls into other libraries that may call this module back on the same thread: OpenSSL loads the
 * host's configuration when it likes, and that may name a provider or engine that loads us. Inside
 * the brackets every entry of the module is refused at once instead of waiting for itself.
 */
#ifndef REMOTE_BASE_REENTRY_H
#define REMOTE_BASE_REENTRY_H

#include <stdbool.h>

void reentry_enter(void);
void reentry_leave(void);

/* Is this thread inside the brackets? */
bool reentry_is_inside(void);

#endif
