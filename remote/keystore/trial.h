/* SPDX-License-Identifier: Apache-2.0 */
/* Who may try PINs of a token, and the master key behind them. */
#ifndef REMOTE_KEYSTORE_TRIAL_H
#define REMOTE_KEYSTORE_TRIAL_H

#include "remote/base/call.h"
#include "remote/keystore/shelf.h"

/* 6 to 64 bytes: may this be a new PIN? */
bool trial_is_pin(const struct secret *pin);

struct trial {
    struct shelf shelf;
    int turn;                   /* NAME.login */
    struct tokenfile_head head; /* read after the turn came */
};

/*
 * AUTO(trial_fini) struct trial trial = {.turn = -1}. Waits for the turn, up to a minute or the
 * call's deadline, cancellably; until trial_fini nobody else tries a PIN of this token, or changes
 * one. SCA_NOT_FOUND, SCA_INVALID, SCA_IO, SCA_CANCELLED, with a note where there is more to say.
 */
enum sca_status trial_begin(const struct keystore *keystore, struct call *call,
                            struct trial *trial);
void trial_fini(struct trial *trial);

/* keystore_login, with the turn held. */
enum sca_status trial_try(const struct trial *trial, enum keystore_user user,
                          const struct secret *pin, struct pin_memory *memory,
                          struct secret **ret_master_key);

/* The master key under a new PIN, for head. */
enum sca_status trial_wrap(struct tokenfile_head *head, enum keystore_user user,
                           const struct secret *master_key, const struct secret *pin,
                           unsigned cost);

#endif
