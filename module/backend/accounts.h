/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of the configuration, as it was at C_Initialize and as it is now. */
#ifndef MODULE_BACKEND_ACCOUNTS_H
#define MODULE_BACKEND_ACCOUNTS_H

#include "module/backend/smartca.h"
#include "module/backend/stamp.h"

/* One account; it stays until C_Finalize, because tokens point to it. */
struct account_place {
    struct account_place *next;
    struct smartca_account account;
    bool is_gone; /* it is not in the configuration any more */
};

struct accounts {
    const struct config *config; /* of C_Initialize, borrowed */
    char *conf_d;
    struct later_config *later; /* what was read since, as far as accounts come from it */
    struct account_place *first;
};

/* SCA_NOMEM; accounts_fini in every case. */
enum sca_status accounts_init(struct accounts *accounts, const struct config *config);
void accounts_fini(struct accounts *accounts);

/*
 * Reads the configuration again. Only accounts that are new are taken in, and those that are not
 * there any more are marked; what else has changed, settings of known accounts among them, waits
 * for the next C_Initialize: tokens and connections that are in use were made with the old ones.
 * stamp: of the files, from before. False: they are so new that it has to be read once more before
 * an account that seems to be missing is taken for gone.
 */
bool accounts_reread(struct accounts *accounts, const struct stamp *stamp);

/* Of all files that accounts_reread reads. */
struct stamp accounts_stamp(const struct accounts *accounts);

/*
 * The account that the entry belongs to, NULL without: one that names its serial before one that
 * has all of the identity's, then the first (workspace_holder says the same). ret_is_ours: of an
 * identity that is configured, though perhaps for another of its certificates.
 */
struct smartca_account *accounts_find(const struct accounts *accounts,
                                      const struct catalogue_entry *entry, bool *ret_is_ours);

#endif
