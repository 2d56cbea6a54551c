/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/slot_look.h"

#include <stdlib.h>
#include <time.h>

#include "module/token/event.h"
#include "module/token/handlers.h"
#include "module/token/library.h"
#include "module/token/slot_table.h"
#include "remote/base/cleanup.h"

enum { LOOK_EVERY_MS = 50 };

static struct {
    struct backends *_Atomic backends;
    struct token_list tokens; /* owns all there ever were, also those that no slot has any more */
    struct lock lock;         /* guards is_busy */
    pthread_cond_t idle;
    bool is_busy; /* a thread is looking: table and tokens are its own */
    atomic_bool is_discovered;
    atomic_bool had_list;    /* once, before a C_Finalize or in the parent, too */
    atomic_bool is_stale;    /* there is more than the backends' files tell */
    _Atomic int64_t last_ms; /* when that was asked last, by a monotonic clock */
    atomic_uint events;      /* slots with has_event, or one more for a moment */
} look;

/* The tokens that slots have, in the order of the table, and which of them were empty slots. */
struct known {
    struct token_list list;
    bool *was_spare;
};

static void known_fini(struct known *known)
{
    free(known->list.items); /* the tokens are not its own */
    free(known->was_spare);
}

static enum sca_status known_init(struct known *known, const struct slot_table *table)
{
    size_t count = table ? table->count : 0;

    known->list.items = calloc(count + 1, sizeof(struct token *));
    known->was_spare = calloc(count + 1, sizeof(*known->was_spare));
    if (!known->list.items || !known->was_spare)
        return SCA_NOMEM;
    for (size_t i = 0; i < count; i++) {
        known->list.items[i] = table->slots[i]->token;
        known->was_spare[i] = known->list.items[i]->is_spare;
    }
    known->list.count = count;
    return SCA_OK;
}

static void add_event(struct slot *slot)
{
    atomic_fetch_add(&look.events, 1); /* first: whoever takes it counts it out */
    if (atomic_exchange(&slot->has_event, true))
        atomic_fetch_sub(&look.events, 1);
}

bool slot_take_event(CK_SLOT_ID *ret_id)
{
    const struct slot_table *table = slot_table_now();

    if (!table || atomic_load(&look.events) == 0)
        return false;
    for (size_t i = 0; i < table->count; i++) {
        struct slot *slot = table->slots[i];
        if (!atomic_load(&slot->has_event) || !atomic_exchange(&slot->has_event, false))
            continue;
        atomic_fetch_sub(&look.events, 1);
        /* The list that the application asks for next has it, whichever way it asks. */
        atomic_store(&slot->is_listed, true);
        *ret_id = slot->id;
        return true;
    }
    return false;
}

/* A session that is just being opened looks at is_present when others can find it: either it sees
 * that the token has gone, or it is closed here. */
static void leave(struct slot *slot)
{
    atomic_store(&slot->is_present, false);
    (void)session_close_all(slot->id);
    slot_forget_objects(slot);
}

/* Tokens that were known: gone, back again, or made from the empty slot by another process. */
static void settle_known(const struct slot_table *table, const struct known *known, bool is_quiet)
{
    for (size_t i = 0; i < known->list.count; i++) {
        struct slot *slot = table->slots[i];
        const struct token *token = known->list.items[i];
        bool is_present = token->is_present && !token->is_gone;
        bool has_moved = is_present != atomic_load(&slot->is_present);

        if (has_moved && is_present)
            atomic_store(&slot->is_present, true);
        else if (has_moved)
            leave(slot);
        if (!is_quiet && (has_moved || (known->was_spare[i] && !token->is_spare)))
            add_event(slot);
    }
}

/* A token for a slot that was shown empty. False: there is no such slot. */
static bool move_in(struct token *token, bool is_quiet)
{
    struct slot *slot = slot_table_find(token->slot_id);

    if (!slot)
        return false;
    atomic_store(&slot->token, token);
    slot_forget_objects(slot);
    atomic_store(&slot->is_present, token->is_present);
    if (!is_quiet)
        add_event(slot);
    return true;
}

/* The new empty slot is no event: it only takes the place of the one that was used. */
static enum sca_status place(struct token *const *tokens, size_t count, bool is_quiet)
{
    AUTO(freep) struct token **homeless = calloc(count + 1, sizeof(struct token *));
    size_t homeless_count = 0;

    if (!homeless)
        return SCA_NOMEM;
    for (size_t i = 0; i < count; i++)
        if (!move_in(tokens[i], is_quiet))
            homeless[homeless_count++] = tokens[i];
    enum sca_status st =
        homeless_count ? slot_table_add(homeless, homeless_count, is_quiet) : SCA_OK;
    for (size_t i = 0; !is_quiet && i < homeless_count; i++) {
        struct slot *slot = slot_table_find(homeless[i]->slot_id);
        if (slot && !homeless[i]->is_spare)
            add_event(slot);
    }
    return st;
}

/* C_Finalize has not waited for this thread (see slot_look_abandon). */
static bool is_given_up(struct backends *backends)
{
    return look.backends != backends;
}

/* Takes in what the backends know now. Quietly: what they knew, or were asked for, from the first
 * is no event. */
static enum sca_status take_in(bool is_quiet)
{
    AUTO(known_fini) struct known known = {.was_spare = NULL};
    const struct slot_table *table = slot_table_now();
    struct token_list fresh = {0};
    struct backends *backends = look.backends;
    size_t before = look.tokens.count;

    atomic_store(&look.is_stale, false);
    enum sca_status st = known_init(&known, table);
    if (st == SCA_OK)
        st = backends_tokens(backends, &known.list, &fresh);
    if (is_given_up(backends))
        return SCA_CANCELLED; /* nothing here is ours any more, nor anybody's */
    for (size_t i = 0; i < fresh.count && st == SCA_OK; i++) {
        st = token_list_add(&look.tokens, fresh.items[i]);
        fresh.items[i] = NULL;
    }
    token_list_fini(&fresh);
    if (st != SCA_OK)
        return st;
    settle_known(table, &known, is_quiet);
    /* Only tokens that the list owns for good get slots. */
    if (look.tokens.count > before)
        st = place(look.tokens.items + before, look.tokens.count - before, is_quiet);
    if (atomic_load(&look.events))
        event_wake();
    return st;
}

enum sca_status slot_look_start(struct backends *backends)
{
    slot_look_forget_pace();
    lock_init(&look.lock, LOCK_LIBRARY);
    lock_cond_init(&look.idle);
    look.is_busy = false;
    look.backends = backends;
    atomic_store(&look.is_discovered, false);
    atomic_store(&look.events, 0);
    return take_in(true);
}

void slot_look_stop(void)
{
    token_list_fini(&look.tokens);
    pthread_cond_destroy(&look.idle);
    lock_fini(&look.lock);
}

void slot_look_abandon(void)
{
    look.tokens = (struct token_list){0};
    look.backends = NULL;
}

/* struct call.keep_going: C_Finalize ends the fetching within a second. */
static bool is_wanted(void *nothing)
{
    (void)nothing;
    return !library_is_finishing();
}

/* Makes the calling thread the one that looks; false when C_Finalize has come. */
static bool claim(struct backends **ret_backends)
{
    lock_take(&look.lock);
    while (look.is_busy && !library_is_finishing())
        (void)lock_wait_for(&look.lock, &look.idle, 100);
    bool is_ours = !look.is_busy;
    if (is_ours) {
        look.is_busy = true;
        *ret_backends = look.backends;
    }
    lock_drop(&look.lock);
    return is_ours;
}

static void give_back(struct backends *backends)
{
    if (is_given_up(backends))
        return;
    lock_take(&look.lock);
    look.is_busy = false;
    pthread_cond_broadcast(&look.idle);
    lock_drop(&look.lock);
}

enum sca_status slot_look_first(void)
{
    struct backends *backends = NULL;
    enum sca_status st = SCA_OK;
    bool has_more = false;

    if (atomic_load(&look.is_discovered) || !claim(&backends))
        return SCA_OK;
    if (!atomic_load(&look.is_discovered)) {
        st = backends_discover(backends, is_wanted, &has_more);
        if (st == SCA_OK && has_more && !is_given_up(backends))
            st = take_in(true);
        if (st != SCA_NOMEM && !is_given_up(backends))
            atomic_store(&look.is_discovered, true);
        atomic_store(&look.had_list, true);
    }
    give_back(backends);
    return st;
}

void slot_look_first_again(void)
{
    if (atomic_load(&look.had_list))
        (void)slot_look_first();
}

static bool is_worth_it(bool is_thorough)
{
    struct backends *backends = look.backends;
    return atomic_load(&look.is_stale) ||
           (backends && backends_have_changed(backends, is_thorough));
}

/* A program that lists the slots over and over shall not pay for a system call each time. */
static bool was_just_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* without a system call */
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (now_ms - atomic_load(&look.last_ms) < LOOK_EVERY_MS && !atomic_load(&look.is_stale))
        return true;
    atomic_store(&look.last_ms, now_ms);
    return false;
}

void slot_look_forget_pace(void)
{
    atomic_store(&look.last_ms, 0);
}

enum sca_status slot_look(bool is_thorough)
{
    struct backends *backends = NULL;
    enum sca_status st = SCA_OK;

    if (!is_thorough && was_just_now())
        return SCA_OK;
    if (!is_worth_it(is_thorough) || !claim(&backends))
        return SCA_OK;
    /* Again: another thread may have looked meanwhile. Without memory, the next look tries. */
    if (is_worth_it(is_thorough))
        st = take_in(false);
    if (st != SCA_OK)
        atomic_store(&look.is_stale, true);
    give_back(backends);
    return st;
}

void slot_expect_new(void)
{
    atomic_store(&look.is_stale, true);
}

unsigned slot_look_poll_ms(void)
{
    struct backends *backends = look.backends;
    return backends ? backends_poll_ms(backends) : 0;
}

const char *slot_look_folder(size_t index)
{
    struct backends *backends = look.backends;
    return backends ? backends_folder(backends, index) : NULL;
}
