/* SPDX-License-Identifier: Apache-2.0 */
/* Many signatures in flight, over a token that answers as it is told. */
#include "remote/cli/sign_work.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/cli/meter.h"

enum { FILES = 20, SESSIONS_MAX = 64, NOBODY = 99 };

/* What the token does, and what was asked of it. */
static struct {
    bool has_async;
    bool answers_at_once;  /* an asynchronous session that is none */
    unsigned looks_needed; /* CKR_PENDING that often */
    size_t odd;            /* this file ends with odd_rv; NOBODY: all are signed */
    CK_RV odd_rv;
    bool hangs;      /* C_Sign waits for C_SessionCancel */
    bool interrupts; /* the first C_Sign is where somebody presses Ctrl-C */

    pthread_mutex_t lock;
    pthread_cond_t cancelled_one;
    CK_ULONG sessions;
    CK_BYTE *value[SESSIONS_MAX]; /* of an asynchronous session, until it is complete */
    size_t file[SESSIONS_MAX];
    unsigned looks[SESSIONS_MAX];
    bool is_cancelled[SESSIONS_MAX];
    unsigned opened, closed, signs, looked, cancelled, signs_before_look;
    unsigned looked_when_learning; /* the first time */
} token;

/* The linker puts this in its place. NOLINTBEGIN(bugprone-reserved-identifier) */
void __wrap_sign_note_learn(const struct sign_note *note, struct sign_files *files);
void __wrap_sign_note_learn(const struct sign_note *note, struct sign_files *files)
{
    (void)note, (void)files;
    if (!token.looked_when_learning)
        token.looked_when_learning = token.looked;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *arg, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *ret_session)
{
    (void)slot, (void)arg, (void)notify;
    if ((flags & CKF_ASYNC_SESSION) && !token.has_async)
        return CKR_SESSION_ASYNC_NOT_SUPPORTED;
    (void)pthread_mutex_lock(&token.lock);
    token.opened++;
    *ret_session = ++token.sessions;
    (void)pthread_mutex_unlock(&token.lock);
    return CKR_OK;
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
    (void)session;
    (void)pthread_mutex_lock(&token.lock);
    token.closed++;
    (void)pthread_mutex_unlock(&token.lock);
    return CKR_OK;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)session, (void)mechanism, (void)key;
    return CKR_OK;
}

/* The input is the file's number; the signature is the number and 's'. */
static CK_RV answer(size_t file, CK_BYTE *value, CK_ULONG *len)
{
    if (file == token.odd)
        return token.odd_rv;
    value[0] = (CK_BYTE)file;
    value[1] = 's';
    *len = 2;
    return CKR_OK;
}

static CK_RV wait_for_cancel(CK_SESSION_HANDLE session)
{
    (void)pthread_mutex_lock(&token.lock);
    while (!token.is_cancelled[session])
        (void)pthread_cond_wait(&token.cancelled_one, &token.lock);
    (void)pthread_mutex_unlock(&token.lock);
    return CKR_FUNCTION_CANCELED;
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *input, CK_ULONG input_len, CK_BYTE *value,
                  CK_ULONG *len)
{
    assert_int_equal(input_len, 1);
    (void)pthread_mutex_lock(&token.lock);
    bool is_first = token.signs++ == 0;
    token.signs_before_look += token.looked == 0;
    (void)pthread_mutex_unlock(&token.lock);
    if (token.interrupts && is_first)
        (void)kill(getpid(), SIGINT);
    if (token.hangs)
        return wait_for_cancel(session);
    if (!token.has_async || token.answers_at_once)
        return answer(input[0], value, len);
    token.value[session] = value;
    token.file[session] = input[0];
    return CKR_PENDING;
}

static CK_RV complete(CK_SESSION_HANDLE session, CK_UTF8CHAR *function, CK_ASYNC_DATA *data)
{
    assert_string_equal((const char *)function, "C_Sign");
    token.looked++;
    if (token.looks[session]++ < token.looks_needed)
        return CKR_PENDING;
    data->pValue = token.value[session];
    return answer(token.file[session], token.value[session], &data->ulValue);
}

static CK_RV cancel(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
    assert_int_equal(flags, CKF_SIGN);
    (void)pthread_mutex_lock(&token.lock);
    token.cancelled++;
    token.is_cancelled[session] = true;
    (void)pthread_cond_broadcast(&token.cancelled_one);
    (void)pthread_mutex_unlock(&token.lock);
    return CKR_OK;
}

/* In the place of module.c. */
CK_C_SessionCancel module_session_cancel(const struct module *module)
{
    (void)module;
    return cancel;
}

CK_C_AsyncComplete module_async_complete(const struct module *module)
{
    (void)module;
    return token.has_async ? complete : NULL;
}

static CK_FUNCTION_LIST functions = {.C_OpenSession = open_session,
                                     .C_CloseSession = close_session,
                                     .C_SignInit = sign_init,
                                     .C_Sign = sign};

/* A slot in the cloud and some files. */
struct stage {
    struct cli cli;
    struct module module;
    struct sign_slot slot;
    struct sign_files files;
    struct sign_work work;
};

static int stage_begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    if (!stage)
        return -1;
    memset(&token, 0, sizeof(token));
    token.odd = NOBODY;
    (void)pthread_mutex_init(&token.lock, NULL);
    (void)pthread_cond_init(&token.cancelled_one, NULL);
    stage->module.p11 = &functions;
    stage->slot = (struct sign_slot){.module = &stage->module, .is_cloud = true};
    stage->files.items = calloc(FILES, sizeof(struct sign_file));
    stage->files.count = FILES;
    for (size_t i = 0; i < FILES; i++) {
        uint8_t number = (uint8_t)i;
        buf_init(&stage->files.items[i].input, 16, false);
        if (buf_append(&stage->files.items[i].input, span_of(&number, 1)) != SCA_OK)
            return -1;
    }
    stage->work =
        (struct sign_work){.cli = &stage->cli, .slot = &stage->slot, .files = &stage->files};
    *state = stage;
    meter_begin();
    return 0;
}

static int stage_end(void **state)
{
    struct stage *stage = *state;

    meter_end();
    for (size_t i = 0; i < FILES; i++)
        buf_fini(&stage->files.items[i].input);
    free(stage->files.items);
    free(stage);
    return token.opened == token.closed ? 0 : -1;
}

/* Each file has its own signature, but for the odd one. */
static void assert_signed(const struct stage *stage)
{
    for (size_t i = 0; i < FILES; i++) {
        const struct sign_file *file = &stage->files.items[i];
        if (i == token.odd) {
            assert_int_equal(file->state, SIGN_FAILED);
            assert_int_equal(file->rv, token.odd_rv);
            continue;
        }
        assert_int_equal(file->state, SIGN_DONE);
        assert_int_equal(file->value_len, 2);
        assert_int_equal(file->value[0], i);
    }
}

static size_t count(const struct stage *stage, enum sign_state state)
{
    size_t found = 0;

    for (size_t i = 0; i < FILES; i++)
        found += stage->files.items[i].state == state;
    return found;
}

static void all_are_asked_for_before_the_first_is_looked_at(void **state)
{
    const struct stage *stage = *state;
    token.has_async = true;
    token.looks_needed = 1;

    assert_true(sign_async_run(&((struct stage *)*state)->work));

    assert_signed(stage);
    assert_int_equal(token.signs_before_look, FILES);
    assert_int_equal(token.looked, 2 * FILES);
    assert_int_equal(token.cancelled, 0);
}

static void an_asynchronous_session_may_sign_at_once(void **state)
{
    struct stage *stage = *state;
    token.has_async = true;
    token.answers_at_once = true;

    assert_true(sign_async_run(&stage->work));

    assert_signed(stage);
    assert_int_equal(token.looked, 0);
}

static void without_asynchronous_sessions_nothing_is_done(void **state)
{
    struct stage *stage = *state;

    assert_false(sign_async_run(&stage->work));

    assert_int_equal(token.opened, 0);
    assert_int_equal(count(stage, SIGN_OPEN), FILES);
}

static void a_rejection_ends_what_still_waits(void **state)
{
    struct stage *stage = *state;
    token.has_async = true;
    token.odd = 0;
    token.odd_rv = CKR_FUNCTION_REJECTED;
    token.looks_needed = 0;

    assert_true(sign_async_run(&stage->work));

    assert_int_equal(stage->files.items[0].rv, CKR_FUNCTION_REJECTED);
    assert_int_equal(token.looked, FILES); /* the round was finished */
    assert_int_equal(count(stage, SIGN_FAILED), 1);
}

/* What is signed beside a failure is not written: the next run must know where to ask for it. */
static void the_note_learns_before_the_look_behind_a_failure(void **state)
{
    struct stage *stage = *state;
    token.has_async = true;
    token.odd = 0;
    token.odd_rv = CKR_HOST_MEMORY;
    token.looks_needed = 0;

    assert_true(sign_async_run(&stage->work));

    assert_int_equal(token.looked_when_learning, 1);
    assert_int_equal(count(stage, SIGN_DONE), FILES - 1);
}

static void with_keep_going_one_bad_file_is_one(void **state)
{
    struct stage *stage = *state;
    stage->cli.keeps_going = true;
    token.odd = 7;
    token.odd_rv = CKR_DEVICE_ERROR;

    sign_work_run(&stage->work);

    assert_signed(stage);
}

static void asynchronous_files_are_cancelled_by_ctrl_c(void **state)
{
    struct stage *stage = *state;
    token.has_async = true;
    token.looks_needed = 1000;
    token.interrupts = true;

    assert_true(sign_async_run(&stage->work));

    assert_int_equal(token.signs, 1); /* the first was in flight, the others were not begun */
    assert_int_equal(token.cancelled, 1);
    assert_int_equal(stage->files.items[0].rv, CKR_FUNCTION_CANCELED);
    assert_int_equal(count(stage, SIGN_OPEN), FILES - 1);
}

static void threads_sign_each_its_file(void **state)
{
    struct stage *stage = *state;

    sign_threads_run(&stage->work);

    assert_signed(stage);
    assert_int_equal(token.signs, FILES);
    assert_int_equal(token.opened, FILES);
}

static void other_slots_sign_in_one_session(void **state)
{
    struct stage *stage = *state;
    stage->slot.is_cloud = false;

    sign_threads_run(&stage->work);

    assert_signed(stage);
    assert_int_equal(token.opened, 1);
}

static void one_failure_ends_a_session_that_signs_one_after_another(void **state)
{
    struct stage *stage = *state;
    stage->slot.is_cloud = false;
    token.odd = 3;
    token.odd_rv = CKR_DEVICE_REMOVED;

    sign_threads_run(&stage->work);

    assert_int_equal(token.signs, 4);
    assert_int_equal(count(stage, SIGN_DONE), 3);
    assert_int_equal(stage->files.items[3].rv, CKR_DEVICE_REMOVED);
    assert_int_equal(count(stage, SIGN_OPEN), FILES - 4);
}

static void waiting_threads_are_cancelled_by_ctrl_c(void **state)
{
    struct stage *stage = *state;
    token.hangs = true;
    token.interrupts = true;

    sign_threads_run(&stage->work);

    assert_int_equal(count(stage, SIGN_FAILED) + count(stage, SIGN_OPEN), FILES);
    assert_true(token.cancelled > 0);
    assert_int_equal(stage->files.items[0].rv, CKR_FUNCTION_CANCELED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_are_asked_for_before_the_first_is_looked_at),
        TEST(an_asynchronous_session_may_sign_at_once),
        TEST(without_asynchronous_sessions_nothing_is_done),
        TEST(a_rejection_ends_what_still_waits),
        TEST(the_note_learns_before_the_look_behind_a_failure),
        TEST(with_keep_going_one_bad_file_is_one),
        TEST(asynchronous_files_are_cancelled_by_ctrl_c),
        TEST(threads_sign_each_its_file),
        TEST(other_slots_sign_in_one_session),
        TEST(one_failure_ends_a_session_that_signs_one_after_another),
        TEST(waiting_threads_are_cancelled_by_ctrl_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
