/* SPDX-License-Identifier: Apache-2.0 */
/* One at a time, among all threads and processes: a lock on a file, waited for with a call. */
#ifndef REMOTE_KEYSTORE_TURN_H
#define REMOTE_KEYSTORE_TURN_H

#include "remote/base/call.h"
#include "remote/base/status.h"

/*
 * Takes the lock dir/name (the file is created), waiting up to wait_ms or the call's deadline. It
 * ends with turn_endp, or with the process. SCA_CANCELLED; SCA_IO when it cannot be had in time
 * or at all, with a note in call.
 */
enum sca_status turn_take(const char *dir, const char *name, struct call *call, unsigned wait_ms,
                          int *ret_turn);

/* AUTO(turn_endp) int turn = -1. */
void turn_endp(int *turn);

#endif
