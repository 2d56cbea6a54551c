/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forward backend: tokens of other PKCS#11 modules, one slot each, write-protected. Objects are
 * read into our own model, with handles of our own; only signing, login and PINs go to the token.
 */
#ifndef MODULE_BACKEND_FORWARD_H
#define MODULE_BACKEND_FORWARD_H

#include "module/backend/attributes.h"
#include "module/backend/backend.h"
#include "module/backend/inner.h"
#include "remote/base/lock.h"
#include "remote/config/config.h"
#include "remote/keystore/pin_memory.h"

/* One [token] section. */
struct forward_section {
    const struct token_config *config; /* borrowed */
    struct inner *_Atomic inner;       /* NULL: not loaded, or refused */
    char why[INNER_WHY_SIZE];          /* what was logged last of a module that is refused */
    _Atomic uint64_t failing_ms;       /* since when its tokens cannot be read; 0: they can */
};

/* Texts of a token and its slot, trimmed. */
struct forward_identity {
    char serial[17];
    char label[33];
    char manufacturer[33];
    char model[17];
    char description[65];
};

/* A token that is there now. */
struct forward_seen {
    struct forward_section *section;
    CK_SLOT_ID inner_slot;
    CK_SLOT_ID id; /* the slot it should have here: the same in every run */
    struct forward_identity identity;
    CK_FLAGS flags;
    CK_ULONG pin_min;
    CK_ULONG pin_max;
};

struct forward_scan {
    struct forward_seen *items;
    size_t count;
    uint64_t sum; /* changes when tokens come, go or change */
};
void forward_scan_fini(struct forward_scan *scan);

/* All sections. */
struct forwards {
    struct forward_section *sections;
    size_t count;
    atomic_bool is_loaded;       /* nothing is asked before the first list of slots */
    _Atomic uint64_t retried_ms; /* when what had failed was tried last */
    atomic_bool is_partial;      /* a token that is there could not be made at the last look */
    atomic_bool has_news;        /* something else was seen since */
    struct lock lock;            /* guards the rest */
    struct forward_scan last;    /* the look that was remembered */
};

/* SCA_NOMEM. Nothing is loaded yet; config must outlive it. */
enum sca_status forwards_init(struct forwards *forwards, const struct config *config);
void forwards_fini(struct forwards *forwards);

/* Loads the modules, and again those that did not start. Failures are logged, with file and line,
 * and take the section's own slots away. One thread at a time. False: there is no section. */
bool forwards_load(struct forwards *forwards);

/* What is plugged in now; a token that cannot be read for a moment, as it was remembered.
 * SCA_NOMEM. Any thread. The caller _fini()s it. */
enum sca_status forwards_scan(struct forwards *forwards, struct forward_scan *ret_scan);

/* Has something come or gone since the last scan that was remembered, or is it time to try what
 * failed? Any thread. */
bool forwards_have_changed(struct forwards *forwards);

/* Takes the scan, and leaves the one before in its place. */
void forwards_remember(struct forwards *forwards, struct forward_scan *scan, bool is_partial);

/* How often to look while somebody waits, milliseconds; 0: no need. */
unsigned forwards_poll_ms(const struct forwards *forwards);

/* A token in the slot of that id. SCA_NOMEM; SCA_GONE when it has just gone. */
enum sca_status forward_token_new(const struct forward_seen *seen, CK_SLOT_ID id,
                                  struct token **ret_token);

/* Is it a token of this backend, and of that identity? */
bool forward_token_is(const struct token *token, const struct forward_seen *seen);
bool forward_token_is_one(const struct token *token);

/* It is (again) in that slot of its module; it is not there any more. */
void forward_token_attach(struct token *token, CK_SLOT_ID inner_slot);
void forward_token_detach(struct token *token);

/* Below: for forward_*.c only. */

enum { FORWARD_IDLE_MAX = 32, FORWARD_MECHANISMS_MAX = 24 };

/* A private key, as the last list found it. */
struct forward_key {
    unsigned number; /* of our object */
    CK_OBJECT_HANDLE handle;
    bool wants_login_each_time; /* CKA_ALWAYS_AUTHENTICATE */
};

struct forward_keys {
    struct forward_key *items;
    size_t count;
};

struct forward_token {
    struct token base;
    struct forward_section *section; /* borrowed */
    struct inner *inner;
    struct forward_identity identity;
    CK_MECHANISM_TYPE mechanisms[FORWARD_MECHANISMS_MAX];
    struct lock lock; /* guards the rest */
    bool is_there;
    CK_SLOT_ID inner_slot;
    unsigned long generation; /* of the module, that what follows belongs to */
    CK_SESSION_HANDLE idle[FORWARD_IDLE_MAX];
    size_t idle_count;
    CK_SESSION_HANDLE login; /* keeps the user logged in; CK_INVALID_HANDLE: nobody is */
    bool is_login_ours;      /* false: the host had logged in itself */
    bool was_left;           /* by a logout: what the host does is not taken for a login now */
    struct forward_keys keys;
    struct pin_memory wrong;
};

/* forward_session.c: one inner session for each call that is inside, kept for the next. */
struct forward_lease {
    CK_SESSION_HANDLE session;
    CK_SLOT_ID slot; /* of the module, that it is in */
    unsigned long generation;
    struct forward_key key; /* number 0: there is none such */
};

/* Enters the module and borrows a session, or opens one, and looks up the key of that number (0: no
 * key). Waits for a session that another call gives back where the token has no more; call may be
 * NULL: then not. To be given back unless it fails. */
CK_RV forward_take(struct forward_token *token, struct call *call, unsigned key_number,
                   struct forward_lease *ret_lease);

/* is_sound: it can be used again. */
void forward_give(struct forward_token *token, const struct forward_lease *lease, bool is_sound);

/* Closes the sessions that nobody uses; is_void: they are no more, and their handles may be
 * others'.
 */
void forward_drop_sessions(struct forward_token *token, bool is_void);

/* May the call be tried once more, with everything asked for anew? Does what is to be done first.
 */
bool forward_recover(struct forward_token *token, CK_RV rv);

/* forward_code.c: what an inner code means outside; the note says which call of which module. */
enum forward_act { FORWARD_SIGN = 1, FORWARD_LOGIN = 2, FORWARD_SET_PIN = 4 };
enum sca_status forward_fail(const struct forward_token *token, struct call *call, CK_RV rv,
                             enum forward_act act);
CK_RV forward_code(CK_RV inner, enum forward_act act);

/* For what is read, where there is no call to tell the code: SCA_NOMEM, SCA_GONE, SCA_INVALID. */
enum sca_status forward_status(CK_RV inner);

/* forward_sign.c: the mechanisms of the list that we can pass on, into out. */
size_t forward_mechanisms(const CK_MECHANISM_TYPE *offered, size_t count,
                          CK_MECHANISM_TYPE out[static FORWARD_MECHANISMS_MAX]);

/* forward_object.c: one object of the token; what is not there, or not as it should be, is left
 * out.
 */
struct forward_object {
    struct buf values; /* attributes lie in it */
    struct attributes attributes;
    CK_OBJECT_CLASS class;
    bool is_private;
    bool wants_login_each_time;
    uint64_t hash; /* of what tells it from the token's others in every run */
};

/* In a session of the token, between forward_take and forward_give. The caller _fini()s it, also
 * after a failure. */
CK_RV forward_object_read(const struct inner *inner, CK_SESSION_HANDLE session,
                          CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS class,
                          struct forward_object *ret_object);
void forward_object_fini(struct forward_object *object);

/* forward_spki.c: CKA_PUBLIC_KEY_INFO of a public key that lacks it, from its other attributes. The
 * caller buf_fini()s ret_spki. SCA_INVALID: it is no key that OpenSSL knows. SCA_NOMEM. */
enum sca_status forward_spki(const struct attributes *attributes, struct buf *ret_spki);

/* The same sum for the same bytes everywhere: FNV-1a. */
uint64_t forward_sum(uint64_t sum, const void *bytes, size_t len);
#define FORWARD_SUM_START UINT64_C(0xcbf29ce484222325)

/* Members of struct token_ops. */
enum sca_status forward_list(struct token *base, struct object_sink *sink);
enum sca_status forward_sign(struct token *base, struct call *call, const struct sign_job *job,
                             uint8_t *sig);
enum sca_status forward_login(struct token *base, struct call *call, enum token_user user,
                              const struct secret *pin);
void forward_logout(struct token *base);
bool forward_is_logged_in(struct token *base);
enum sca_status forward_state(struct token *base, struct token_state *ret_state);
enum sca_status forward_set_pin(struct token *base, struct call *call, enum token_user user,
                                const struct secret *old_pin, const struct secret *new_pin);

#endif
