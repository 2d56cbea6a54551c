/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module between C_Initialize and C_Finalize: what is initialised, in which process, how many
 * calls are inside. The struct behind it is static and never freed, because C_Finalize may come
 * from an exit handler while other threads are still in here.
 */
#ifndef MODULE_TOKEN_LIBRARY_H
#define MODULE_TOKEN_LIBRARY_H

#include <stdbool.h>

/* Counts a call in; false if the module is not initialised in this process, or is called by itself.
 */
bool library_enter(void);
void library_leave(void);

/* True from the start of C_Finalize: what waits must stop waiting. */
bool library_is_finishing(void);

#endif
