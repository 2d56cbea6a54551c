/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#11 3.2 section 5.22: each file's C_Sign is taken in, and all are looked at in turn. */
#include <stdlib.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/cli/sign_work.h"

enum { LOOK_FIRST_MS = 50, LOOK_MOST_MS = 500 }; /* what needs no person is there soon */

/* Files that are in flight together. */
struct flight {
    struct sign_work *work;
    CK_C_AsyncComplete complete;
    CK_C_SessionCancel cancel; /* may be NULL */
    CK_SESSION_HANDLE sessions[SIGN_TOGETHER_MAX];
    struct sign_file *files;
    size_t count;
    bool has_failed;
};

static void flight_freep(struct flight **flight)
{
    free(*flight);
}

/* Until C_AsyncComplete says something else than CKR_PENDING, input and value are the module's. */
static void take_off(struct flight *flight, size_t i)
{
    struct sign_file *file = &flight->files[i];
    CK_FUNCTION_LIST *p11 = flight->work->slot->module->p11;

    CK_RV rv = flight->sessions[i]
                   ? CKR_OK
                   : sign_work_open(flight->work, CKF_ASYNC_SESSION, &flight->sessions[i]);
    if (rv == CKR_OK)
        rv = sign_work_begin(flight->work, flight->sessions[i]);
    file->value_len = sizeof(file->value);
    if (rv == CKR_OK)
        rv = p11->C_Sign(flight->sessions[i], file->input.ptr, file->input.len, file->value,
                         &file->value_len);
    if (rv == CKR_PENDING)
        file->state = SIGN_WAITING;
    else
        sign_work_settle(file, rv);
    flight->has_failed = flight->has_failed || file->state == SIGN_FAILED;
}

static void look(struct flight *flight, size_t i)
{
    CK_UTF8CHAR function[] = "C_Sign";
    struct sign_file *file = &flight->files[i];
    CK_ASYNC_DATA data = {.pValue = file->value, .ulValue = sizeof(file->value)};

    CK_RV rv = flight->complete(flight->sessions[i], function, &data);
    if (rv == CKR_PENDING)
        return;
    if (rv == CKR_OK && (data.pValue != file->value || data.ulValue > sizeof(file->value)))
        rv = CKR_GENERAL_ERROR;
    file->value_len = data.ulValue;
    sign_work_settle(file, rv);
    flight->has_failed = flight->has_failed || rv != CKR_OK;
}

static size_t count_state(const struct sign_file *files, size_t count, enum sign_state state)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += files[i].state == state;
    return found;
}

/* Until one is seen to be in a transaction, the next look could be the one that ends it: also after
 * one that has ended, for where that is a failure, what is signed beside it is not written. */
static void look_at_each(struct flight *flight)
{
    bool has_learned = false;

    for (size_t i = 0; i < flight->count; i++) {
        struct sign_file *file = &flight->files[i];
        if (file->state != SIGN_WAITING)
            continue;
        look(flight, i);
        bool is_waiting = file->state == SIGN_WAITING;
        if (file->is_noted || (is_waiting && has_learned))
            continue;
        sign_note_learn(flight->work->note, flight->work->files);
        has_learned = has_learned || is_waiting;
    }
}

/* nanosleep ends at a signal, so that Ctrl-C is heard at once. */
static void look_at_all(struct flight *flight)
{
    struct timespec pause = {.tv_nsec = LOOK_FIRST_MS * 1000000L};
    const struct sign_files *all = flight->work->files;
    size_t waiting = count_state(flight->files, flight->count, SIGN_WAITING);

    while (waiting > 0 && !sign_work_is_over(flight->work, flight->has_failed)) {
        look_at_each(flight);
        sign_work_show(flight->work, count_state(all->items, all->count, SIGN_DONE));
        waiting = count_state(flight->files, flight->count, SIGN_WAITING);
        if (waiting > 0)
            (void)nanosleep(&pause, NULL);
        pause.tv_nsec *= pause.tv_nsec < LOOK_MOST_MS * 1000000L / 2 ? 2 : 1;
    }
}

static void land(struct flight *flight)
{
    CK_FUNCTION_LIST *p11 = flight->work->slot->module->p11;

    for (size_t i = 0; i < flight->count; i++) {
        if (flight->files[i].state == SIGN_WAITING) {
            if (flight->cancel)
                (void)flight->cancel(flight->sessions[i], CKF_SIGN);
            sign_work_settle(&flight->files[i], CKR_FUNCTION_CANCELED);
        }
        if (flight->sessions[i])
            (void)p11->C_CloseSession(flight->sessions[i]);
        flight->sessions[i] = 0;
    }
}

static void fly(struct flight *flight)
{
    for (size_t i = 0; i < flight->count; i++) {
        if (sign_work_is_over(flight->work, flight->has_failed))
            break;
        take_off(flight, i);
    }
    look_at_all(flight);
    land(flight);
}

bool sign_async_run(struct sign_work *work)
{
    AUTO(flight_freep) struct flight *flight = calloc(1, sizeof(*flight));
    struct sign_files *files = work->files;

    if (!flight)
        return false;
    flight->work = work;
    flight->complete = module_async_complete(work->slot->module);
    flight->cancel = module_session_cancel(work->slot->module);
    if (!flight->complete ||
        sign_work_open(work, CKF_ASYNC_SESSION, &flight->sessions[0]) != CKR_OK)
        return false;
    for (size_t from = 0; from < files->count; from += flight->count) {
        size_t left = files->count - from;
        flight->files = files->items + from;
        flight->count = left < SIGN_TOGETHER_MAX ? left : SIGN_TOGETHER_MAX;
        if (sign_work_is_over(work, flight->has_failed))
            break;
        fly(flight);
    }
    if (flight->sessions[0])
        (void)work->slot->module->p11->C_CloseSession(flight->sessions[0]);
    return true;
}
