/* SPDX-License-Identifier: Apache-2.0 */
#include "module/entry/gate.h"

#include <assert.h>
#include <pthread.h>

#include "module/entry/trace.h"
#include "module/token/audit.h"
#include "module/token/library.h"
#include "module/token/session.h"
#include "remote/base/lock.h"
#include "remote/base/log.h"

void gate_hold(struct gate_frame *frame)
{
    frame->cancel_state = PTHREAD_CANCEL_ENABLE;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &frame->cancel_state);
    failure_begin(&frame->note);
}

void gate_release(const struct gate_frame *frame)
{
    failure_end(&frame->note);
    (void)pthread_setcancelstate(frame->cancel_state, NULL);
}

CK_RV gate_enter(void)
{
    return library_enter() ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV gate_enter_session(const char *name, CK_SESSION_HANDLE handle, struct session **ret_session)
{
    if (!library_enter())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    *ret_session = session_find(handle);
    if (*ret_session)
        return CKR_OK;
    log_line(LOG_LEVEL_DEBUG, "%s(session 0x%lx) -> CKR_SESSION_HANDLE_INVALID", name, handle);
    library_leave();
    return CKR_SESSION_HANDLE_INVALID;
}

static void log_failure(const char *name, const struct session *session, CK_RV rv)
{
    const char *note = failure_take();
    if (!note[0] || !log_is_on(LOG_LEVEL_WARNING))
        return;
    const char *code = trace_rv_name(rv);
    if (session)
        log_line(LOG_LEVEL_WARNING, "%s(session 0x%lx) -> %s: %s", name, session_handle(session),
                 code ? code : "a code of another module", note);
    else
        log_line(LOG_LEVEL_WARNING, "%s -> %s: %s", name, code ? code : "an unnamed code", note);
}

CK_RV gate_leave(const char *name, CK_BBOOL is_inside, struct session *session, CK_RV rv)
{
    if (rv != CKR_OK && is_inside)
        log_failure(name, session, rv);
    else
        (void)failure_take(); /* a note without a failure, or without a log, is nobody's */
    if (session)
        session_unref(session);
    if (is_inside) {
        audit_tick();
        library_leave();
    }
    assert(lock_none_held());
    return rv;
}
