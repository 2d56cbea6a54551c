/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes the tickets of a lane through a transaction. For gather.c. */
#ifndef REMOTE_SMARTCA_LEADER_H
#define REMOTE_SMARTCA_LEADER_H

#include "remote/base/call.h"
#include "remote/base/lock.h"
#include "remote/remote.h"
#include "remote/smartca/journal.h"
#include "remote/smartca/lane.h"

struct gather {
    struct lock lock; /* guards the lanes and all that is in them */
    struct lane *lanes;
};

/* The first five are given; the rest is leader_run's. */
struct leader {
    struct gather *gather;
    struct lane *lane;
    struct call *call;
    const struct remote_asking *asking;
    const struct remote_ticket *own; /* what it came for; in the lane */
    struct remote_credentials credentials;
    struct journal_rules rules;
};

/*
 * Leads the lane, which nobody does, until own has its outcome, or there is nothing more that this
 * call can do: it was cancelled, is out of time, or is brief. Drops the lock meanwhile; own may be
 * done or still waiting afterwards; if nobody is in it any more, the lane is gone then.
 */
enum sca_status leader_run(struct leader *leader) REQUIRES(leader->gather->lock);

#endif
