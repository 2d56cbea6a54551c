/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting in a session: interrupted by other threads, kept going by the application's callback. */
#include "module/backend/backend.h"
#include "module/token/handlers.h"
#include "module/token/library.h"
#include "module/token/session.h"
#include "remote/base/cleanup.h"
#include "remote/base/reentry.h"

static _Thread_local unsigned notifying;

bool session_is_notifying(void)
{
    return notifying > 0;
}

void session_forget_notifying(void)
{
    notifying = 0;
}

/* CKN_SURRENDER (2.40 section 5.16): the application may look after itself, or give up. */
static bool ask_application(void *session)
{
    struct session *s = session;

    unsigned before = notifying;
    notifying = before + 1;
    reentry_leave(); /* the callback may call us */
    CK_RV rv = s->notify(s->handle, CKN_SURRENDER, s->application);
    reentry_enter();
    notifying = before;
    if (rv != CKR_CANCEL)
        return true;
    lock_take(&s->lock);
    if (s->interrupted == CKR_OK)
        s->interrupted = CKR_FUNCTION_CANCELED;
    lock_drop(&s->lock);
    return false;
}

/* What happened between the start of the call and its wait must not get lost. */
static CK_RV interruption_so_far_locked(const struct session *s) REQUIRES(s->lock)
{
    if (library_is_finishing())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (s->is_closed)
        return CKR_SESSION_CLOSED;
    return s->operation.is_cancelled ? CKR_FUNCTION_CANCELED : CKR_OK;
}

CK_RV session_wait_begin(struct session *s, struct call *call)
{
    if (s->notify) {
        call->keep_going = ask_application;
        call->keep_going_arg = s;
    }
    lock_take(&s->lock);
    if (s->waiting) {
        lock_drop(&s->lock);
        return CKR_OPERATION_ACTIVE; /* another thread waits in this session */
    }
    s->waiting = call;
    s->interrupted = CKR_OK;
    CK_RV already = interruption_so_far_locked(s);
    if (already != CKR_OK)
        session_interrupt_locked(s, already);
    lock_drop(&s->lock);
    reentry_enter();
    return CKR_OK;
}

CK_RV session_wait_end(struct session *s, struct call *call, CK_RV rv)
{
    reentry_leave();
    lock_take(&s->lock);
    s->waiting = NULL;
    s->device_error = rv == CKR_OK ? 0 : call->device_error;
    CK_RV interrupted = s->interrupted;
    lock_drop(&s->lock);
    return rv == CKR_FUNCTION_CANCELED && interrupted != CKR_OK ? interrupted : rv;
}

void session_interrupt_locked(struct session *s, CK_RV rv)
{
    if (!s->waiting)
        return;
    if (s->interrupted == CKR_OK)
        s->interrupted = rv;
    call_cancel(s->waiting);
}

CK_RV session_cancel(struct session *s, CK_FLAGS flags)
{
    static const struct {
        CK_FLAGS flag;
        enum operation_kind kind;
    } kinds[] = {
        {CKF_FIND_OBJECTS, OPERATION_FIND},
        {CKF_DIGEST, OPERATION_DIGEST},
        {CKF_SIGN, OPERATION_SIGN},
        {CKF_SIGN_RECOVER, OPERATION_SIGN_RECOVER},
        {CKF_VERIFY, OPERATION_VERIFY},
        {CKF_VERIFY_RECOVER, OPERATION_VERIFY_RECOVER},
        {CKF_MESSAGE_SIGN, OPERATION_MESSAGE_SIGN},
        {CKF_MESSAGE_VERIFY, OPERATION_MESSAGE_VERIFY},
    };

    CK_RV rv = CKR_OK;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (flags & kinds[i].flag)
            rv = operation_cancel(s, kinds[i].kind);
    return rv;
}
