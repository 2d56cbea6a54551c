/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/wrong_pins.h"

#include "remote/base/secret.h"

enum { STEP_MS = 10 }; /* a try takes a tenth of a second */

void wrong_pins_init(struct wrong_pins *pins, struct lock *lock)
{
    *pins = (struct wrong_pins){.lock = lock};
}

void wrong_pins_fini(struct wrong_pins *pins)
{
    secret_wipe(pins->memory, sizeof(pins->memory));
}

static bool try_borrow(struct wrong_pins *pins, enum token_user user, struct pin_memory *ret_memory)
{
    lock_take(pins->lock);
    bool is_free = !pins->is_lent;
    pins->is_lent = true;
    if (is_free)
        *ret_memory = pins->memory[user];
    lock_drop(pins->lock);
    return is_free;
}

enum sca_status wrong_pins_borrow(struct wrong_pins *pins, enum token_user user, struct call *call,
                                  struct pin_memory *ret_memory)
{
    while (!try_borrow(pins, user, ret_memory)) {
        enum sca_status st = call_wait(call, STEP_MS);
        if (st == SCA_UNCONFIRMED)
            return call_fail(call, SCA_IO, "other threads keep trying PINs; try again");
        if (st != SCA_OK)
            return st;
    }
    return SCA_OK;
}

void wrong_pins_return(struct wrong_pins *pins, enum token_user user, struct pin_memory *memory)
{
    lock_take(pins->lock);
    pins->memory[user] = *memory;
    pins->is_lent = false;
    lock_drop(pins->lock);
    secret_wipe(memory, sizeof(*memory));
}
