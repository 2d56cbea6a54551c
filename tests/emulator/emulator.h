/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the emulated service. */
#ifndef TESTS_EMULATOR_EMULATOR_H
#define TESTS_EMULATOR_EMULATOR_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/emulator/behaviour.h"
#include "tests/emulator/econtract.h"
#include "tests/emulator/fault.h"
#include "tests/emulator/options.h"
#include "tests/emulator/request_log.h"
#include "tests/emulator/transaction.h"
#include "tests/emulator/user.h"

struct emulator {
    const struct options *options; /* lent */
    struct hsm *hsm;
    struct pki *pki;
    struct request_log log;
    int stop_fd;      /* readable once everybody has to end */
    atomic_uint port; /* set once the server listens, when its threads run already */
    atomic_ulong connections;
    pthread_mutex_t
        issuing; /* one thread at a time makes keys and certificates; taken before lock */

    pthread_mutex_t lock; /* guards all below; held shortly, never while signing or waiting */
    struct behaviour behaviour;
    struct fault_queue faults;
    struct phone_rule rule; /* of users without one of their own */
    struct user *users;     /* never removed before the end */
    struct transaction_table transactions;
    struct econtract econtract;
    unsigned long requests[ENDPOINT_COUNT];
    unsigned long pushes;
};

/* Opens the folder, the token and the CAs, and makes the users of the options. Complains. */
enum sca_status emulator_open(struct emulator *emulator, const struct options *options);
void emulator_close(struct emulator *emulator);

/* Wakes every waiting thread, for good. */
void emulator_stop(struct emulator *emulator);

void emulator_lock(struct emulator *emulator);
void emulator_unlock(struct emulator *emulator);

/* Adds count certificates to the user id, who is created if need be (name is for that). */
enum sca_status emulator_add_user(struct emulator *emulator, const char *id, const char *name,
                                  unsigned count);

/*
 * Replaces one certificate, given by its serial ("": the first one), by a new one that is valid
 * between the days of dates, with a new key or the old one.
 */
enum sca_status emulator_replace_certificate(struct emulator *emulator, const char *user_id,
                                             const char *serial, struct pki_leaf dates,
                                             bool with_new_key);

/* Lends; NULL if there is none. Call with the lock. */
struct user *emulator_find_user(struct emulator *emulator, const char *id);

/* The same among those the service knows of: not somebody who has only asked for it in VNeID. */
struct user *emulator_find_account(struct emulator *emulator, const char *id);

/* Back to the state after the start, but for users and certificates added since. */
void emulator_reset(struct emulator *emulator);

#endif
