/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wrong PINs since the last right one, on disk, and the trying of a PIN that is counted there
 * (R-C5). Knows nothing of what the PIN guards.
 *
 * Whoever calls pins_write or pins_try holds a turn (turn.h) that all who try take, from before the
 * wrap was read: neither many processes at once nor a crash gains a try. A copied file can be
 * attacked elsewhere all the same; against that only the cost of scrypt helps.
 */
#ifndef REMOTE_KEYSTORE_PINS_H
#define REMOTE_KEYSTORE_PINS_H

#include "remote/base/secret.h"
#include "remote/base/status.h"
#include "remote/keystore/pin_memory.h"
#include "remote/keystore/wrap.h"

enum { PINS_USERS = 2, PINS_TRIES = 10 };

/* Where the counters are. Borrowed. */
struct pins {
    const char *dir;
    const char *name;
    const uint8_t *epoch; /* WRAP_ID_SIZE bytes; counters of another epoch are zeros */
};

struct pins_counts {
    unsigned wrong[PINS_USERS];
};

/* No file: zeros. A damaged one, or one that others may write: one try is left to each user, and
 * the right PIN heals it. SCA_IO, SCA_NOMEM when it cannot be read. */
enum sca_status pins_read(const struct pins *pins, struct pins_counts *ret_counts);

/* On disk when it returns. SCA_NO_SPACE, SCA_IO, SCA_NOMEM. */
enum sca_status pins_write(const struct pins *pins, const struct pins_counts *counts);

/* The wrap that a PIN is to open, and whose PIN it is: place.user counts from 0. */
struct pins_door {
    struct pins pins;
    struct wrap_place place;
    const struct wrap *wrap;
};

/*
 * Counts the try on disk, tries, and forgives it after success. What memory holds is not tried
 * again (pin_memory.h). SCA_NOT_FOUND when there is no wrap; SCA_PIN_LOCKED; SCA_USER_AUTH;
 * SCA_NO_SPACE and SCA_IO when the try cannot be counted: then it is not made.
 */
enum sca_status pins_try(const struct pins_door *door, const struct secret *pin,
                         struct pin_memory *memory, struct secret **ret_key);

#endif
