/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/audit.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "module/token/audit_batch.h"
#include "module/token/digestinfo.h"
#include "module/token/session.h"
#include "remote/audit/audit.h"
#include "remote/base/clock.h"
#include "remote/base/log.h"
#include "remote/config/config.h"

/*
 * Each thread puts its records into one of several places, so that threads that sign at the same
 * time do not wait for one another.
 */
enum { PLACES = 4, RECORDS = 1024, CACHE_LINE = 64, OLD_MS = 1000 };

_Static_assert(PLACES *RECORDS <= (int)AUDIT_BATCH_MAX, "all go into one batch");

struct place {
    _Alignas(CACHE_LINE) struct lock lock; /* guards the rest */
    size_t count;
    struct audit_record records[RECORDS];
};

/* enum audit_mode; AUDIT_NONE outside of start and stop. By itself, since it does not begin as 0:
 * the megabyte below would be in the module's file. */
static atomic_int audit_mode = AUDIT_NONE;

static struct {
    bool is_made;                   /* the locks are, and last as long as the process */
    struct audit_log log;           /* borrows from the configuration */
    atomic_uint_fast64_t oldest_ms; /* when the oldest record came, about; 0: there is none */
    atomic_bool is_urgent;          /* one of them has to be on the disk before its call returns */
    atomic_bool is_failing;         /* and the program's log says so */
    atomic_bool has_unsaved;        /* lines of ours are perhaps in the system's memory only */
    struct place places[PLACES];
    struct lock lock; /* guards log and the next one */
    bool is_writing;  /* one thread is: it takes along what the others have */
    pthread_cond_t written;
    struct audit_record taken[PLACES * RECORDS]; /* of that thread */
} audit;

static _Thread_local bool owes; /* this thread's call ends when its record is on the disk */

/* A tick of the system's clock is near enough, and costs no system call and little else. */
static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t wall_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec;
}

static void make(void)
{
    for (size_t i = 0; i < PLACES; i++) {
        lock_init(&audit.places[i].lock, LOCK_LEAF);
        audit.places[i].count = 0;
    }
    lock_init(&audit.lock, LOCK_LEAF);
    lock_cond_init(&audit.written);
    audit.is_writing = false;
    atomic_store(&audit.oldest_ms, 0);
    atomic_store(&audit.is_urgent, false);
    audit.is_made = true;
}

/* A thread that C_Finalize gave up may still be writing, and others may wait for it: the locks and
 * the records stay as they are, and what it could not write is written now. */
void audit_start(const struct config *config)
{
    if (!audit.is_made)
        make();
    lock_take(&audit.lock);
    audit.log = (struct audit_log){
        .state_dir = config->state_dir,
        .size_max = (uint64_t)config->audit_max_mib * 1024 * 1024,
        .keep = config->audit_keep,
    };
    lock_drop(&audit.lock);
    atomic_store(&audit.is_failing, false);
    atomic_store(&audit.has_unsaved, false);
    atomic_store(&audit_mode, (int)config->audit);
}

void audit_abandon(void)
{
    atomic_store(&audit_mode, AUDIT_NONE);
    make(); /* another thread may have had the locks when the child was made */
}

/* The digest that goes to the key, empty where what goes there is none. */
static struct span digest_in(const struct mechanism *mechanism, struct span input)
{
    struct span digest = {0};
    bool is_length = false;

    if (mechanism->hash != CRYPTO_NO_HASH)
        return input;
    switch (mechanism->type) {
    case CKM_RSA_PKCS:
        if (digestinfo_parse(input, &digest, &is_length) == CRYPTO_NO_HASH)
            return (struct span){0};
        return digest;
    case CKM_ECDSA:
    case CKM_RSA_PKCS_PSS:
        return crypto_hash_of_len(input.len) == CRYPTO_NO_HASH ? digest : input;
    default:
        return digest;
    }
}

struct audit_mark audit_mark(const struct mechanism *mechanism, struct span input)
{
    struct audit_mark mark = {.digest_len = 0};

    if (atomic_load_explicit(&audit_mode, memory_order_relaxed) == AUDIT_NONE)
        return mark;
    mark.begun_ms = now_ms();
    struct span digest = digest_in(mechanism, input);
    if (digest.len >= AUDIT_DIGEST_SHOWN) {
        memcpy(mark.digest, digest.ptr, AUDIT_DIGEST_SHOWN);
        mark.digest_len = AUDIT_DIGEST_SHOWN;
    }
    return mark;
}

static void fill_key(struct audit_key *key, struct session *s, const struct operation *sign)
{
    const struct object *object = sign->key.object;
    const CK_ATTRIBUTE *id = object ? object_attribute(object, CKA_ID) : NULL;

    key->slot = s->slot;
    key->token = s->slot->token;
    key->id_len = 0;
    if (!id || id->ulValueLen == 0 || id->ulValueLen > sizeof(key->id))
        return;
    memcpy(key->id, id->pValue, id->ulValueLen);
    key->id_len = (uint8_t)id->ulValueLen;
}

/* False if there is no room. */
static bool put(const struct audit_record *record)
{
    static atomic_uint threads;
    static _Thread_local unsigned own;
    uint_fast64_t none = 0;

    if (!own)
        own = 1 + atomic_fetch_add(&threads, 1) % PLACES;
    struct place *place = &audit.places[own - 1];
    lock_take(&place->lock);
    bool has_room = place->count < RECORDS;
    if (has_room)
        place->records[place->count++] = *record;
    lock_drop(&place->lock);
    if (has_room && atomic_load_explicit(&audit.oldest_ms, memory_order_relaxed) == 0)
        (void)atomic_compare_exchange_strong(&audit.oldest_ms, &none, now_ms());
    return has_room;
}

static const char *advice(enum sca_status status)
{
    if (status == SCA_BUSY)
        return "the program that keeps audit.lock there does not go on";
    if (status == SCA_NOMEM)
        return "close some files, or allow more (ulimit -n)";
    return "free some space there or mend its permissions";
}

/* The first failure of a row is told, and its end. */
static void tell(enum sca_status status, size_t count)
{
    bool is_failing = status != SCA_OK;

    if (atomic_exchange(&audit.is_failing, is_failing) == is_failing)
        return;
    if (is_failing)
        log_line(LOG_LEVEL_WARNING,
                 "the audit log in %s cannot be written (%s): it lacks %zu signatures, and those "
                 "to come; %s",
                 audit.log.state_dir,
                 status == SCA_NOMEM ? "out of memory or open files" : sca_status_name(status),
                 count, advice(status));
    else
        log_line(LOG_LEVEL_WARNING, "the audit log in %s is written again", audit.log.state_dir);
}

/* Returns how many. */
static size_t take_records(void)
{
    size_t count = 0;

    for (size_t i = 0; i < PLACES; i++) {
        struct place *place = &audit.places[i];
        lock_take(&place->lock);
        memcpy(audit.taken + count, place->records, place->count * sizeof(*place->records));
        count += place->count;
        place->count = 0;
        lock_drop(&place->lock);
    }
    return count;
}

static void write_records(const struct audit_log *log, bool is_durable)
{
    size_t count = take_records();
    if (atomic_exchange(&audit.is_urgent, false)) /* after: it is set before its record comes */
        is_durable = true;
    if (count == 0 && !(is_durable && atomic_load(&audit.has_unsaved)))
        return;
    enum sca_status st = audit_batch_write(log, audit.taken, count, is_durable);
    if (st == SCA_OK)
        atomic_store(&audit.has_unsaved, !is_durable);
    if (count > 0) /* else all was written before */
        tell(st, count);
}

/*
 * Many calls may come to their end together: one of them writes for all that have left their
 * record by then, the others wait for it. waits: so that the caller's own is written.
 */
static void write_all(bool waits, bool is_durable)
{
    assert(lock_none_held());
    lock_take(&audit.lock);
    while (audit.is_writing && waits)
        lock_wait(&audit.lock, &audit.written);
    bool is_ours = !audit.is_writing;
    audit.is_writing = true;
    struct audit_log log = audit.log; /* if this thread is given up, audit_start sets another */
    lock_drop(&audit.lock);
    if (!is_ours)
        return;

    atomic_store(&audit.oldest_ms, 0); /* before: a record that comes meanwhile sets it anew */
    write_records(&log, is_durable);
    lock_take(&audit.lock);
    audit.is_writing = false;
    pthread_cond_broadcast(&audit.written);
    lock_drop(&audit.lock);
}

void audit_flush(void)
{
    if (atomic_load_explicit(&audit.oldest_ms, memory_order_relaxed) != 0)
        write_all(true, false);
}

static void make_room(const struct audit_record *record)
{
    audit_flush();
    if (!put(record))
        tell(SCA_NOMEM, 1);
}

void audit_signature(struct session *s, const struct operation *sign, const struct audit_mark *mark,
                     const char *transaction, CK_RV rv)
{
    const struct token *token = s->slot->token;
    int mode = atomic_load_explicit(&audit_mode, memory_order_relaxed);
    struct audit_record record;

    if (mode == AUDIT_NONE || (mode == AUDIT_REMOTE && !token->identity.user))
        return;
    record.transaction[0] = 0;
    if (transaction[0])
        (void)snprintf(record.transaction, sizeof(record.transaction), "%s", transaction);
    fill_key(&record.key, s, sign);
    record.mechanism = sign->mechanism ? sign->mechanism->type : CK_UNAVAILABLE_INFORMATION;
    record.rv = rv;
    record.at = wall_s();
    record.took_ms = mark->begun_ms ? now_ms() - mark->begun_ms : 0;
    memcpy(record.digest, mark->digest, sizeof(record.digest));
    record.digest_len = mark->digest_len;
    /* Who gave up has no signature, and waits for nobody who keeps the log. */
    owes = rv != CKR_FUNCTION_CANCELED && (rv != CKR_OK || token->identity.user);
    if (owes)
        atomic_store(&audit.is_urgent, true);
    if (!put(&record))
        make_room(&record);
}

void audit_tick(void)
{
    uint64_t oldest = atomic_load_explicit(&audit.oldest_ms, memory_order_relaxed);

    if (owes) {
        owes = false;
        write_all(true, true);
    } else if (oldest != 0 && now_ms() - oldest > OLD_MS) {
        write_all(false, false);
    }
}

/* Somebody who writes when not all have left may never come back from the disk, or is this very
 * thread, which a signal's handler has left for good. */
void audit_stop(bool is_empty)
{
    if (atomic_exchange(&audit_mode, AUDIT_NONE) != AUDIT_NONE)
        write_all(is_empty, true);
}
