/* SPDX-License-Identifier: Apache-2.0 */
/* From a catalogue to tokens: those that are known, those that are new, those that are gone. */
#ifndef MODULE_BACKEND_COLLECTION_H
#define MODULE_BACKEND_COLLECTION_H

#include "module/backend/accounts.h"
#include "module/backend/forward.h"

struct collection {
    const struct accounts *accounts;
    struct forwards *forwards;
    const char *state_dir;
    bool shows_all; /* also accounts that were never fetched: it was tried */

    struct forward_scan scan; /* other modules' tokens, from collection_look */

    struct token **known; /* by slot id */
    bool *is_seen;        /* of each: the catalogue has it */
    size_t known_count;

    struct token_list fresh;
    bool is_borrowed;   /* a new token borrows from the catalogue */
    bool has_local;     /* the catalogue knows of tokens on this computer */
    bool has_strangers; /* it knows of accounts that are not in the configuration */
    bool is_damaged;    /* a part of it could not be read */
    bool is_partial;    /* a token of another module could not be made */
};

/* SCA_NOMEM; collection_fini in every case, which frees fresh. */
enum sca_status collection_init(struct collection *c, const struct token_list *known);
void collection_fini(struct collection *c);

/* Asks other modules what is plugged in. SCA_NOMEM. */
enum sca_status collection_look(struct collection *c);

/* Collects, from the beginning. catalogue is NULL where it cannot be read. */
enum sca_status collection_fill(struct collection *c, const struct catalogue *catalogue);

/* Writes is_gone of what is known; where the catalogue is damaged, nothing of it goes. */
void collection_mark_gone(const struct collection *c);

#endif
