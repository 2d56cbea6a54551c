/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slots of the process: found by id, each with its token, its login state and its objects.
 * The table only grows between C_Initialize and C_Finalize, so a slot once found stays. Tokens come
 * and go in it (slot_look.h); one that was in a slot stays valid until C_Finalize.
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
    CK_SLOT_ID id;
    /* Exchanged while the slot is empty only, so that a session has one token all its life. */
    struct token *_Atomic token;
    atomic_bool is_present; /* there is a token in it, and it has not gone */
    atomic_bool is_listed;  /* an application has asked since it was found (see slot_list) */
    atomic_bool has_event;  /* something has happened in it that no caller was told */
    atomic_ulong logins;    /* how many there were: one is told from the next */
    struct lock lock;       /* guards the rest, and changes of logins */
    enum slot_login login;
    struct snapshot *token_objects;   /* as far as known; NULL: to be asked for */
    uint64_t stamp;                   /* the token's when they were asked for */
    uint64_t epoch;                   /* rises when token_objects are forgotten */
    struct snapshot *session_objects; /* NULL: none */
    CK_ULONG sessions;
    CK_ULONG rw_sessions;
    bool is_being_made; /* C_InitToken is at it: no session is opened */
};

/* Makes the table from what the backends know without network. backends is borrowed. */
enum sca_status slot_start(struct backends *backends);
void slot_stop(void);

/* Forgets the table without touching it: in a forked child, or when a call is stuck in it. */
void slot_abandon_all(void);

/* CKR_OK and the slot, or CKR_SLOT_ID_INVALID. */
CK_RV slot_find(CK_SLOT_ID id, struct slot **ret_slot);

/* The same, also for an id of a list before C_Finalize or fork(): may ask the backends. */
CK_RV slot_find_again(CK_SLOT_ID id, struct slot **ret_slot);

/* That, with a token in it, or CKR_TOKEN_NOT_PRESENT. */
CK_RV slot_find_present(CK_SLOT_ID id, struct slot **ret_slot);

/* May applications write to the token? */
bool slot_is_writable(const struct slot *slot);

/*
 * The login state. slot_enter makes it user's or security officer's: CKR_SESSION_CLOSED when the
 * last session went meanwhile, CKR_USER_ALREADY_LOGGED_IN when another thread was faster.
 * slot_logout also tells the backend, without a lock held. slot_logout_if ends a login that has not
 * been followed by another: the one that slot_login_number told.
 */
enum slot_login slot_login_state(struct slot *slot);
CK_RV slot_enter(struct slot *slot, enum slot_login login);
CK_RV slot_logout(struct slot *slot);
uint64_t slot_login_number(struct slot *slot);
void slot_logout_if(struct slot *slot, uint64_t number);

/* Counts a session in, or says why it may not be; and out: the last one takes the login with it. */
CK_RV slot_count_in(struct slot *slot, bool is_rw);
void slot_count_out(struct slot *slot, bool is_rw);

/* The next question for the length of the list of slots looks for new ones (slot_look.c). */
void slot_expect_new(void);

/* slot_objects.c */

/* References to the token's objects; is_fresh: with what other processes wrote. */
CK_RV slot_snapshot(struct slot *slot, bool is_fresh, struct snapshot **ret_snapshot);

/* The session objects, NULL if there are none. A reference. */
struct snapshot *slot_session_objects(struct slot *slot);

/*
 * The object of that handle, token's or session's, a reference for the caller; whether it is
 * visible is not looked at. CKR_OBJECT_HANDLE_INVALID if there is none.
 */
CK_RV slot_object(struct slot *slot, CK_OBJECT_HANDLE handle, struct object **ret_object);

/* Is that still the object of the handle, and visible now? One lock, no reference. */
bool slot_still_shows(struct slot *slot, CK_OBJECT_HANDLE handle, const struct object *object);

/* Is the object visible in that login state? */
bool slot_shows(enum slot_login login, const struct object *object);

/*
 * Adds a session object, as a change of replaced unless that is NULL. CKR_HOST_MEMORY;
 * CKR_OBJECT_HANDLE_INVALID: replaced is not what its handle stands for any more;
 * CKR_SESSION_CLOSED and CKR_USER_NOT_LOGGED_IN: meanwhile.
 */
struct session;
CK_RV slot_put_session_object(struct slot *slot, struct object *object,
                              const struct object *replaced, struct session *s);

/* Forgets session objects: one (CKR_HOST_MEMORY), those of a session, the private ones. */
CK_RV slot_remove_session_object(struct slot *slot, CK_OBJECT_HANDLE handle);
void slot_remove_session_objects_of(struct slot *slot, CK_SESSION_HANDLE owner);
void slot_remove_private_session_objects(struct slot *slot);

/* The token's objects have changed, or who may see them. */
void slot_forget_objects(struct slot *slot);
void slot_forget_objects_locked(struct slot *slot, struct snapshot **ret_old) REQUIRES(slot->lock);

#endif
