/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process remembers of wrong PINs (keystore.h, pin_memory.h), shared by its threads. One
 * of them has it while it tries a PIN, so that the same wrong one, tried by many at once, is still
 * counted once.
 */
#ifndef MODULE_BACKEND_WRONG_PINS_H
#define MODULE_BACKEND_WRONG_PINS_H

#include "module/backend/backend.h"
#include "remote/base/lock.h"
#include "remote/keystore/pin_memory.h"

struct wrong_pins {
    struct lock *lock; /* borrowed; guards the two below */
    bool is_lent;
    struct pin_memory memory[2]; /* by enum token_user */
};

void wrong_pins_init(struct wrong_pins *pins, struct lock *lock);

/* Wipes what is remembered. */
void wrong_pins_fini(struct wrong_pins *pins);

/* Waits for its turn; the caller returns what it was lent. SCA_CANCELLED; SCA_IO with a note at the
 * call's deadline. */
enum sca_status wrong_pins_borrow(struct wrong_pins *pins, enum token_user user, struct call *call,
                                  struct pin_memory *ret_memory);

/* Wipes memory. */
void wrong_pins_return(struct wrong_pins *pins, enum token_user user, struct pin_memory *memory);

#endif
