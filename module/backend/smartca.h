/* SPDX-License-Identifier: Apache-2.0 */
/* The SmartCA backend: one token per certificate of an account; signing goes to the service. */
#ifndef MODULE_BACKEND_SMARTCA_H
#define MODULE_BACKEND_SMARTCA_H

#include "module/backend/backend.h"
#include "remote/base/lock.h"
#include "remote/catalogue/catalogue.h"
#include "remote/config/config.h"
#include "remote/remote.h"

/* One [account] and its connection to the service, made at first use and shared by its tokens. */
struct smartca_account {
    const struct account_config *config; /* borrowed */
    const char *state_dir;               /* borrowed */
    struct lock lock;                    /* guards the two below */
    const struct remote_ops *remote;
    struct smartca_client *client;
};

void smartca_account_init(struct smartca_account *account, const struct account_config *config,
                          const char *state_dir);
void smartca_account_fini(struct smartca_account *account);

/* Is the catalogue's entry of this account's identity? */
bool smartca_account_is_of(const struct smartca_account *account,
                           const struct catalogue_entry *entry);

/* Does it belong to the account: of its identity, and of its serial where it names one? */
bool smartca_account_has(const struct smartca_account *account,
                         const struct catalogue_entry *entry);

/* Asks the service for the account's certificates; they are in the catalogue then. */
enum sca_status smartca_account_fetch(struct smartca_account *account, struct call *call);

/* account must outlive the token; entry is copied, what it borrows is kept by the caller. */
enum sca_status smartca_token_new(struct smartca_account *account,
                                  const struct catalogue_entry *entry, struct token **ret_token);

/* What the token looks like: token_ops.list for a SmartCA certificate. */
enum sca_status smartca_objects_list(const struct token *token, const struct catalogue_entry *entry,
                                     struct object_sink *sink);

#endif
