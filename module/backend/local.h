/* SPDX-License-Identifier: Apache-2.0 */
/* The local backend: self-signed certificates' tokens on this computer, and the empty slot. */
#ifndef MODULE_BACKEND_LOCAL_H
#define MODULE_BACKEND_LOCAL_H

#include "module/backend/backend.h"
#include "module/backend/local_keys.h"
#include "module/backend/wrong_pins.h"
#include "remote/base/lock.h"
#include "remote/keystore/keystore.h"

struct local_token {
    struct token base;
    const char *state_dir;         /* borrowed */
    char name[KEYSTORE_NAME_SIZE]; /* written once, before base.is_spare becomes false */
    char description[48];
    struct lock lock;        /* guards the rest; nothing slow under it */
    struct local_keys *keys; /* of who is logged in; NULL: nobody */
    bool is_user;            /* it is the user: keys may open private objects */
    struct wrong_pins wrong;
};

/* A token of the catalogue, or with name NULL the empty slot. state_dir must outlive it.
 * SCA_INVALID for a name that is none of the keystore's. */
enum sca_status local_token_new(const char *state_dir, const char *name, CK_SLOT_ID slot_id,
                                struct token **ret_token);

/* If token is an empty slot of ours, it is the token called name from now on. */
void local_token_claim(struct token *token, const char *name);

/*
 * Makes catalogue entries for the tokens in the state folder that have none: after the loss of a
 * catalogue. ret_has_adopted: there are tokens, and all have entries now. Failures are logged, but
 * for SCA_NOMEM: whoever goes on without these tokens may give their slots to others.
 */
enum sca_status local_adopt(const char *state_dir, bool *ret_has_adopted);

/* Below: for local_*.c only. */

/*
 * Takes the turn to make a token, which lasts (turn_endp) until the catalogue has it, and removes
 * the files of tokens whose maker did not get that far. SCA_CANCELLED; SCA_IO with a note in call.
 */
enum sca_status local_begin_making(const char *state_dir, struct call *call, int *ret_turn);

/* Which file is the token's; false for the empty slot. */
bool local_keystore(const struct local_token *token, struct keystore *ret_keystore);

/* The head of the token's file: SCA_NOT_FOUND for the empty slot, and where the file is gone. Other
 * failures are logged. */
enum sca_status local_read_info(const struct local_token *token, struct keystore *ret_keystore,
                                struct keystore_info *ret_info);

/* A reference to the keys of who is logged in, NULL without. */
struct local_keys *local_take_keys(struct local_token *token, bool only_users);

/* Forgets whoever is logged in. */
void local_logout(struct token *base);

/* Writes why a call on the token failed, unless the note says so already. Returns status. */
enum sca_status local_fail(const struct local_token *token, struct call *call,
                           enum sca_status status);

/* Members of struct token_ops and struct token_write_ops. */
enum sca_status local_list(struct token *base, struct object_sink *sink);
enum sca_status local_apply(struct token *base, struct call *call, struct object_change *changes,
                            size_t count);
enum sca_status local_load_key(struct token *base, struct call *call, unsigned number,
                               enum sca_status (*decode)(struct span der, EVP_PKEY **ret_key),
                               EVP_PKEY **ret_key);
enum sca_status local_login(struct token *base, struct call *call, enum token_user user,
                            const struct secret *pin);
enum sca_status local_init_token(struct token *base, struct call *call, const struct secret *so_pin,
                                 struct span label);
enum sca_status local_init_pin(struct token *base, struct call *call, const struct secret *pin);
enum sca_status local_set_pin(struct token *base, struct call *call, enum token_user user,
                              const struct secret *old_pin, const struct secret *new_pin);

#endif
