/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/inner.h"

#include <stdio.h>
#include <stdlib.h>

#include "module/backend/inner_fork.h"
#include "module/backend/inner_load.h"
#include "remote/base/cleanup.h"
#include "remote/base/reentry.h"

/* All that were ever loaded, newest first; only added to. */
static struct inner *_Atomic all;

static const char ours[] = "it is this module, or one that loads it";
static const char lost[] = "another thread was using it when this process was forked";
static const char ending[] = "the process ends";
static const char unwatched[] = "the end of the process cannot be watched";

static void set_up(struct inner *inner)
{
    atomic_store(&inner->is_starting, false);
    atomic_store(&inner->state, INNER_OFF);
    atomic_store(&inner->is_changing, false);
    atomic_store(&inner->inside, 0);
    atomic_store(&inner->logins, 0);
    atomic_fetch_add(&inner->generation, 1);
    lock_init(&inner->lock, LOCK_LEAF);
    lock_cond_init(&inner->changed);
}

void inner_abandon(void)
{
    for (struct inner *inner = atomic_load(&all); inner; inner = inner->next) {
        inner->is_lost = inner->is_lost || atomic_load(&inner->is_held);
        set_up(inner);
    }
}

struct inner *inner_first(void)
{
    return atomic_load(&all);
}

static struct inner *find(const struct library_file *file)
{
    for (struct inner *inner = atomic_load(&all); inner; inner = inner->next)
        if (inner->file.device == file->device && inner->file.inode == file->inode)
            return inner;
    return NULL;
}

/* Calls its C_Initialize, by one thread at a time; nobody waits for one that does not come back. */
static enum sca_status start(struct inner *inner, char why[INNER_WHY_SIZE])
{
    if (inner->is_refused || inner->is_lost || !inner_fork_claim(inner, &inner->is_starting)) {
        (void)snprintf(why, INNER_WHY_SIZE, "%s",
                       inner->is_refused ? ours
                       : inner->is_lost  ? lost
                                         : "a C_Initialize of it has not returned yet");
        return SCA_INVALID;
    }
    if (inner_is_exiting()) {
        atomic_store(&inner->is_starting, false);
        (void)snprintf(why, INNER_WHY_SIZE, "%s", ending);
        return SCA_INVALID;
    }
    reentry_enter();
    CK_RV rv = inner_initialize(inner);
    reentry_leave();
    atomic_store(&inner->is_starting, false);
    if (rv != CKR_OK) {
        (void)snprintf(why, INNER_WHY_SIZE, "its C_Initialize says 0x%lx", rv);
        return SCA_INVALID;
    }
    atomic_store(&inner->state, INNER_READY);
    return SCA_OK;
}

static void inner_free(struct inner *inner)
{
    library_file_fini(&inner->file);
    pthread_cond_destroy(&inner->changed);
    lock_fini(&inner->lock);
    free(inner);
}

static enum sca_status load(struct library_file *take_file, struct inner **ret_inner,
                            char why[INNER_WHY_SIZE])
{
    struct inner *inner = calloc(1, sizeof(*inner));
    if (!inner) {
        library_file_fini(take_file);
        return SCA_NOMEM;
    }
    inner->file = *take_file;
    set_up(inner);
    reentry_enter();
    enum sca_status st = inner_load(inner, why);
    reentry_leave();
    if (st != SCA_OK) {
        inner_free(inner);
        return st;
    }
    inner->next = atomic_load(&all);
    while (!atomic_compare_exchange_weak(&all, &inner->next, inner))
        continue;
    *ret_inner = inner;
    return SCA_OK;
}

/* It is asked once who it is, and its end is watched; before that no token of it is shown. */
static enum sca_status introduce(struct inner *inner, char why[INNER_WHY_SIZE])
{
    const char *reason = NULL;

    inner_fork_step_in(inner);
    reentry_enter();
    if (inner_is_exiting())
        reason = ending;
    else if (inner_is_ours(inner))
        reason = ours;
    else if (!inner_watch_exit())
        reason = unwatched;
    if (reason == ours || reason == unwatched)
        (void)inner_finalize(inner);
    reentry_leave();
    inner_fork_step_out(inner);
    if (reason) {
        atomic_store(&inner->state, INNER_OFF);
        inner->is_refused = reason == ours;
        (void)snprintf(why, INNER_WHY_SIZE, "%s", reason);
        return SCA_INVALID;
    }
    return SCA_OK;
}

enum sca_status inner_open(const char *path, struct inner **ret_inner, char why[INNER_WHY_SIZE])
{
    AUTO(library_file_fini) struct library_file file = {.path = NULL};
    const char *reason = NULL;

    enum sca_status st = library_file_check(path, &file, &reason);
    if (st == SCA_OK && inner_file_is_ours(&file)) {
        reason = ours;
        st = SCA_INVALID;
    }
    if (st != SCA_OK) {
        (void)snprintf(why, INNER_WHY_SIZE, "%s", reason ? reason : sca_status_name(st));
        return st == SCA_NOMEM ? st : SCA_INVALID;
    }
    struct inner *inner = find(&file);
    if (!inner && !inner_fork_watch()) {
        (void)snprintf(why, INNER_WHY_SIZE, "forks cannot be watched");
        return SCA_INVALID;
    }
    if (!inner) {
        struct library_file taken = file;
        file.path = NULL;
        st = load(&taken, &inner, why);
    }
    if (st != SCA_OK || !inner)
        return st;
    if (atomic_load(&inner->state) == INNER_OFF) {
        st = start(inner, why);
        if (st == SCA_OK)
            st = introduce(inner, why);
    }
    if (st == SCA_OK)
        *ret_inner = inner;
    return st;
}
