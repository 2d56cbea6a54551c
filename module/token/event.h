/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_TOKEN_EVENT_H
#define MODULE_TOKEN_EVENT_H

/* C_Finalize: every thread in C_WaitForSlotEvent leaves it. */
void event_wake_all(void);

/* In a forked child: the waiters stayed with the parent. */
void event_abandon(void);

#endif
