/* SPDX-License-Identifier: Apache-2.0 */
/* What a started library is made of: configuration, log, backends, slots, sessions, audit log. The
 * state that says whether it is there is library.c's. */
#ifndef MODULE_TOKEN_LIBRARY_PARTS_H
#define MODULE_TOKEN_LIBRARY_PARTS_H

#include <stdbool.h>

#include "module/cryptoki.h"

/* Everything C_Initialize makes, in order; nothing on failure. */
CK_RV library_parts_start(void);

/* Takes it apart in the reverse order, with no lock held: backends log out, connections close.
 * is_empty: no call is inside any more; otherwise its memory is given up. */
void library_parts_stop(bool is_empty);

/* In a forked child: what was made is the parent's. */
void library_parts_abandon(void);

#endif
