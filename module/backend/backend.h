/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a token's keys live. A backend turns configuration and catalogue into tokens, one per
 * slot; everything that is the same for all of them (attributes, find, length queries, hashing,
 * session states, mechanism checks, verifying) is done once, in module/token.
 */
#ifndef MODULE_BACKEND_BACKEND_H
#define MODULE_BACKEND_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

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
     * number tells the object from the token's others and is the same in every run (1 to
     * OBJECT_NUMBER_MAX). A private object is visible after login only. SCA_OK or SCA_NOMEM.
     */
    enum sca_status (*add)(struct object_sink *sink, unsigned number, bool is_private,
                           const CK_ATTRIBUTE *attributes, CK_ULONG count);
};

enum { OBJECT_NUMBER_MAX = 0x1fffffff };

enum token_user {
    TOKEN_USER,
    TOKEN_SO, /* the security officer: tokens with struct token_write_ops only */
};

/* What changes in the life of a token that applications may write to. */
struct token_state {
    bool is_initialized; /* false: C_InitToken makes a token of it */
    bool has_user_pin;
    unsigned wrong_user_pins; /* since the last right one */
    unsigned wrong_so_pins;
    char label[33];  /* UTF-8, NUL-terminated */
    char serial[17]; /* lower-case hex */
};

/* Ten wrong PINs in a row lock. */
enum { TOKEN_PIN_TRIES = 10 };

/* A one-time password that a person types, behind the PIN or in a login of its own. */
enum { TOKEN_OTP_DIGITS = 6 };

/* One object to be written, changed or removed. */
struct object_change {
    unsigned number; /* 0: a new object, whose number is put here on success */
    bool is_removed; /* then nothing below counts */
    bool is_private;
    const CK_ATTRIBUTE *attributes; /* all of them, without CKA_UNIQUE_ID and secret parts */
    CK_ULONG count;
    const CK_ATTRIBUTE *base; /* a change of these attributes; NULL: of whatever there is */
    CK_ULONG base_count;      /* CKA_UNIQUE_ID among them does not count */
    struct span key; /* of a private key: PKCS#8 PrivateKeyInfo; empty: as it was, or none */
};

/*
 * What a token has that applications may write to. The token layer has checked login, session and
 * templates. Same rules for threads, time and failure as token_ops.
 */
struct token_write_ops {
    /* Changes whenever any process wrote to the token's objects; costs one system call at most. */
    uint64_t (*stamp)(const struct token *token);

    /*
     * Makes a token of an empty slot, or an empty token of one whose SO PIN this is. SCA_USER_AUTH,
     * SCA_PIN_LOCKED, or SCA_GONE when another process has just taken the empty slot.
     */
    enum sca_status (*init_token)(struct token *token, struct call *call,
                                  const struct secret *so_pin, struct span label);

    /* Sets the user's PIN while the SO is logged in; unlocks it too. */
    enum sca_status (*init_pin)(struct token *token, struct call *call, const struct secret *pin);

    /*
     * Writes all changes or none, durably. SCA_NOT_FOUND: an object is not there any more;
     * SCA_BUSY: an object has other attributes than its base by now;
     * SCA_NO_SPACE; SCA_GONE: another process has made a new token of this one.
     */
    enum sca_status (*apply)(struct token *token, struct call *call, struct object_change *changes,
                             size_t count);

    /* The private key of that number, a reference for the caller; user logged in. decode makes it
     * of PKCS#8 in DER: SCA_INVALID for what is no key. Called with no lock held. */
    enum sca_status (*load_key)(struct token *token, struct call *call, unsigned number,
                                enum sca_status (*decode)(struct span der, EVP_PKEY **ret_key),
                                EVP_PKEY **ret_key);
};

/* What a key is to sign. otp: what a context-specific login gave, or NULL. input is the digest
 * where token->signs_digests, else what the caller gave, or its digest where the mechanism hashes.
 */
struct sign_job {
    CK_MECHANISM_TYPE mechanism;
    enum crypto_hash hash; /* of the digest; CRYPTO_NO_HASH where input is not a digest */
    struct span input;
    unsigned key_number;       /* of the private key object */
    size_t signature_len;      /* of that key */
    enum crypto_hash pss_hash; /* PSS: of the data, and of MGF1 */
    unsigned long pss_salt_len;
    const struct secret *otp;
};

/* A signature that was asked for and is not there yet. Its backend's own. */
struct token_job;

/*
 * Signatures that nobody waits for inside a call (PKCS#11 3.2, asynchronous sessions). Same rules
 * for threads and failure as token_ops; one thread at a time per job. Nothing goes on between the
 * calls: poll is what makes it go on.
 */
struct token_async_ops {
    /* Takes the job in, without any network; all that it needs is copied. */
    enum sca_status (*begin)(struct token *token, struct call *call, const struct sign_job *job,
                             struct token_job **ret_job);

    /* One look, without a wait for a person: SCA_OK with sig filled completely; SCA_PENDING; any
     * other status is the outcome. */
    enum sca_status (*poll)(struct token_job *job, struct call *call, uint8_t *sig);

    /* A number by which any process of this user can join the job, also after this one has ended;
     * the job is at the service when it returns SCA_OK. */
    enum sca_status (*get_id)(struct token_job *job, struct call *call, uint64_t *ret_id);

    /* SCA_NOT_FOUND: there is no such job, or its signature was handed out. */
    enum sca_status (*join)(struct token *token, struct call *call, uint64_t id,
                            struct token_job **ret_job);

    /* The signature of the last poll did not reach the application: it can be asked for again. */
    void (*keep)(struct token_job *job);

    /* Lets go of it. What is at the service stays there; the same data signed again, or join, finds
     * it. NULL is fine. */
    void (*free)(struct token_job *job);
};

/*
 * One const table per kind of token; state, login, logout, set_pin and write may be NULL; a token
 * with write has its keys in this process and leaves check, sign and patience_ms NULL.
 *
 * Threads: every member may be called from several threads at once, never with a lock held.
 * Time: every wait ends at the call's deadline, or soon after the call is cancelled.
 * Failure: output is written on SCA_OK only; the reason goes into the call's note (call_fail).
 */
struct token_ops {
    /* Hands every object to the sink. No network. */
    enum sca_status (*list)(struct token *token, struct object_sink *sink);

    /* May the key be used now, as far as is known without asking anybody? For C_SignInit. NULL:
     * always. */
    enum sca_status (*check)(struct token *token, struct call *call);

    /* Signs; sig has room for the key's signature length and is filled completely. */
    enum sca_status (*sign)(struct token *token, struct call *call, const struct sign_job *job,
                            uint8_t *sig);

    /*
     * Checks the PIN: SCA_USER_AUTH when it is wrong, SCA_PIN_LOCKED. NULL where none is needed:
     * any login succeeds. pin NULL, of a foreign token with a protected path: it asks by itself.
     * logout forgets what login opened, whoever was logged in.
     */
    enum sca_status (*login)(struct token *token, struct call *call, enum token_user user,
                             const struct secret *pin);
    void (*logout)(struct token *token);

    /* Foreign tokens: has the host logged in to it by itself, so that nobody need be asked for the
     * PIN again? From a logout to the next login: no. */
    bool (*is_logged_in)(struct token *token);

    /* PINs and names, where they may change. NULL: initialised, as struct token says. */
    enum sca_status (*state)(struct token *token, struct token_state *ret_state);

    /* Changes the PIN of that user; a wrong old one counts as a wrong login does. */
    enum sca_status (*set_pin)(struct token *token, struct call *call, enum token_user user,
                               const struct secret *old_pin, const struct secret *new_pin);

    /* How long a signature may take, milliseconds: the deadline of the call that asks for one. */
    uint64_t (*patience_ms)(const struct token *token);

    /* NULL: write-protected. */
    const struct token_write_ops *write;

    /* NULL: sessions with CKF_ASYNC_SESSION are refused. A token with it has one private key, whose
     * length a joined signature has. */
    const struct token_async_ops *async;

    void (*free)(struct token *token);
};

/* What C_GetTokenInfo and C_GetSlotInfo show. Texts are UTF-8 of any length, cut by the caller. */
struct token_identity {
    const char *slot_description;
    const char *manufacturer;
    const char *label;
    const char *model;
    char serial[17];
    const char *user;    /* whose key a service holds, by identity number; NULL: nobody's */
    const char *account; /* that it belongs to, or NULL */
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
    CK_ULONG pin_min;     /* bytes, of a PIN; 0 and 0 where there is no PIN */
    CK_ULONG pin_max;     /* of what is given at a login: the PIN and the digits that follow it */
    CK_ULONG otp_digits;  /* how many of pin_max those are; a new PIN has none */
    bool is_present;      /* false: a slot without a token in it */
    atomic_bool is_spare; /* the empty slot on offer, listed last, until init_token takes it */
    bool needs_login;
    bool has_user_pin;
    bool has_protected_path;
    bool has_random;
    bool is_foreign; /* another module's: what it lists depends on who is logged in, it may be
                        unplugged at any time, and its device may ask for the PIN */
    bool is_default; /* listed before the others */
    bool is_gone;    /* what it stood for is not there any more; backends_tokens writes it, for its
                        caller */
    bool wants_otp_each_time; /* CKA_ALWAYS_AUTHENTICATE: six digits by a context-specific login */
    bool shows_async;         /* CKF_ASYNC_SESSION_SUPPORTED is set; ops->async works regardless */
    bool login_signs_once;    /* a login is good for one signature */
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

/*
 * The tokens that state folder and configuration have now, as far as they are not known already:
 * those of new slots, and those of slots whose known token is an empty one. Of known tokens is_gone
 * is brought up to date; where files cannot be read, nothing goes. One thread at a time.
 */
enum sca_status backends_tokens(struct backends *backends, const struct token_list *known,
                                struct token_list *ret_new);

/*
 * Has backends_tokens anything new to tell? Not thorough: one stat, which sees whatever the tool
 * and other processes do. Thorough: also when somebody edited the configuration. Any thread.
 */
bool backends_have_changed(struct backends *backends, bool is_thorough);

/* Where changes show in no folder: how often to ask backends_have_changed while waiting for one,
 * milliseconds; 0: no need. */
unsigned backends_poll_ms(const struct backends *backends);

/* The folders in which changes show, one by one; NULL behind the last. Lent for ever. */
const char *backends_folder(const struct backends *backends, size_t index);

/*
 * Fetches what has never been fetched, within the connect time-outs; *ret_has_more: backends_tokens
 * may now have more to tell. Called by the first C_GetSlotList, and again by the next one after
 * SCA_NOMEM, which means that nobody knows what was fetched before. Other failures are logged.
 */
enum sca_status backends_discover(struct backends *backends, bool (*keep_going)(void *),
                                  bool *ret_has_more);

/* In a forked child, before anything else: lets go of what the parent's threads and sockets hold.
 */
void backends_abandon(void);

#endif
