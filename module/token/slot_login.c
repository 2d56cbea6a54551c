/* SPDX-License-Identifier: Apache-2.0 */
/* Who is logged in to a slot's token, and how many sessions hold that up. */
#include "module/token/failure.h"
#include "module/token/slot.h"

bool slot_is_writable(const struct slot *slot)
{
    return slot->token->ops->write != NULL;
}

enum slot_login slot_login_state(struct slot *slot)
{
    lock_take(&slot->lock);
    enum slot_login login = slot->login;
    lock_drop(&slot->lock);
    return login;
}

/* Do the token's objects change while a program looks on? */
static bool is_read_again(const struct slot *slot)
{
    return slot_is_writable(slot) || slot->token->is_foreign;
}

/* What such a token lists may depend on who is logged in. */
static void set_login_locked(struct slot *slot, enum slot_login login, struct snapshot **ret_old)
    REQUIRES(slot->lock)
{
    slot->login = login;
    if (is_read_again(slot))
        slot_forget_objects_locked(slot, ret_old);
}

static void tell_backend(struct slot *slot)
{
    if (slot->token->ops->logout)
        slot->token->ops->logout(slot->token);
}

CK_RV slot_enter(struct slot *slot, enum slot_login login)
{
    struct snapshot *old = NULL;
    CK_RV rv = CKR_OK;

    lock_take(&slot->lock);
    if (slot->sessions == 0)
        rv = CKR_SESSION_CLOSED;         /* the last one went while the PIN was looked at */
    else if (slot->login != SLOT_PUBLIC) /* another thread was faster */
        rv = slot->login == login ? CKR_USER_ALREADY_LOGGED_IN : CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    else if (login == SLOT_SO && slot->sessions > slot->rw_sessions)
        rv = CKR_SESSION_READ_ONLY_EXISTS; /* opened while the PIN was looked at */
    else
        set_login_locked(slot, login, &old);
    if (rv == CKR_OK)
        atomic_fetch_add(&slot->logins, 1);
    lock_drop(&slot->lock);
    snapshot_unref(old);
    if (rv == CKR_SESSION_CLOSED || rv == CKR_SESSION_READ_ONLY_EXISTS)
        tell_backend(slot);
    return rv;
}

uint64_t slot_login_number(struct slot *slot)
{
    return atomic_load(&slot->logins);
}

/* number: NULL for whichever login it is. False when there is none. */
static bool leave(struct slot *slot, const uint64_t *number)
{
    struct snapshot *old = NULL;

    lock_take(&slot->lock);
    bool is_meant =
        slot->login != SLOT_PUBLIC && (!number || *number == atomic_load(&slot->logins));
    if (is_meant)
        set_login_locked(slot, SLOT_PUBLIC, &old);
    lock_drop(&slot->lock);
    snapshot_unref(old);
    if (is_meant)
        tell_backend(slot);
    return is_meant;
}

CK_RV slot_logout(struct slot *slot)
{
    return leave(slot, NULL) ? CKR_OK : CKR_USER_NOT_LOGGED_IN;
}

void slot_logout_if(struct slot *slot, uint64_t number)
{
    (void)leave(slot, &number);
}

CK_RV slot_count_in(struct slot *slot, bool is_rw)
{
    CK_RV rv = CKR_OK;
    lock_take(&slot->lock);
    if (slot->is_being_made) {
        rv = failure(CKR_FUNCTION_FAILED, "the token is just being initialised");
    } else if (slot->login == SLOT_SO && !is_rw) {
        rv = CKR_SESSION_READ_WRITE_SO_EXISTS;
    } else {
        slot->sessions++;
        slot->rw_sessions += is_rw;
    }
    lock_drop(&slot->lock);
    return rv;
}

/* The last session of a token takes the login with it (2.40 section 5.6, C_CloseSession). */
void slot_count_out(struct slot *slot, bool is_rw)
{
    struct snapshot *old = NULL;

    lock_take(&slot->lock);
    slot->sessions--;
    slot->rw_sessions -= is_rw;
    /* In one step: a session opened from here on starts logged out, and its login stays. */
    bool takes_login = slot->sessions == 0 && slot->login != SLOT_PUBLIC;
    if (takes_login)
        set_login_locked(slot, SLOT_PUBLIC, &old);
    else if (slot->sessions == 0 && is_read_again(slot))
        slot_forget_objects_locked(slot, &old); /* ten thousand slots listed are not all kept */
    lock_drop(&slot->lock);
    snapshot_unref(old);
    if (takes_login)
        tell_backend(slot);
}
