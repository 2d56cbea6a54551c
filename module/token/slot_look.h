/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for what has changed: tokens that came into a slot or went, and slots that are new. One
 * thread looks at a time, with no lock held; what it finds becomes an event of the slot.
 */
#ifndef MODULE_TOKEN_SLOT_LOOK_H
#define MODULE_TOKEN_SLOT_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "module/backend/backend.h"
#include "module/cryptoki.h"

/* Takes in what the backends (borrowed) know without network. */
enum sca_status slot_look_start(struct backends *backends);
void slot_look_stop(void);
void slot_look_abandon(void);

/*
 * The first list of slots fetches accounts that were never fetched; callers that come meanwhile
 * wait for it, because an empty list would be believed. Nothing the second time. SCA_NOMEM: there
 * was no memory for what there is, and the next list begins anew.
 */
enum sca_status slot_look_first(void);

/*
 * The same for a program that had a list before C_Finalize or fork() and now comes with an id of
 * it, as libp11 does in nginx's workers: another vendor's token has no slot before the first list.
 * Nothing where there never was a list, so that an id that is only wrong costs nothing.
 */
void slot_look_first_again(void);

/*
 * Takes in what has changed; costs one stat where nothing has (see backends_have_changed), and not
 * even that when the last look was a moment ago, unless it is to be thorough. Sessions of a token
 * that has gone are closed. SCA_NOMEM: the next look takes it in.
 */
enum sca_status slot_look(bool is_thorough);

/* The next look is one, however short ago the last was. */
void slot_look_forget_pace(void);

/* Has a slot an event that nobody was told yet? Then this caller was. */
bool slot_take_event(CK_SLOT_ID *ret_id);

/* How often to look while waiting, milliseconds; 0: the folders tell. */
unsigned slot_look_poll_ms(void);

/* The folders in which changes show; NULL behind the last. */
const char *slot_look_folder(size_t index);

#endif
