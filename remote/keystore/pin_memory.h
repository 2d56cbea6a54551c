/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wrong PIN tried last: a program that repeats it for ever, as those with NSS do, locks
 * nobody's token, and is told to stop.
 */
#ifndef REMOTE_KEYSTORE_PIN_MEMORY_H
#define REMOTE_KEYSTORE_PIN_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"

enum { PIN_MEMORY_REPEATS = 3, PIN_MEMORY_SIZE = 32 };

/* What one process remembers of wrong PINs for one user of one token; zeros at first. No PIN and
 * nothing from which one could be guessed without this process's memory. */
struct pin_memory {
    uint8_t fingerprint[PIN_MEMORY_SIZE];
    unsigned repeats;
    bool is_set;
};

/* The PIN as this process remembers it: keyed at random per process, and bound to the salt under
 * which it is tried, so that a PIN that was changed meanwhile is no repetition. */
enum sca_status pin_memory_fingerprint(struct span salt, unsigned user, const struct secret *pin,
                                       uint8_t ret_fingerprint[static PIN_MEMORY_SIZE]);

/* SCA_OK: not the one remembered, so it has to be tried. SCA_USER_AUTH for the first repetitions,
 * then SCA_PIN_LOCKED. */
enum sca_status pin_memory_ask(struct pin_memory *memory,
                               const uint8_t fingerprint[static PIN_MEMORY_SIZE]);

/* It was tried, and is wrong. */
void pin_memory_keep(struct pin_memory *memory, const uint8_t fingerprint[static PIN_MEMORY_SIZE]);

void pin_memory_forget(struct pin_memory *memory);

#endif
