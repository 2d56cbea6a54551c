/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/entry/interface.h"
#include "remote/base/cleanup.h"
#include "tests/fuzz/attempt.h"
#include "tests/fuzz/rules.h"

enum { CALLS_AT_MOST = 80 };

static void complain(const struct attempt *attempt, const char *what, CK_RV rv)
{
    (void)fprintf(stderr, "%s %s 0x%lx\n", attempt->row->name, what, rv);
    abort();
}

static bool is_blank(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != ATTEMPT_UNTOUCHED)
            return false;
    return true;
}

static size_t unit_of(char kind)
{
    if (kind == 'r')
        return 1;
    return kind == 'Q' ? sizeof(CK_INTERFACE) : sizeof(CK_ULONG);
}

static void check_output(const struct attempt *attempt, const struct output *output, CK_RV rv)
{
    bool is_list = strchr("rqQk", output->kind) != NULL;

    if (!output->room)
        return;
    /* An asynchronous signature that failed says so in a struct. */
    bool is_told = strcmp(attempt->row->name, "C_AsyncComplete") == 0;
    if (rv != CKR_OK && rv != CKR_PENDING && !is_told)
        require(is_blank(output->room, output->size));
    if (rv == CKR_OK && is_list && output->len) {
        size_t used = *output->len * unit_of(output->kind);
        require(used <= output->size && is_blank(output->room + used, output->size - used));
    }
    if (rv == CKR_BUFFER_TOO_SMALL && output->len)
        require(*output->len > output->given);
}

/* A session that was closed, or never was. */
static void check_closed(const struct attempt *attempt, CK_RV rv)
{
    static const CK_RV right[] = {CKR_SESSION_HANDLE_INVALID, CKR_CRYPTOKI_NOT_INITIALIZED,
                                  CKR_FUNCTION_NOT_SUPPORTED, CKR_FUNCTION_NOT_PARALLEL};
    bool is_right = false;

    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        is_right |= rv == right[i];
    if (!is_right)
        complain(attempt, "in a closed session may not return", rv);
}

static void close_all(struct caller *caller, CK_SLOT_ID slot)
{
    for (size_t i = 0; i < CALLER_SESSIONS; i++)
        if (caller->sessions[i].slot == slot)
            caller->sessions[i].is_open = false;
}

static void add_objects(struct caller *caller, const CK_OBJECT_HANDLE *objects, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++) {
        size_t at = caller->object_count < CALLER_OBJECTS ? caller->object_count++ : objects[i];
        caller->objects[at % CALLER_OBJECTS] = objects[i];
    }
}

static bool is(const struct attempt *attempt, const char *name)
{
    return strcmp(attempt->row->name + 2, name) == 0; /* behind C_ */
}

static void add_session(struct caller *caller, CK_SLOT_ID slot, CK_SESSION_HANDLE handle)
{
    size_t at = feed_byte(caller->feed) % CALLER_SESSIONS;

    require(handle != CK_INVALID_HANDLE);
    for (size_t i = 0; i < CALLER_SESSIONS; i++)
        require(!caller->sessions[i].is_open || caller->sessions[i].handle != handle);
    caller->sessions[at] = (struct caller_session){handle, slot, true};
}

/* What the caller remembers of a call that worked. */
static void learn(struct caller *caller, const struct attempt *attempt)
{
    const CK_OBJECT_HANDLE *handle = NULL;

    for (unsigned i = 0; i < attempt->output_count; i++)
        if (attempt->outputs[i].kind == 'h')
            handle = (const CK_OBJECT_HANDLE *)(const void *)attempt->outputs[i].room;
    if (is(attempt, "OpenSession") && handle)
        add_session(caller, attempt->words[0], *handle);
    else if (is(attempt, "CloseSession") && attempt->session)
        attempt->session->is_open = false;
    else if (is(attempt, "CloseAllSessions"))
        close_all(caller, attempt->words[0]);
    else if (is(attempt, "Finalize")) /* handles begin anew */
        memset(caller->sessions, 0, sizeof(caller->sessions));
    else if (is(attempt, "FindObjects") && attempt->outputs[0].room && attempt->outputs[0].len)
        add_objects(caller, (const CK_OBJECT_HANDLE *)(const void *)attempt->outputs[0].room,
                    *attempt->outputs[0].len);
    else if (is(attempt, "AsyncGetID") && attempt->outputs[0].room)
        memcpy(&caller->number, attempt->outputs[0].room, sizeof(caller->number));
    else if (handle)
        add_objects(caller, handle, 1);
}

static void make_call(struct caller *caller)
{
    struct attempt attempt;

    attempt_make(caller, &attempt);
    CK_RV rv = attempt.row->call(attempt.words);

    if (!rules_allow(attempt.row->name, rv))
        complain(&attempt, "may not return", rv);
    for (unsigned i = 0; i < attempt.output_count; i++)
        check_output(&attempt, &attempt.outputs[i], rv);
    if (attempt.session && attempt.before.handle && !attempt.before.is_open)
        check_closed(&attempt, rv);
    if (rv == CKR_OK)
        learn(caller, &attempt);
    if (caller->after)
        caller->after(caller, attempt.row, attempt.words, rv);
}

static void list_slots(struct caller *caller)
{
    CK_ULONG count = 0;

    require(list_3_2.C_GetSlotList(CK_FALSE, NULL, &count) == CKR_OK);
    caller->slot_count = CALLER_SLOTS;
    CK_RV rv = list_3_2.C_GetSlotList(CK_FALSE, caller->slots, &caller->slot_count);
    require(rv == CKR_OK || (rv == CKR_BUFFER_TOO_SMALL && caller->slot_count > CALLER_SLOTS));
    if (rv != CKR_OK)
        caller->slot_count = 0;
}

static void look_around(struct caller *caller)
{
    for (CK_ULONG i = 0; i < caller->slot_count && i < CALLER_SESSIONS; i++) {
        struct caller_session *session = &caller->sessions[i];
        CK_OBJECT_HANDLE found[CALLER_OBJECTS];
        CK_ULONG count = 0;

        if (list_3_2.C_OpenSession(caller->slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
                                   NULL, &session->handle) != CKR_OK)
            continue;
        session->slot = caller->slots[i];
        session->is_open = true;
        if (list_3_2.C_FindObjectsInit(session->handle, NULL, 0) != CKR_OK)
            continue;
        if (list_3_2.C_FindObjects(session->handle, found, CALLER_OBJECTS, &count) == CKR_OK)
            add_objects(caller, found, count);
        (void)list_3_2.C_FindObjectsFinal(session->handle);
    }
}

void caller_run(struct caller *caller)
{
    require(list_3_2.C_Initialize(NULL) == CKR_OK);
    list_slots(caller);
    look_around(caller);
    for (unsigned i = 0; i < CALLS_AT_MOST && caller->feed->left > 0; i++)
        make_call(caller);
    CK_RV rv = list_3_2.C_Finalize(NULL);
    require(rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED);
    while (caller->block_count > 0)
        free(caller->blocks[--caller->block_count]);
}
