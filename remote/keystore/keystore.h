/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens whose keys are on this computer, one file each in the state folder's "tokens"
 * (R-C5, R-C6, R-E4, R-E5). A random master key seals private objects; the user's
 * and the security officer's PIN each wrap that key (scrypt, AES-256-GCM).
 *
 *   tokens/NAME.token      the token, replaced atomically; checked by a digest over all of it
 *   tokens/NAME.token.old  the generation before
 *   tokens/NAME.pins       wrong PINs since the last right one, written before a PIN is tried
 *   tokens/NAME.lock       held while the token is written
 *   tokens/NAME.login      held while a PIN is tried
 *
 * Knows nothing of PKCS#11: what an object is, its owner has serialised. Every function may be
 * called from any thread and process; none keeps anything but in what it returns.
 */
#ifndef REMOTE_KEYSTORE_KEYSTORE_H
#define REMOTE_KEYSTORE_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/call.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"
#include "remote/keystore/pin_memory.h"

enum {
    KEYSTORE_NAME_SIZE = 33, /* 32 lower-case hex digits and a NUL */
    KEYSTORE_SERIAL_SIZE = 17,
    KEYSTORE_LABEL_SIZE = 33,
    KEYSTORE_PIN_MIN = 6, /* bytes */
    KEYSTORE_PIN_MAX = 64,
    KEYSTORE_PIN_TRIES = 10,
    KEYSTORE_OBJECTS_MAX = 100000,
};

/* Which token: tokens/name.* in state_dir. Borrowed. */
struct keystore {
    const char *state_dir;
    const char *name;
    const char *folder; /* in place of "tokens"; NULL: that */
};

enum keystore_user {
    KEYSTORE_USER,
    KEYSTORE_SO,
};

/* log2 of scrypt's N; r = 8, p = 1. What is stored is honoured from 10 to 20. */
enum { KEYSTORE_COST = SMARTCA_PIN_COST };

struct keystore_info {
    char serial[KEYSTORE_SERIAL_SIZE]; /* lower-case hex, random */
    char label[KEYSTORE_LABEL_SIZE];   /* UTF-8 */
    uint32_t slot_id;
    bool has_user_pin;
    unsigned wrong_user_pins;
    unsigned wrong_so_pins;
    uint64_t generation; /* rises with every write */
};

/* A name that no token has yet, for keystore_create. */
enum sca_status keystore_new_name(char ret_name[static KEYSTORE_NAME_SIZE]);

/* Makes the token: no objects, no user PIN. label is cut at a character to 32 bytes; slot_id is
 * only kept (so that a lost catalogue can be made anew). SCA_INVALID for a PIN of another length.
 */
enum sca_status keystore_create(const struct keystore *keystore, struct call *call,
                                const struct secret *so_pin, struct span label, uint32_t slot_id,
                                unsigned cost);

/* The same in place of a token whose SO PIN this is: all objects and the user's PIN are gone
 * (one generation is kept as NAME.token.old until the next write). Serial number new, slot_id and
 * the next object's number as before. */
enum sca_status keystore_reset(const struct keystore *keystore, struct call *call,
                               const struct secret *so_pin, struct span label, unsigned cost);

/* One object. body and key are opaque here; those of a private object are sealed on disk. */
struct keystore_object {
    uint32_t number; /* 1 and more, never used again within a token */
    bool is_private;
    struct span body;
    struct span key; /* private objects only */
};

/*
 * Makes a token whole: the user's PIN and these objects, whose numbers do not matter, no label and
 * no security officer. In place of what is there, be it damaged, and all at once: with any other
 * status than SCA_OK everything is as it was. SCA_INVALID for a PIN of another length.
 */
enum sca_status keystore_replace(const struct keystore *keystore, struct call *call,
                                 const struct secret *pin, unsigned cost,
                                 const struct keystore_object *objects, size_t count);

/*
 * Removes what is left in state_dir/tokens of tokens that are not there: a crash came before they
 * were, or they were removed. None that somebody makes right now; best effort. Not for vaults,
 * whose names come again.
 */
void keystore_sweep(const char *state_dir);

/* Reads the head only. SCA_NOT_FOUND, SCA_IO, SCA_INVALID with the reason in why (static text). */
enum sca_status keystore_info(const struct keystore *keystore, struct keystore_info *ret_info,
                              const char **why);

/*
 * Tries the PIN and returns the master key. The try is counted on disk before the key derivation
 * and forgiven after success, with NAME.login held meanwhile, so that neither a crash nor many
 * processes gain a try. The wrong PIN tried last is not counted again: its first three repeats are
 * SCA_USER_AUTH, then SCA_PIN_LOCKED (NSS repeats for ever); memory is guarded by the caller
 * and forgotten when the token's PIN was changed meanwhile.
 * SCA_USER_AUTH; SCA_PIN_LOCKED; SCA_NOT_FOUND when that user has no PIN; SCA_INVALID for an empty
 * PIN, or a damaged token; SCA_IO. Waits, cancellable by call, while others try.
 */
enum sca_status keystore_login(const struct keystore *keystore, struct call *call,
                               enum keystore_user user, const struct secret *pin,
                               struct pin_memory *memory, struct secret **ret_master_key);

/* Wraps the master key for the user with a new PIN and forgets wrong ones: C_InitPIN. */
enum sca_status keystore_init_pin(const struct keystore *keystore, struct call *call,
                                  const struct secret *master_key, const struct secret *pin,
                                  unsigned cost);

/* Tries old_pin as keystore_login does, then wraps with new_pin. SCA_INVALID for its length. */
enum sca_status keystore_set_pin(const struct keystore *keystore, struct call *call,
                                 enum keystore_user user, const struct secret *old_pin,
                                 const struct secret *new_pin, struct pin_memory *memory,
                                 unsigned cost);

/*
 * Hands every object to each, in rising number; without a master key the public ones only. Spans
 * are lent for the call of each; wiped afterwards. With a number (not 0) only that object, or
 * SCA_NOT_FOUND. Stops at the first status that is not SCA_OK and returns it. SCA_GONE: the master
 * key is of a token that was there before. SCA_INVALID with the reason in why: damaged.
 */
enum sca_status
keystore_read(const struct keystore *keystore, const struct secret *master_key, uint32_t number,
              enum sca_status (*each)(void *arg, const struct keystore_object *object), void *arg,
              const char **why);

/* The generation of the file now: one stat, no reading. 0 when it cannot be told. Two equal
 * answers mean that nobody wrote in between. */
uint64_t keystore_stamp(const struct keystore *keystore);

struct keystore_change {
    bool is_removed;
    /* Is the stored body what the change was made from? NULL: whatever it is. Called once, with the
     * lock held; arg is the change's own. */
    bool (*is_base)(const void *arg, struct span body);
    const void *arg;
    struct keystore_object object; /* number 0: a new one, whose number is put here; an empty key
                                      leaves that of an existing object as it is */
};

/*
 * Writes all changes or none; what other processes wrote meanwhile stays. master_key may be NULL
 * when only public objects are concerned, else SCA_USER_AUTH. An object cannot become private or
 * public. SCA_NOT_FOUND, SCA_BUSY (is_base said no), SCA_GONE, SCA_NO_SPACE, SCA_CANCELLED, SCA_IO
 * (also when NAME.lock is not free within five seconds), SCA_INVALID (damaged; over a limit).
 */
enum sca_status keystore_write(const struct keystore *keystore, struct call *call,
                               const struct secret *master_key, struct keystore_change *changes,
                               size_t count);

/* Removes the token and all that belongs to it. SCA_OK also if there was none. SCA_IO. */
enum sca_status keystore_remove(const struct keystore *keystore);

/* Names of the tokens that are there, each once; for making a lost catalogue anew. No folder: 0.
 * Stops at the first status that is not SCA_OK and returns it. */
enum sca_status keystore_each_name(const char *state_dir,
                                   enum sca_status (*each)(void *arg, const char *name), void *arg);

#endif
