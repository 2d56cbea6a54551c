/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/totp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <liboath/oath.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/size_limit.h"

enum {
    TURN_MAX_MS = 5000, /* whoever has the record has it for one small write */
    TURN_STEP_MS = 20,
    NOTE_TURN_MS = 100,    /* where there is no call to wait with */
    LOOK_AGAIN_MS = 250,   /* the wall clock may be set while a step is waited for */
    DRIFT_MAX = 2,         /* steps; a clock that is further off has to be set */
    LINE_SIZE = 48,        /* fixed, so that a shorter line leaves nothing of a longer one */
    AHEAD_MAX = DRIFT_MAX, /* what lies further ahead was written under a wrong clock */
};

int64_t totp_step(const struct totp_key *key, int64_t wall_s)
{
    return wall_s / (int64_t)key->period_s;
}

enum sca_status totp_code(const struct totp_key *key, int64_t step,
                          char ret_code[static TOTP_CODE_SIZE])
{
    /* RFC 6238 is RFC 4226 with the step for a counter. */
    int rc = oath_hotp_generate((const char *)key->bytes, key->len, (uint64_t)step, key->digits,
                                false, OATH_HOTP_DYNAMIC_TRUNCATION, ret_code);
    return rc == OATH_OK ? SCA_OK : SCA_NOMEM;
}

/* What is remembered of an identity. */
struct record {
    int64_t last;   /* the latest step that was used, 0: none */
    int64_t before; /* the latest one before that */
    int64_t drift;  /* the service's clock less ours, in steps */
};

/* The record's file, locked until it is closed. */
struct record_file {
    int fd;
    struct record record;
};

static void record_file_fini(struct record_file *file)
{
    fd_unlock_closep(&file->fd);
}

static enum sca_status name_record(const struct totp_owner *owner, char **ret_path)
{
    char name[IDENTITY_NAME_SIZE];

    enum sca_status st = identity_name(owner->identity, name);
    if (st != SCA_OK)
        return st;
    if (asprintf(ret_path, "%s/journal/otp-%.16s", owner->state_dir, name) >= 0)
        return SCA_OK;
    *ret_path = NULL; /* undefined then, and freed by the caller */
    return SCA_NOMEM;
}

/* What cannot be read is as good as nothing: the file is ours, and always written whole. */
static struct record parse(const char line[static LINE_SIZE])
{
    struct record record = {.last = 0};
    char *end = NULL;

    record.last = strtoll(line, &end, 10);
    record.before = strtoll(end, &end, 10);
    record.drift = strtoll(end, &end, 10);
    bool is_whole = *end == '\n' && record.before >= 0 && record.last >= record.before &&
                    record.drift >= -DRIFT_MAX && record.drift <= DRIFT_MAX;
    return is_whole ? record : (struct record){.last = 0};
}

/* SCA_BUSY: others have it locked. */
static enum sca_status lock(int fd, unsigned wait_ms)
{
    enum sca_status st = fd_lock(fd, wait_ms);

    return st != SCA_OK && (errno == EWOULDBLOCK || errno == EINTR) ? SCA_BUSY : st;
}

static enum sca_status open_file(const char *path, unsigned wait_ms, struct record_file *file)
{
    char line[LINE_SIZE + 1] = "";

    file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd < 0)
        return SCA_IO;
    enum sca_status st = lock(file->fd, wait_ms);
    if (st == SCA_OK && pread(file->fd, line, LINE_SIZE, 0) < 0)
        st = SCA_IO;
    file->record = parse(line);
    return st;
}

/* record_file_fini is right whatever this returned. */
static enum sca_status open_record(const struct totp_owner *owner, unsigned wait_ms,
                                   struct record_file *file)
{
    AUTO(freep) char *folder = path_join(owner->state_dir, "journal");
    AUTO(freep) char *path = NULL;

    enum sca_status st = folder ? name_record(owner, &path) : SCA_NOMEM;
    if (st == SCA_OK)
        st = dir_ensure_private(folder);
    return st == SCA_OK ? open_file(path, wait_ms, file) : st;
}

/* Whoever waits for others holds nothing meanwhile, and can be cancelled. */
static enum sca_status open_in_turn(const struct totp_owner *owner, struct call *call,
                                    struct record_file *file)
{
    uint64_t until = call_now_ms(call) + TURN_MAX_MS;

    for (;;) {
        enum sca_status st = open_record(owner, 0, file);
        if (st != SCA_BUSY || call_now_ms(call) >= until)
            return st;
        record_file_fini(file);
        file->fd = -1;
        st = call_wait(call, TURN_STEP_MS);
        if (st != SCA_OK)
            return st == SCA_UNCONFIRMED ? SCA_BUSY : st;
    }
}

static enum sca_status save(const struct record_file *file)
{
    char line[LINE_SIZE + 1];

    (void)snprintf(line, sizeof(line), "%18lld %18lld %4lld", (long long)file->record.last,
                   (long long)file->record.before, (long long)file->record.drift);
    memset(line + strlen(line), '\n', LINE_SIZE - strlen(line));
    /* No sync: after a power failure the step is over before the computer is up again. */
    return limited_pwrite(file->fd, line, LINE_SIZE, 0) == LINE_SIZE ? SCA_OK : SCA_IO;
}

static enum sca_status fail(struct call *call, const struct totp_owner *owner,
                            enum sca_status status)
{
    if (status == SCA_BUSY)
        return call_fail(call, SCA_IO,
                         "nothing was sent, because another program keeps the record of one-time "
                         "passwords in %s/journal locked; try again",
                         owner->state_dir);
    if (status == SCA_CANCELLED)
        return call_fail(call, status, "cancelled by the application");
    if (status != SCA_IO)
        return status;
    return call_fail(call, status,
                     "which one-time passwords were used cannot be kept in the state folder's "
                     "journal; check its owner, permissions and free space");
}

/* The current step as the service counts, if nobody has used it or a later one. */
static enum sca_status try_take(const struct totp_owner *owner, struct call *call,
                                const struct totp_key *key, int64_t *ret_step, int64_t *ret_wait_s)
{
    AUTO(record_file_fini) struct record_file file = {.fd = -1};

    *ret_wait_s = 0;
    enum sca_status st = open_in_turn(owner, call, &file);
    if (st != SCA_OK)
        return st;
    int64_t now_s = call->clock->wall_s(call->clock);
    int64_t step = totp_step(key, now_s) + file.record.drift;
    if (file.record.last > step + AHEAD_MAX)
        file.record = (struct record){.drift = file.record.drift};
    if (file.record.last >= step) {
        int64_t next = file.record.last + 1 - file.record.drift;
        *ret_wait_s = next * (int64_t)key->period_s - now_s;
        return SCA_OK;
    }
    file.record.before = file.record.last;
    file.record.last = step;
    st = save(&file);
    if (st == SCA_OK)
        *ret_step = step;
    return st;
}

enum sca_status totp_take(const struct totp_owner *owner, struct call *call,
                          const struct totp_key *key, int64_t *ret_step)
{
    int64_t wait_s = 0;

    for (;;) {
        enum sca_status st = try_take(owner, call, key, ret_step, &wait_s);
        if (st != SCA_OK || wait_s <= 0)
            return fail(call, owner, st);
        st = call_wait(call, LOOK_AGAIN_MS);
        if (st == SCA_UNCONFIRMED)
            return call_fail(call, SCA_NETWORK,
                             "others use one-time passwords of this account, one in %u s; try "
                             "again, or sign several documents at once",
                             key->period_s);
        if (st != SCA_OK)
            return st;
    }
}

/* A step next to the refused one that nobody has used, the preferred one first; 0: none. */
static int64_t choose(const struct record *record, int64_t refused, bool prefers_earlier)
{
    bool is_earlier_free = record->before < refused - 1 && record->last <= refused;
    bool is_later_free = record->last <= refused;

    if (is_earlier_free && (prefers_earlier || !is_later_free))
        return refused - 1;
    return is_later_free ? refused + 1 : 0;
}

enum sca_status totp_take_neighbour(const struct totp_owner *owner, struct call *call,
                                    const struct totp_key *key, int64_t refused, int64_t *ret_step)
{
    AUTO(record_file_fini) struct record_file file = {.fd = -1};

    enum sca_status st = open_in_turn(owner, call, &file);
    if (st != SCA_OK)
        return fail(call, owner, st);
    int64_t into_step = call->clock->wall_s(call->clock) % (int64_t)key->period_s;
    int64_t step = choose(&file.record, refused, 2 * into_step < (int64_t)key->period_s);
    if (!step)
        return SCA_NOT_FOUND;
    file.record.before = step < refused ? step : refused;
    file.record.last = step < refused ? refused : step;
    st = save(&file);
    if (st != SCA_OK)
        return fail(call, owner, st);
    *ret_step = step;
    return SCA_OK;
}

/* How far a clock that is off by that many steps is from the service's, which is offset_s off. */
static int64_t distance_s(int64_t drift, const struct totp_evidence *evidence)
{
    int64_t distance = evidence->offset_s - drift * (int64_t)evidence->period_s;
    return distance < 0 ? -distance : distance;
}

void totp_found_drift(const struct totp_owner *owner, const struct totp_evidence *evidence)
{
    AUTO(record_file_fini) struct record_file file = {.fd = -1};

    if (open_record(owner, NOTE_TURN_MS, &file) != SCA_OK)
        return; /* best effort: it is found again */
    int64_t drift = file.record.drift + evidence->accepted - evidence->refused;
    bool is_nearer = distance_s(drift, evidence) < distance_s(file.record.drift, evidence);
    if (is_nearer && drift >= -DRIFT_MAX && drift <= DRIFT_MAX) {
        file.record.drift = drift;
        (void)save(&file);
    }
}
