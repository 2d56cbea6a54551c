/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_TOKEN_EVENT_H
#define MODULE_TOKEN_EVENT_H

#include <stdbool.h>

/* There is an event, or C_Finalize has begun: whoever is in C_WaitForSlotEvent looks. */
void event_wake(void);

/* C_Finalize; may_close: no thread waits any more. */
void event_stop(bool may_close);

/* In a forked child: the waiters stayed with the parent. */
void event_abandon(void);

#endif
