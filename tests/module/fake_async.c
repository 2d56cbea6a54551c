/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/fake_async.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/lock.h"
#include "tests/module/fake_keys.h"

enum { KEPT_MAX = 8, INPUT_MAX = 128, FIRST_ID = 4711 };

struct token_job {
    enum crypto_hash hash;
    size_t input_len;
    uint8_t input[INPUT_MAX];
    uint64_t id; /* 0: nobody asked */
    unsigned polls;
    atomic_bool is_busy;
};

static struct {
    pthread_mutex_t mutex; /* guards all */
    struct fake_async_script script;
    struct fake_async_counts counts;
    struct token_job kept[KEPT_MAX]; /* "at the service": those with an id, 0 is a free place */
    uint64_t last_id;
} async = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void fake_async_play(struct fake_async_script script)
{
    pthread_mutex_lock(&async.mutex);
    async.script = script;
    pthread_mutex_unlock(&async.mutex);
}

static struct fake_async_script script_now(void)
{
    pthread_mutex_lock(&async.mutex);
    struct fake_async_script script = async.script;
    pthread_mutex_unlock(&async.mutex);
    return script;
}

struct fake_async_counts fake_async_counted(void)
{
    pthread_mutex_lock(&async.mutex);
    struct fake_async_counts counts = async.counts;
    pthread_mutex_unlock(&async.mutex);
    return counts;
}

void fake_async_reset(void)
{
    pthread_mutex_lock(&async.mutex);
    async.script = (struct fake_async_script){.is_offered = false};
    async.counts = (struct fake_async_counts){.begin = 0};
    memset(async.kept, 0, sizeof(async.kept));
    async.last_id = FIRST_ID;
    pthread_mutex_unlock(&async.mutex);
}

void fake_async_abandon(void)
{
    pthread_mutex_init(&async.mutex, NULL);
}

bool fake_async_is_offered(void)
{
    return script_now().is_offered;
}

static void count(unsigned *counter)
{
    pthread_mutex_lock(&async.mutex);
    (*counter)++;
    if (!lock_none_held())
        async.counts.under_lock++;
    pthread_mutex_unlock(&async.mutex);
}

/* Brackets what a thread does with a job: the token layer lets in one at a time. */
static void enter(struct token_job *job, unsigned *counter)
{
    count(counter);
    if (atomic_exchange(&job->is_busy, true))
        count(&async.counts.overlapped);
}

static void leave(struct token_job *job)
{
    atomic_store(&job->is_busy, false);
}

static struct token_job *new_job(void)
{
    struct token_job *job = calloc(1, sizeof(*job));
    if (job)
        count(&async.counts.live);
    return job;
}

static enum sca_status fake_begin(struct token *token, struct call *call,
                                  const struct sign_job *wanted, struct token_job **ret_job)
{
    (void)token;
    count(&async.counts.begin);
    enum sca_status st = script_now().begin_status;
    if (st != SCA_OK)
        return call_fail(call, st, "refused at once");
    struct token_job *job = new_job();
    if (!job)
        return SCA_NOMEM;
    fake_remember(wanted);
    job->hash = wanted->hash;
    job->input_len = wanted->input.len < INPUT_MAX ? wanted->input.len : INPUT_MAX;
    if (job->input_len)
        memcpy(job->input, wanted->input.ptr, job->input_len);
    *ret_job = job;
    return SCA_OK;
}

/* The signature was handed out: nobody can join it any more. */
static void forget_id(uint64_t id)
{
    pthread_mutex_lock(&async.mutex);
    for (size_t i = 0; id && i < KEPT_MAX; i++)
        if (async.kept[i].id == id)
            async.kept[i].id = 0;
    pthread_mutex_unlock(&async.mutex);
}

static enum sca_status look(struct token_job *job, struct call *call, uint8_t *sig)
{
    enum sca_status st = fake_hold(call);
    if (st != SCA_OK)
        return st;
    if (job->polls++ < script_now().pendings)
        return SCA_PENDING;
    struct fake_script script = fake_script_now();
    call->device_error = script.device_error;
    forget_id(job->id);
    if (script.sign_status != SCA_OK)
        return call_fail(call, script.sign_status, "%s", script.note ? script.note : "");
    return fake_keys_sign(job->hash, (struct span){job->input, job->input_len}, sig);
}

static enum sca_status fake_poll(struct token_job *job, struct call *call, uint8_t *sig)
{
    enter(job, &async.counts.poll);
    enum sca_status st = look(job, call, sig);
    leave(job);
    return st;
}

static void keep(struct token_job *job)
{
    pthread_mutex_lock(&async.mutex);
    for (size_t i = 0; i < KEPT_MAX && !job->id; i++) {
        if (async.kept[i].id)
            continue;
        job->id = ++async.last_id;
        async.kept[i].hash = job->hash;
        async.kept[i].input_len = job->input_len;
        memcpy(async.kept[i].input, job->input, INPUT_MAX);
        async.kept[i].id = job->id;
    }
    pthread_mutex_unlock(&async.mutex);
}

static enum sca_status fake_get_id(struct token_job *job, struct call *call, uint64_t *ret_id)
{
    enter(job, &async.counts.get_id);
    enum sca_status st = fake_hold(call);
    if (st == SCA_OK)
        st = script_now().id_status;
    if (st == SCA_OK) {
        keep(job);
        *ret_id = job->id;
    }
    leave(job);
    return st == SCA_OK ? SCA_OK : call_fail(call, st, "no id today");
}

static enum sca_status fake_join(struct token *token, struct call *call, uint64_t id,
                                 struct token_job **ret_job)
{
    (void)token;
    count(&async.counts.join);
    if (script_now().join_status != SCA_OK)
        return call_fail(call, script_now().join_status, "the service does not answer");
    struct token_job *job = new_job();
    if (!job)
        return SCA_NOMEM;
    pthread_mutex_lock(&async.mutex);
    for (size_t i = 0; i < KEPT_MAX; i++) {
        if (async.kept[i].id != id)
            continue;
        job->hash = async.kept[i].hash;
        job->input_len = async.kept[i].input_len;
        memcpy(job->input, async.kept[i].input, INPUT_MAX);
        job->id = id;
    }
    pthread_mutex_unlock(&async.mutex);
    if (!id || job->id != id) {
        fake_async_ops.free(job);
        return call_fail(call, SCA_NOT_FOUND, "no signature with that id is waited for");
    }
    *ret_job = job;
    return SCA_OK;
}

static void fake_keep(struct token_job *job)
{
    enter(job, &async.counts.keep);
    leave(job);
}

static void fake_free(struct token_job *job)
{
    unsigned ignored = 0;
    if (!job)
        return;
    enter(job, &ignored);
    pthread_mutex_lock(&async.mutex);
    async.counts.live--;
    pthread_mutex_unlock(&async.mutex);
    free(job);
}

const struct token_async_ops fake_async_ops = {
    .begin = fake_begin,
    .poll = fake_poll,
    .get_id = fake_get_id,
    .join = fake_join,
    .keep = fake_keep,
    .free = fake_free,
};
