/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slots of the process: found by id, each with its token, its login state and its objects.
 * The table only grows between C_Initialize and C_Finalize, so a slot once found stays.
 */
#ifndef MODULE_TOKEN_SLOT_H
#define MODULE_TOKEN_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "module/backend/backend.h"
#include "module/cryptoki.h"
#include "module/token/snapshot.h"
#include "remote/base/lock.h"

enum slot_login {
    SLOT_PUBLIC,
    SLOT_USER,
    SLOT_SO,
};

struct slot {
    struct token *token;
    struct lock lock; /* guards the rest */
    enum slot_login login;
    struct snapshot *snapshot; /* made at first use; NULL until then */
    CK_ULONG sessions;
    CK_ULONG rw_sessions;
};

/* Makes the table from what the backends know without network. backends is borrowed. */
enum sca_status slot_start(struct backends *backends);
void slot_stop(void);

/* Forgets the table without touching it: in a forked child, or when a call is stuck in it. */
void slot_abandon_all(void);

/* CKR_OK and the slot, or CKR_SLOT_ID_INVALID. */
CK_RV slot_find(CK_SLOT_ID id, struct slot **ret_slot);

/* The same, with a token in it, or CKR_TOKEN_NOT_PRESENT. */
CK_RV slot_find_present(CK_SLOT_ID id, struct slot **ret_slot);

/* A reference to the token's objects. */
CK_RV slot_snapshot(struct slot *slot, struct snapshot **ret_snapshot);

/* Login state; slot_logout also tells the backend, without a lock held. */
enum slot_login slot_login_state(struct slot *slot);
CK_RV slot_logout(struct slot *slot);

/* Is the object visible in the slot's present login state? */
bool slot_shows(struct slot *slot, const struct object *object);

#endif
