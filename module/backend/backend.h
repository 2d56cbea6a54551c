/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a token's keys live. A backend turns configuration and catalogue into tokens, one per
 * slot; everything that is the same for all of them (attributes, find, length queries, hashing,
 * session states, mechanism checks, verifying) is done once, in module/token.
 */
#ifndef MODULE_BACKEND_BACKEND_H
#define MODULE_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "module/cryptoki.h"
#include "remote/base/bytes.h"
#include "remote/base/call.h"
#include "remote/base/crypto.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"

struct token;

/* Takes the objects of a token one by one. add copies the attributes. */
struct object_sink {
    /*
     * number tells the object from the token's others and is the same in every run (below
     * OBJECT_NUMBERS). A private object is visible after login only. SCA_OK or SCA_NOMEM.
     */
    enum sca_status (*add)(struct object_sink *sink, unsigned number, bool is_private,
                           const CK_ATTRIBUTE *attributes, CK_ULONG count);
};

enum { OBJECT_NUMBERS = 256 };

/* What a key is to sign. input is the digest where token->signs_digests, else what the caller gave.
 */
struct sign_job {
    CK_MECHANISM_TYPE mechanism;
    enum crypto_hash hash; /* of the digest; CRYPTO_NO_HASH where input is not a digest */
    struct span input;
    unsigned key_number; /* of the private key object */
};

/*
 * One const table per kind of token; login and logout may be NULL.
 *
 * Threads: every member may be called from several threads at once, never with a lock held.
 * Time: every wait ends at the call's deadline, or soon after the call is cancelled.
 * Failure: output is written on SCA_OK only; the reason goes into the call's note (call_fail).
 */
struct token_ops {
    /* Hands every object to the sink. No network. */
    enum sca_status (*list)(struct token *token, struct object_sink *sink);

    /* May the key be used now, as far as is known without asking anybody? For C_SignInit. */
    enum sca_status (*check)(struct token *token, struct call *call);

    /* Signs; sig has room for the key's signature length and is filled completely. */
    enum sca_status (*sign)(struct token *token, struct call *call, const struct sign_job *job,
                            uint8_t *sig);

    /* Checks the PIN. NULL where none is needed: any login succeeds. */
    enum sca_status (*login)(struct token *token, struct call *call, const struct secret *pin);
    void (*logout)(struct token *token);

    /* How long a signature may take, milliseconds: the deadline of the call that asks for one. */
    uint64_t (*patience_ms)(const struct token *token);

    void (*free)(struct token *token);
};

/* What C_GetTokenInfo and C_GetSlotInfo show. Texts are UTF-8 of any length, cut by the caller. */
struct token_identity {
    const char *slot_description;
    const char *manufacturer;
    const char *label;
    const char *model;
    char serial[17];
};

/* A token in its slot. Backends embed it at the start of their own struct. Immutable but for ops'
 * doing. */
struct token {
    const struct token_ops *ops;
    CK_SLOT_ID slot_id;
    struct token_identity identity;
    const CK_MECHANISM_TYPE *mechanisms; /* what it can sign with */
    size_t mechanism_count;
    const enum crypto_hash
        *hashes; /* signs_digests: what CKM_RSA_PKCS may carry in its DigestInfo */
    size_t hash_count;
    CK_ULONG pin_min; /* bytes; 0 and 0 where there is no PIN */
    CK_ULONG pin_max;
    bool is_present; /* false: a slot without a token in it */
    bool needs_login;
    bool has_user_pin;
    bool has_protected_path;
    bool has_random;
    bool signs_digests; /* the key never sees more than a digest: DigestInfo is taken apart here */
};

/* All tokens of this process, grown by backends. */
struct token_list {
    struct token **items;
    size_t count;
};

/* Adds take_token to the list, or frees it. SCA_OK or SCA_NOMEM. */
enum sca_status token_list_add(struct token_list *list, struct token *take_token);

/* Frees the tokens and empties the list. */
void token_list_fini(struct token_list *list);

struct config;

/* Everything the backends keep between C_Initialize and C_Finalize. */
struct backends;

/* Reads nothing but the configuration (borrowed) and the state folder. No network. */
enum sca_status backends_open(const struct config *config, struct backends **ret_backends);
void backends_close(struct backends *backends);

/* The tokens that the state folder knows now; known already (by slot id) are left out. */
enum sca_status backends_tokens(struct backends *backends, const struct token_list *known,
                                struct token_list *ret_new);

/*
 * Fetches what has never been fetched, within the connect time-outs; true if backends_tokens may
 * now have more to tell. Called once, by the first C_GetSlotList. Failures are logged.
 */
bool backends_discover(struct backends *backends, bool (*keep_going)(void *));

/* In a forked child, before anything else: lets go of what the parent's threads and sockets hold.
 */
void backends_abandon(void);

#endif
