/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/failure.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local struct failure_note *note;

static const CK_RV codes[SCA_STATUS_COUNT] = {
    [SCA_OK] = CKR_OK,
    [SCA_NOMEM] = CKR_HOST_MEMORY,
    [SCA_INVALID] = CKR_DEVICE_ERROR,
    [SCA_NOT_FOUND] = CKR_DEVICE_ERROR,
    [SCA_IO] = CKR_DEVICE_ERROR,
    [SCA_NETWORK] = CKR_DEVICE_ERROR,
    [SCA_PROTOCOL] = CKR_DEVICE_ERROR,
    [SCA_SERVICE_AUTH] = CKR_DEVICE_ERROR,
    [SCA_USER_AUTH] = CKR_USER_NOT_LOGGED_IN,
    [SCA_REJECTED] = CKR_FUNCTION_REJECTED,
    [SCA_CANCELLED] = CKR_FUNCTION_CANCELED,
    [SCA_UNCONFIRMED] = CKR_FUNCTION_FAILED,
    [SCA_NOT_PERMITTED] = CKR_KEY_FUNCTION_NOT_PERMITTED,
    [SCA_EXHAUSTED] = CKR_TOKEN_RESOURCE_EXCEEDED,
    [SCA_MISMATCH] = CKR_DEVICE_ERROR,
    [SCA_UNSUPPORTED] = CKR_FUNCTION_NOT_SUPPORTED,
    [SCA_PIN_LOCKED] = CKR_PIN_LOCKED,
    [SCA_NO_SPACE] = CKR_DEVICE_MEMORY,
    [SCA_GONE] = CKR_DEVICE_REMOVED,
    [SCA_BUSY] = CKR_DEVICE_ERROR,
    [SCA_DEVICE] = CKR_DEVICE_ERROR,
    [SCA_PENDING] = CKR_PENDING,
};

void failure_begin(struct failure_note *fresh)
{
    fresh->outer = note;
    fresh->is_set = false;
    note = fresh;
}

void failure_end(const struct failure_note *ended)
{
    note = ended->outer;
}

CK_RV failure(CK_RV rv, const char *format, ...)
{
    va_list args;

    if (!note)
        return rv;
    va_start(args, format);
    (void)vsnprintf(note->text, sizeof(note->text), format, args); /* a cut note is still a note */
    va_end(args);
    note->is_set = true;
    return rv;
}

CK_RV failure_of(enum sca_status status, const struct call *call)
{
    if (status == SCA_OK)
        return CKR_OK;
    bool has_note = call && call->note[0];
    CK_RV rv =
        status == SCA_DEVICE && call && call->device_error ? call->device_error : codes[status];
    return failure(rv, "%s", has_note ? call->note : sca_status_name(status));
}

const char *failure_take(void)
{
    if (!note || !note->is_set)
        return "";
    note->is_set = false;
    return note->text;
}
