/* SPDX-License-Identifier: Apache-2.0 */
/* The SmartCA backend: one token per certificate of an account; signing goes to the service. */
#ifndef MODULE_BACKEND_SMARTCA_H
#define MODULE_BACKEND_SMARTCA_H

#include "module/backend/backend.h"
#include "module/backend/wrong_pins.h"
#include "remote/base/lock.h"
#include "remote/catalogue/catalogue.h"
#include "remote/config/config.h"
#include "remote/remote.h"
#include "remote/vault/vault_account.h"

/* One [account] and its connection to the service, made at first use and shared by its tokens. */
struct smartca_account {
    const struct account_config *config; /* borrowed */
    const char *state_dir;               /* borrowed */
    struct lock lock;                    /* guards the two below, and own_wrong */
    const struct remote_ops *remote;
    struct smartca_client *client;
    struct wrong_pins own_wrong;
    struct wrong_pins *wrong; /* of the identity: own_wrong, or another account's */
};

void smartca_account_init(struct smartca_account *account, const struct account_config *config,
                          const char *state_dir);
void smartca_account_fini(struct smartca_account *account);

/* Remembers wrong PINs with another account of the same identity, which has the same vault and
 * outlives this one's tokens. */
void smartca_account_share_pins(struct smartca_account *account,
                                const struct smartca_account *other);

/* Is the catalogue's entry of this account's identity? */
bool smartca_account_is_of(const struct smartca_account *account,
                           const struct catalogue_entry *entry);

/* Does it belong to the account: of its identity, and of its serial where it names one? */
bool smartca_account_has(const struct smartca_account *account,
                         const struct catalogue_entry *entry);

/* The account's client, made at the first call; both are lent. */
enum sca_status smartca_account_client(struct smartca_account *account, struct call *call,
                                       const struct remote_ops **ret_ops,
                                       struct smartca_client **ret_client);

/* Asks the service for the account's certificates; they are in the catalogue then. */
enum sca_status smartca_account_fetch(struct smartca_account *account, struct call *call);

/* account must outlive the token; entry is copied, what it borrows is kept by the caller. */
enum sca_status smartca_token_new(struct smartca_account *account,
                                  const struct catalogue_entry *entry, struct token **ret_token);

/* The catalogue says this of the token's certificate now: what was not activated may be used from
 * here on, what was revoked may not. */
void smartca_token_heard(struct token *base, enum certificate_state state);

/* What the token looks like: token_ops.list for a SmartCA certificate. */
enum sca_status smartca_objects_list(const struct token *token, const struct catalogue_entry *entry,
                                     struct object_sink *sink);

/* Below: for smartca*.c only. */

/* What the right PIN opened. Immutable; lives as long as somebody is logged in, or signs with it.
 */
struct smartca_vault {
    atomic_uint refs;
    struct vault_contents contents;
};

/*
 * A one-time password typed at a login. It is good for one transaction: signatures that are asked
 * for before that one ends share it.
 */
struct smartca_permit {
    atomic_uint refs;
    atomic_bool is_spent;
    struct secret *otp;
};

struct smartca_token {
    struct token base;
    struct smartca_account *account;
    struct catalogue_entry entry;
    atomic_int state; /* the certificate's, as it was heard of last; entry.state is the first */
    atomic_int usage; /* enum certificate_usage, once it was asked for */
    char *label;
    char *description;
    struct lock lock;              /* guards the rest; nothing slow under it */
    struct smartca_vault *vault;   /* NULL: nobody is logged in */
    struct smartca_permit *permit; /* confirm = otp: typed at the login */
};

/* The part of a new token that is about PINs; the token's account is set. */
void smartca_login_init(struct smartca_token *token);
void smartca_login_fini(struct smartca_token *token);

/* What a login opened, taken along for one signature, so that a logout meanwhile does no harm. */
struct smartca_opened {
    struct smartca_vault *vault;
    struct smartca_permit *permit;
};
void smartca_opened_fini(struct smartca_opened *opened);

/* Fills opened and lends what is in it. otp: that of a context-specific login, which goes before;
 * or NULL. */
struct remote_credentials smartca_borrow_opened(struct smartca_token *token,
                                                const struct secret *otp,
                                                struct smartca_opened *opened);

/* The transaction has ended: the next signature needs another one-time password. */
void smartca_opened_spend(const struct smartca_opened *opened);

/* What the token signs with; borrows from it. */
struct remote_key smartca_key(const struct smartca_token *token);

/* smartca_async.c */
extern const struct token_async_ops smartca_async;

/* Members of struct token_ops. */
enum sca_status smartca_login(struct token *base, struct call *call, enum token_user user,
                              const struct secret *pin);
void smartca_logout(struct token *base);
enum sca_status smartca_state(struct token *base, struct token_state *ret_state);
enum sca_status smartca_set_pin(struct token *base, struct call *call, enum token_user user,
                                const struct secret *old_pin, const struct secret *new_pin);

#endif
