/* SPDX-License-Identifier: Apache-2.0 */
/* C_Sign that waits inside: a thread for each, so that the module gathers what belongs together. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/cli/sign_work.h"

enum { THREADS_MAX = 256, STACK_SIZE = 256 << 10, TICK_MS = 200 };

struct crew;

struct worker {
    struct crew *crew;
    pthread_t thread;
    CK_SESSION_HANDLE session; /* 0: none */
};

struct crew {
    struct sign_work *work;
    pthread_mutex_t lock; /* guards what follows, the workers' sessions, and the files' states */
    pthread_cond_t moved;
    size_t next;
    size_t done;
    size_t running;
    bool has_failed;
    struct worker workers[THREADS_MAX];
};

static void crew_freep(struct crew **crew)
{
    free(*crew);
}

/* The next file; NULL when there is none, or nothing more is wanted. */
static struct sign_file *take_file(struct crew *crew)
{
    struct sign_files *files = crew->work->files;
    struct sign_file *file = NULL;

    (void)pthread_mutex_lock(&crew->lock);
    if (crew->next < files->count && !sign_work_is_over(crew->work, crew->has_failed))
        file = &files->items[crew->next++];
    (void)pthread_mutex_unlock(&crew->lock);
    return file;
}

static void give_back(struct crew *crew, struct sign_file *file, CK_RV rv)
{
    (void)pthread_mutex_lock(&crew->lock);
    sign_work_settle(file, rv);
    crew->done += rv == CKR_OK;
    crew->has_failed = crew->has_failed || rv != CKR_OK;
    (void)pthread_cond_signal(&crew->moved);
    (void)pthread_mutex_unlock(&crew->lock);
}

static CK_RV sign_one(const struct worker *worker, struct sign_file *file)
{
    const struct sign_work *work = worker->crew->work;

    CK_RV rv = sign_work_begin(work, worker->session);
    file->value_len = sizeof(file->value);
    if (rv == CKR_OK)
        rv = work->slot->module->p11->C_Sign(worker->session, file->input.ptr, file->input.len,
                                             file->value, &file->value_len);
    return rv;
}

static void set_session(struct worker *worker, CK_SESSION_HANDLE session)
{
    (void)pthread_mutex_lock(&worker->crew->lock);
    worker->session = session;
    (void)pthread_mutex_unlock(&worker->crew->lock);
}

static void *work_on(void *arg)
{
    struct worker *worker = arg;
    struct crew *crew = worker->crew;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    struct sign_file *file = NULL;

    CK_RV opened = sign_work_open(crew->work, 0, &session);
    if (opened == CKR_OK)
        set_session(worker, session);
    while ((file = take_file(crew)))
        give_back(crew, file, opened == CKR_OK ? sign_one(worker, file) : opened);
    if (opened == CKR_OK) {
        set_session(worker, CK_INVALID_HANDLE);
        (void)crew->work->slot->module->p11->C_CloseSession(session);
    }
    (void)pthread_mutex_lock(&crew->lock);
    crew->running--;
    (void)pthread_cond_signal(&crew->moved);
    (void)pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* Again and again until they are gone: a worker may be just about to call C_Sign. */
static void cancel_all(struct crew *crew, size_t count)
{
    CK_C_SessionCancel cancel = module_session_cancel(crew->work->slot->module);
    CK_SESSION_HANDLE sessions[THREADS_MAX];

    (void)pthread_mutex_lock(&crew->lock);
    for (size_t i = 0; i < count; i++)
        sessions[i] = crew->workers[i].session;
    (void)pthread_mutex_unlock(&crew->lock);
    for (size_t i = 0; cancel && i < count; i++)
        if (sessions[i])
            (void)cancel(sessions[i], CKF_SIGN); /* one that has closed by now is none */
}

static void wait_a_tick(struct crew *crew)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_cond_timedwait(&crew->moved, &crew->lock, &until);
}

static void watch(struct crew *crew, size_t count)
{
    (void)pthread_mutex_lock(&crew->lock);
    while (crew->running > 0) {
        wait_a_tick(crew);
        bool is_over = sign_work_is_over(crew->work, crew->has_failed);
        size_t done = crew->done;
        (void)pthread_mutex_unlock(&crew->lock);
        sign_work_show(crew->work, done);
        if (is_over)
            cancel_all(crew, count);
        (void)pthread_mutex_lock(&crew->lock);
    }
    (void)pthread_mutex_unlock(&crew->lock);
}

/* Only in the cloud more than one helps; where no thread can be had, fewer have to do. */
static size_t start(struct crew *crew)
{
    size_t wanted = crew->work->slot->is_cloud ? crew->work->files->count : 1;
    size_t count = 0;
    pthread_attr_t attributes;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    while (count < wanted && count < THREADS_MAX) {
        struct worker *worker = &crew->workers[count];
        worker->crew = crew;
        (void)pthread_mutex_lock(&crew->lock);
        int error = pthread_create(&worker->thread, &attributes, work_on, worker);
        crew->running += error == 0;
        (void)pthread_mutex_unlock(&crew->lock);
        if (error != 0)
            break;
        count++;
    }
    (void)pthread_attr_destroy(&attributes);
    return count;
}

void sign_threads_run(struct sign_work *work)
{
    AUTO(crew_freep) struct crew *crew = calloc(1, sizeof(*crew));
    pthread_condattr_t monotonic;

    if (!crew)
        return;
    crew->work = work;
    (void)pthread_mutex_init(&crew->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&crew->moved, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    size_t count = start(crew);
    watch(crew, count);
    for (size_t i = 0; i < count; i++)
        (void)pthread_join(crew->workers[i].thread, NULL);
    (void)pthread_cond_destroy(&crew->moved);
    (void)pthread_mutex_destroy(&crew->lock);
}
