/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of smartca econtract share; each says on stderr why it fails. */
#ifndef REMOTE_CLI_ECONTRACT_DESK_H
#define REMOTE_CLI_ECONTRACT_DESK_H

#include <stdint.h>

#include "remote/cli/output.h"
#include "remote/cli/workspace.h"
#include "remote/econtract/econtract.h"

/* One run. Owns everything but cli. */
struct desk {
    const struct cli *cli;
    struct workspace workspace;
    struct econtract_config config; /* [econtract] */
    struct econtract *econtract;
};

/* A number of eContract's from the command line; option with its dashes. CLI_USAGE. */
enum cli_exit desk_read_id(const struct cli *cli, const char *option, const char *text,
                           int64_t *ret_id);

/*
 * Loads the configuration and gets the password: from password_file (may be NULL), [econtract] or
 * the person. Sends nothing. The caller desk_fini()s ret_desk in any case.
 */
enum cli_exit desk_open(const struct cli *cli, const char *password_file, struct desk *ret_desk);
void desk_fini(struct desk *desk);

/* A call with enough time for one question, a log-in and the question again. */
void desk_begin(const struct desk *desk, struct call *call);

/* Says why the call failed, and ends it. */
enum cli_exit desk_fail(const struct desk *desk, enum sca_status status, struct call *call);

/*
 * Goes through the pages for a user. False when it is not there, the service does not say, or,
 * where certificates are wanted, its lists do not tell of any: what is known of a user is for
 * messages only. The caller econtract_user_fini()s ret_user.
 */
bool desk_find_user(const struct desk *desk, int64_t user_id, bool wants_certificates,
                    struct econtract_user *ret_user);

/* One of the user's certificates, lent; NULL if it is not among them. */
const struct econtract_certificate *desk_find_certificate(const struct econtract_user *user,
                                                          int64_t id);

/* What a person knows a certificate by: its display name, or the common name. */
const char *desk_name(const struct econtract_certificate *certificate);

#endif
