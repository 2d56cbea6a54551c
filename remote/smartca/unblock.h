/* SPDX-License-Identifier: Apache-2.0 */
/* A confirmation that keeps others waiting, and that nobody looks at any more. */
#ifndef REMOTE_SMARTCA_UNBLOCK_H
#define REMOTE_SMARTCA_UNBLOCK_H

#include "remote/base/call.h"
#include "remote/remote.h"
#include "remote/smartca/journal.h"

/*
 * For a process whose turn does not come: asks the service for the open confirmations of asking's
 * identity, once each, and parks those in the journal that no person is asked for any more. Whoever
 * began one (a program with an asynchronous signature that it does not ask for, one that was
 * stopped) finds it there as before. Best effort, within a few seconds and the call's deadline; the
 * call's note and device_error stay as they are.
 */
void unblock(const struct remote_asking *asking, const struct journal_rules *rules,
             struct call *call);

#endif
