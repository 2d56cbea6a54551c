/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/fake_backends.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/base/lock.h"
#include "tests/module/fake_async.h"
#include "tests/module/fake_disk.h"
#include "tests/module/fake_keys.h"
#include "tests/module/fake_objects.h"

struct backends {
    bool is_discovered;
    atomic_uint played; /* when backends_tokens was asked last */
};

static struct {
    pthread_mutex_t mutex; /* guards all */
    pthread_cond_t changed;
    struct fake_script script;
    unsigned played; /* how often */
    struct fake_counts counts;
    struct fake_job job;
    unsigned held;
    void (*inside)(void *arg);
    void *inside_arg;
} fake = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

void fake_reset(void)
{
    pthread_mutex_lock(&fake.mutex);
    fake.script = (struct fake_script){.list_status = SCA_OK};
    fake.counts = (struct fake_counts){.live = 0};
    fake.inside = NULL;
    pthread_mutex_unlock(&fake.mutex);
    fake_disk_reset();
    fake_async_reset();
}

void fake_play(struct fake_script script)
{
    pthread_mutex_lock(&fake.mutex);
    fake.script = script;
    fake.played++;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mutex);
}

struct fake_script fake_script_now(void)
{
    pthread_mutex_lock(&fake.mutex);
    struct fake_script script = fake.script;
    pthread_mutex_unlock(&fake.mutex);
    return script;
}

struct fake_counts fake_counted(void)
{
    pthread_mutex_lock(&fake.mutex);
    struct fake_counts counts = fake.counts;
    pthread_mutex_unlock(&fake.mutex);
    return counts;
}

struct fake_job fake_last_job(void)
{
    pthread_mutex_lock(&fake.mutex);
    struct fake_job job = fake.job;
    pthread_mutex_unlock(&fake.mutex);
    return job;
}

void fake_call_back(void (*inside)(void *arg), void *arg)
{
    pthread_mutex_lock(&fake.mutex);
    fake.inside = inside;
    fake.inside_arg = arg;
    pthread_mutex_unlock(&fake.mutex);
}

static void call_back(void)
{
    pthread_mutex_lock(&fake.mutex);
    void (*inside)(void *arg) = fake.inside;
    void *arg = fake.inside_arg;
    pthread_mutex_unlock(&fake.mutex);
    if (inside)
        inside(arg);
}

/* Counts one call of an operation, and notices a lock that the caller still holds. */
static void count(unsigned *counter)
{
    pthread_mutex_lock(&fake.mutex);
    (*counter)++;
    if (!lock_none_held())
        fake.counts.under_lock++;
    pthread_mutex_unlock(&fake.mutex);
}

void fake_release(void)
{
    pthread_mutex_lock(&fake.mutex);
    fake.script.is_holding = false;
    pthread_mutex_unlock(&fake.mutex);
}

bool fake_await_held(unsigned wanted)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&fake.mutex);
    while (fake.held < wanted && rc == 0)
        rc = pthread_cond_timedwait(&fake.changed, &fake.mutex, &until);
    bool is_reached = fake.held >= wanted;
    pthread_mutex_unlock(&fake.mutex);
    return is_reached;
}

static void change_held(int by)
{
    pthread_mutex_lock(&fake.mutex);
    fake.held = (unsigned)((int)fake.held + by);
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mutex);
}

enum sca_status fake_hold(struct call *call)
{
    enum { LOOK_MS = 1 };
    enum sca_status st = SCA_OK;

    if (fake_script_now().is_ticking)
        call->next_tick_ms = 0;
    change_held(1);
    while (fake_script_now().is_holding && (st == SCA_OK || fake_script_now().is_deaf)) {
        const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
        if (fake_script_now().is_deaf)
            (void)nanosleep(&look, NULL);
        else
            st = call_wait(call, LOOK_MS);
    }
    change_held(-1);
    return st;
}

static enum sca_status fake_list(struct token *token, struct object_sink *sink)
{
    count(&fake.counts.list);
    enum sca_status st = fake_script_now().list_status;
    return st == SCA_OK ? fake_objects_list(token, sink) : st;
}

static enum sca_status fake_check(struct token *token, struct call *call)
{
    (void)token;
    count(&fake.counts.check);
    struct fake_script script = fake_script_now();
    return script.check_status == SCA_OK
               ? SCA_OK
               : call_fail(call, script.check_status, "%s", script.note ? script.note : "");
}

void fake_remember(const struct sign_job *job)
{
    struct fake_job seen = {
        .mechanism = job->mechanism,
        .hash = job->hash,
        .key_number = job->key_number,
        .input_len = job->input.len,
    };
    size_t kept = job->input.len < sizeof(seen.input) ? job->input.len : sizeof(seen.input);
    if (kept)
        memcpy(seen.input, job->input.ptr, kept);
    if (job->otp && secret_get(job->otp).len < sizeof(seen.otp))
        memcpy(seen.otp, secret_get(job->otp).ptr, secret_get(job->otp).len);
    pthread_mutex_lock(&fake.mutex);
    fake.job = seen;
    pthread_mutex_unlock(&fake.mutex);
}

static enum sca_status fake_sign(struct token *token, struct call *call, const struct sign_job *job,
                                 uint8_t *sig)
{
    (void)token;
    count(&fake.counts.sign);
    fake_remember(job);
    call_back();
    enum sca_status st = fake_hold(call);
    struct fake_script script = fake_script_now();
    if (st == SCA_OK)
        st = script.sign_status;
    call->device_error = script.device_error;
    if (st != SCA_OK)
        return call_fail(call, st, "%s", script.note ? script.note : "");
    return fake_keys_sign(job->hash, job->input, sig);
}

static enum sca_status fake_login(struct token *token, struct call *call, enum token_user user,
                                  const struct secret *pin)
{
    (void)token;
    (void)user;
    count(&fake.counts.login);
    enum sca_status st = fake_hold(call);
    if (st == SCA_OK)
        st = fake_script_now().login_status;
    if (st != SCA_OK)
        return st;
    return span_equal(secret_get(pin), span_text(FAKE_PIN_TEXT)) ? SCA_OK : SCA_USER_AUTH;
}

static void fake_logout(struct token *token)
{
    (void)token;
    count(&fake.counts.logout);
}

static uint64_t fake_patience_ms(const struct token *token)
{
    (void)token;
    return fake_script_now().has_no_patience ? 0 : 60000;
}

static void fake_free(struct token *token)
{
    pthread_mutex_lock(&fake.mutex);
    fake.counts.live--;
    pthread_mutex_unlock(&fake.mutex);
    free(token);
}

#define OPS                                                                                        \
    .list = fake_list, .check = fake_check, .sign = fake_sign, .login = fake_login,                \
    .logout = fake_logout, .patience_ms = fake_patience_ms, .free = fake_free

static const struct token_ops ops = {OPS};
static const struct token_ops async_ops = {OPS, .async = &fake_async_ops};

/* C_Initialize alone looks under its lock, when nothing is known yet. */
static void count_look(const struct token_list *known)
{
    pthread_mutex_lock(&fake.mutex);
    fake.counts.tokens++;
    if (known->count && !lock_none_held())
        fake.counts.under_lock++;
    pthread_mutex_unlock(&fake.mutex);
}

static unsigned played_now(void)
{
    pthread_mutex_lock(&fake.mutex);
    unsigned played = fake.played;
    pthread_mutex_unlock(&fake.mutex);
    return played;
}

static bool is_known(const struct token_list *known, CK_SLOT_ID id)
{
    bool is_filled = fake_script_now().is_filled;
    for (size_t i = 0; i < known->count; i++)
        if (known->items[i]->slot_id == id && (known->items[i]->is_present || !is_filled))
            return true;
    return false;
}

static enum sca_status add_disk(struct token_list *list, CK_SLOT_ID id)
{
    struct token *token = NULL;
    enum sca_status st = fake_disk_new(id, &token);
    return st == SCA_OK ? token_list_add(list, token) : st;
}

static enum sca_status add_token(struct token_list *list, CK_SLOT_ID id)
{
    struct token *token = calloc(1, sizeof(*token));
    if (!token)
        return SCA_NOMEM;
    fake_objects_describe(token, id);
    token->is_present |= fake_script_now().is_filled;
    token->is_default = fake_script_now().preferred == id;
    token->ops = fake_async_is_offered() && id != FAKE_ODD ? &async_ops : &ops;
    token->shows_async = id == FAKE_PHONE && fake_async_is_offered();
    token->wants_otp_each_time = id == FAKE_PIN && fake_script_now().asks_otp;
    token->login_signs_once = id == FAKE_PIN && fake_script_now().signs_once;
    pthread_mutex_lock(&fake.mutex);
    fake.counts.live++;
    pthread_mutex_unlock(&fake.mutex);
    return token_list_add(list, token);
}

enum sca_status backends_open(const struct config *config, struct backends **ret_backends)
{
    (void)config;
    struct backends *backends = calloc(1, sizeof(*backends));
    if (!backends)
        return SCA_NOMEM;
    *ret_backends = backends;
    return SCA_OK;
}

void backends_close(struct backends *backends)
{
    free(backends);
}

enum sca_status backends_tokens(struct backends *backends, const struct token_list *known,
                                struct token_list *ret_new)
{
    /* Not in the order of their ids, which is the caller's business. */
    static const CK_SLOT_ID ids[] = {FAKE_LATE,  FAKE_ODD, FAKE_PHONE,
                                     FAKE_EMPTY, FAKE_PIN, FAKE_NO_PIN};
    bool has_late = fake_script_now().has_late_slot && backends->is_discovered;
    struct token_list fresh = {0};
    enum sca_status st = fake_script_now().tokens_status;

    count_look(known);
    atomic_store(&backends->played, played_now());
    for (size_t i = 0; i < known->count; i++)
        known->items[i]->is_gone = known->items[i]->slot_id == fake_script_now().gone;
    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(ids); i++)
        if (!is_known(known, ids[i]) && (ids[i] != FAKE_LATE || has_late))
            st = add_token(&fresh, ids[i]);
    static const CK_SLOT_ID disks[] = {FAKE_DISK, FAKE_SPARE};
    for (size_t i = 0; fake_script_now().has_disk && st == SCA_OK && i < ARRAY_LEN(disks); i++)
        if (!is_known(known, disks[i]))
            st = add_disk(&fresh, disks[i]);
    if (st != SCA_OK)
        token_list_fini(&fresh);
    else
        *ret_new = fresh;
    return st;
}

bool backends_have_changed(struct backends *backends, bool is_thorough)
{
    bool has_changed = atomic_load(&backends->played) != played_now();

    pthread_mutex_lock(&fake.mutex);
    fake.counts.look += is_thorough;
    pthread_mutex_unlock(&fake.mutex);
    return has_changed;
}

unsigned backends_poll_ms(const struct backends *backends)
{
    (void)backends;
    return 0;
}

const char *backends_folder(const struct backends *backends, size_t index)
{
    (void)backends;
    (void)index;
    return NULL;
}

enum sca_status backends_discover(struct backends *backends, bool (*keep_going)(void *),
                                  bool *ret_has_more)
{
    (void)keep_going;
    count(&fake.counts.discover);
    backends->is_discovered = true;
    *ret_has_more = fake_script_now().has_late_slot;
    return SCA_OK;
}

void backends_abandon(void)
{
    crypto_abandon();
    pthread_mutex_init(&fake.mutex, NULL);
    pthread_cond_init(&fake.changed, NULL);
    fake.held = 0;
    fake_async_abandon();
}
