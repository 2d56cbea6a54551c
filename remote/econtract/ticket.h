/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access token between two runs: state_dir/vault/econtract, sealed under the password. Whoever
 * has the file alone has nothing, and whoever has the password needs no token.
 */
#ifndef REMOTE_ECONTRACT_TICKET_H
#define REMOTE_ECONTRACT_TICKET_H

#include <stdint.h>

#include "remote/base/secret.h"
#include "remote/base/status.h"

enum {
    TICKET_LIFE_S = 24 * 3600 - 300, /* what the service gives, less what clocks are apart */
    TICKET_COMPANY_MAX = 128,        /* bytes; with a longer one no token is kept */
};

/* Whose. Borrowed. */
struct ticket_owner {
    const char *state_dir;
    const char *url;
    const char *username;
    const struct secret *password;
};

struct ticket {
    struct secret *token;
    int64_t ends_at;                         /* seconds since 1970 */
    char company_id[TICKET_COMPANY_MAX + 1]; /* what the token is for; "": nobody chose */
};
void ticket_fini(struct ticket *ticket);

/*
 * SCA_NOT_FOUND also for a file that is damaged, somebody else's, open to others or of another
 * password; SCA_NOMEM. Whether it has ended is for the caller to see. The caller ticket_fini()s.
 */
enum sca_status ticket_load(const struct ticket_owner *owner, struct ticket *ret_ticket);

/* In place of the one before. SCA_IO, SCA_NO_SPACE, SCA_NOMEM, SCA_INVALID: over a limit. */
enum sca_status ticket_save(const struct ticket_owner *owner, const struct ticket *ticket);

#endif
