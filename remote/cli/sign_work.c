/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_work.h"

#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/meter.h"

enum { LINE_SIZE = 160 };

void sign_work_run(struct sign_work *work)
{
    (void)clock_gettime(CLOCK_MONOTONIC, &work->since);
    if (!sign_async_run(work))
        sign_threads_run(work);
}

bool sign_work_has_phone(const struct sign_work *work)
{
    const struct account_config *account = work->slot->account;

    return work->slot->is_cloud && (!account || account->confirm == CONFIRM_APP);
}

CK_RV sign_work_open(const struct sign_work *work, CK_FLAGS flags, CK_SESSION_HANDLE *ret_session)
{
    return work->slot->module->p11->C_OpenSession(work->slot->id, CKF_SERIAL_SESSION | flags, NULL,
                                                  NULL, ret_session);
}

/* PKCS#11 has no const; a secret's own memory is not handed out for writing. */
static CK_RV login_again(const struct sign_work *work, CK_SESSION_HANDLE session)
{
    struct span secret = secret_get(work->slot->each_secret);
    CK_BYTE text[SECRET_MAX];

    memcpy(text, secret.ptr, secret.len);
    CK_RV rv = work->slot->module->p11->C_Login(session, CKU_CONTEXT_SPECIFIC, text, secret.len);
    secret_wipe(text, sizeof(text));
    return rv;
}

CK_RV sign_work_begin(const struct sign_work *work, CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {work->slot->mechanism, NULL, 0};

    CK_RV rv = work->slot->module->p11->C_SignInit(session, &mechanism, work->slot->key);
    if (rv == CKR_OK && work->slot->each_secret)
        rv = login_again(work, session);
    return rv;
}

void sign_work_settle(struct sign_file *file, CK_RV rv)
{
    file->rv = rv;
    file->state = rv == CKR_OK ? SIGN_DONE : SIGN_FAILED;
}

bool sign_work_is_over(const struct sign_work *work, bool has_failed)
{
    return meter_is_stopped() || (has_failed && !work->cli->keeps_going);
}

void sign_work_show(const struct sign_work *work, size_t done)
{
    struct timespec now;
    char line[LINE_SIZE];

    if (!work->slot->is_cloud) {
        meter_show(done, work->files->count);
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    long seconds = (long)(now.tv_sec - work->since.tv_sec);
    (void)snprintf(line, sizeof(line),
                   sign_work_has_phone(work)
                       ? _("confirm on the phone: %zu of %zu signed, code %s, %02ld:%02ld")
                       : _("%zu of %zu signed, code %s, %02ld:%02ld"),
                   done, work->files->count, work->files->items[0].code, seconds / 60,
                   seconds % 60);
    meter_say(line);
}
