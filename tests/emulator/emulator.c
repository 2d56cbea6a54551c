/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/emulator.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/complain.h"
#include "tests/emulator/disk.h"

static const struct pki_leaf standard_dates = {.from_days = -1, .to_days = 3 * 365};

static enum sca_status make_users(struct emulator *emulator)
{
    for (size_t i = 0; i < emulator->options->user_count; i++) {
        const struct user_option *user = &emulator->options->users[i];
        enum sca_status status = emulator_add_user(emulator, user->id, user->name, user->count);
        if (status == SCA_INVALID)
            complain("the user \"%s\" has no acceptable id or name", user->id);
        if (status != SCA_OK)
            return status;
    }
    return SCA_OK;
}

enum sca_status emulator_open(struct emulator *emulator, const struct options *options)
{
    *emulator = (struct emulator){.options = options, .log = {.fd = -1}};
    (void)pthread_mutex_init(&emulator->lock, NULL); /* cannot fail on Linux */
    (void)pthread_mutex_init(&emulator->issuing, NULL);
    emulator->behaviour = options->behaviour;
    emulator->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (emulator->stop_fd < 0)
        return SCA_NOMEM;
    enum sca_status status = disk_folder(options->dir);
    if (status == SCA_OK)
        status = request_log_open(&emulator->log, options->dir);
    if (status == SCA_OK)
        status = pki_open(options->dir, &emulator->pki);
    if (status == SCA_OK)
        status = hsm_open(options->softhsm, options->dir, &emulator->hsm);
    if (status == SCA_OK)
        status = econtract_reset(&emulator->econtract);
    if (status == SCA_OK)
        status = make_users(emulator);
    return status;
}

void emulator_close(struct emulator *emulator)
{
    fault_queue_clear(&emulator->faults);
    transaction_table_clear(&emulator->transactions);
    econtract_fini(&emulator->econtract);
    while (emulator->users) {
        struct user *next = emulator->users->next;
        user_free(emulator->users);
        emulator->users = next;
    }
    request_log_close(&emulator->log);
    hsm_close(emulator->hsm);
    pki_free(emulator->pki);
    if (emulator->stop_fd >= 0)
        (void)close(emulator->stop_fd);
    (void)pthread_mutex_destroy(&emulator->issuing);
    (void)pthread_mutex_destroy(&emulator->lock);
}

void emulator_stop(struct emulator *emulator)
{
    (void)eventfd_write(emulator->stop_fd, 1); /* never full: it is written once */
}

void emulator_lock(struct emulator *emulator)
{
    (void)pthread_mutex_lock(&emulator->lock);
}

void emulator_unlock(struct emulator *emulator)
{
    (void)pthread_mutex_unlock(&emulator->lock);
}

struct user *emulator_find_user(struct emulator *emulator, const char *id)
{
    struct user *user = emulator->users;
    while (user && strcmp(user->id, id) != 0)
        user = user->next;
    return user;
}

struct user *emulator_find_account(struct emulator *emulator, const char *id)
{
    struct user *user = emulator_find_user(emulator, id);
    return user && user->stage != STAGE_REQUESTED ? user : NULL;
}

static struct issuer issuer_of(const struct emulator *emulator)
{
    return (struct issuer){emulator->options->dir, emulator->hsm, emulator->pki};
}

/* The user called like fresh, or fresh itself, which is then the emulator's. */
static struct user *enter_user(struct emulator *emulator, struct user *take_fresh)
{
    emulator_lock(emulator);
    struct user *user = emulator_find_user(emulator, take_fresh->id);
    if (!user) {
        struct user **end = &emulator->users;
        while (*end)
            end = &(*end)->next;
        *end = TAKE(take_fresh);
        user = *end;
    }
    emulator_unlock(emulator);
    user_free(take_fresh);
    return user;
}

/* Call with issuing taken: it keeps the numbers of certificates apart. */
static enum sca_status issue_one(struct emulator *emulator, struct user *user)
{
    struct issuer issuer = issuer_of(emulator);
    struct certificate *certificate = NULL;
    enum sca_status status = certificate_issue(&issuer, user, user->certificate_count + 1,
                                               standard_dates, true, &certificate);
    if (status != SCA_OK)
        return status;
    emulator_lock(emulator);
    user_add_certificate(user, certificate);
    emulator_unlock(emulator);
    return SCA_OK;
}

enum sca_status emulator_add_user(struct emulator *emulator, const char *id, const char *name,
                                  unsigned count)
{
    struct user *fresh = NULL;
    enum sca_status status = user_new(id, name, &fresh);
    if (status != SCA_OK)
        return status;
    (void)pthread_mutex_lock(&emulator->issuing);
    struct user *user = enter_user(emulator, fresh);
    for (unsigned i = 0; status == SCA_OK && i < count; i++)
        status = issue_one(emulator, user);
    (void)pthread_mutex_unlock(&emulator->issuing);
    return status;
}

static enum sca_status replace(struct emulator *emulator, struct user *user,
                               struct certificate *old, struct pki_leaf dates, bool with_new_key)
{
    struct issuer issuer = issuer_of(emulator);
    struct certificate *certificate = NULL;
    unsigned number = with_new_key ? user->certificate_count + 1 : old->number;
    enum sca_status status = certificate_issue(&issuer, user, number, dates, false, &certificate);
    if (status != SCA_OK)
        return status;
    emulator_lock(emulator);
    old->is_replaced = true;
    user_add_certificate(user, certificate);
    emulator_unlock(emulator);
    return SCA_OK;
}

enum sca_status emulator_replace_certificate(struct emulator *emulator, const char *user_id,
                                             const char *serial, struct pki_leaf dates,
                                             bool with_new_key)
{
    (void)pthread_mutex_lock(&emulator->issuing);
    emulator_lock(emulator);
    struct user *user = emulator_find_user(emulator, user_id);
    struct certificate *old = user ? user_find_certificate(user, serial) : NULL;
    emulator_unlock(emulator);
    if (dates.from_days == 0 && dates.to_days == 0)
        dates = standard_dates;
    enum sca_status status =
        old ? replace(emulator, user, old, dates, with_new_key) : SCA_NOT_FOUND;
    (void)pthread_mutex_unlock(&emulator->issuing);
    return status;
}

void emulator_reset(struct emulator *emulator)
{
    emulator_lock(emulator);
    emulator->behaviour = emulator->options->behaviour;
    emulator->rule = (struct phone_rule){.action = PHONE_APPROVE};
    emulator->pushes = 0;
    memset(emulator->requests, 0, sizeof(emulator->requests));
    fault_queue_clear(&emulator->faults);
    transaction_table_clear(&emulator->transactions);
    (void)econtract_reset(&emulator->econtract); /* without memory: fewer people in it */
    for (struct user *user = emulator->users; user; user = user->next)
        user_reset(user);
    emulator_unlock(emulator);
    request_log_clear(&emulator->log);
}
