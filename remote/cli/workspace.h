/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration, log and network half, as the verbs use them. */
#ifndef REMOTE_CLI_WORKSPACE_H
#define REMOTE_CLI_WORKSPACE_H

#include <stdint.h>

#include "remote/base/log.h"
#include "remote/catalogue/catalogue.h"
#include "remote/cli/cli.h"
#include "remote/cli/output.h"
#include "remote/cli/trouble.h"
#include "remote/config/config.h"
#include "remote/remote.h"

enum { WORKSPACE_NOTE_SIZE = 384, WORKSPACE_NEXT_SIZE = 512 };

struct workspace {
    struct config *config;
    struct log log; /* where the configuration says */
};

/*
 * Loads the configuration; its problems are remarks on stderr. CLI_OK, or CLI_FAILED after saying
 * why. The caller workspace_fini()s it in both cases.
 */
enum cli_exit workspace_open(const struct cli *cli, struct workspace *ret_workspace);

/* The same without remarks. */
enum cli_exit workspace_open_quietly(const struct cli *cli, struct workspace *ret_workspace);
void workspace_fini(struct workspace *workspace);

/* What an answer tells besides. */
struct workspace_answer {
    size_t count;                        /* certificates of the account */
    int64_t clock_ahead_s;               /* our clock, of the service's */
    char note[WORKSPACE_NOTE_SIZE];      /* why it failed */
    char next_step[WORKSPACE_NEXT_SIZE]; /* and what to do about that, translated */
};

/*
 * Asks the service for the account's certificates with what credentials has and, where it has NULL,
 * with what the configuration says; they are in the catalogue of state_dir then.
 */
enum sca_status workspace_fetch(const struct account_config *account, const char *state_dir,
                                const struct remote_credentials *credentials,
                                struct workspace_answer *ret_answer);

/* What to do about a failure of that kind. */
const char *workspace_advice(enum sca_status status);

/*
 * catalogue_open; whatever it fails with, there is a reason in why (static text), and in the
 * catalogue NULL. Then the others say why and what to do about it: in trouble, returning false, or
 * on stderr, returning CLI_FAILED.
 */
enum sca_status workspace_catalogue(const char *state_dir, struct catalogue **ret_catalogue,
                                    const char **why);
const char *workspace_catalogue_advice(enum sca_status status);
bool workspace_catalogue_trouble(struct trouble *trouble, const char *state_dir,
                                 enum sca_status status, const char *why);
enum cli_exit workspace_refuse_catalogue(const struct cli *cli, const char *state_dir,
                                         enum sca_status status, const char *why);

/* Is the entry of the account's identity; with its serial too, if it names one? */
bool account_owns(const struct account_config *account, const struct catalogue_entry *entry);
bool account_shows(const struct account_config *account, const struct catalogue_entry *entry);

/*
 * Whose slot the entry is, NULL without: an account that names its serial comes before one that has
 * all certificates of the identity; of two such, the first in the configuration.
 */
const struct account_config *workspace_holder(const struct config *config,
                                              const struct catalogue_entry *entry);

/*
 * An account whose slots account would take, or would never get: of the same identity at the same
 * service, and with the same serial, or without one. NULL: there is none.
 */
const struct account_config *workspace_rival(const struct config *config,
                                             const struct account_config *account);

/* An account other than this one that has the same identity at the same service. */
const struct account_config *workspace_twin(const struct config *config,
                                            const struct account_config *account);

/* ready, not_present, expired, revoked, not_activated: what applications get. now: seconds. */
const char *entry_state(const struct catalogue_entry *entry, int64_t now);

bool entry_is_ready(const struct catalogue_entry *entry, int64_t now);

/* What the token is called: the chosen name, or the common name. The caller frees it, NULL without
 * memory. */
char *entry_label(const struct catalogue_entry *entry);
void entry_add_label(const struct catalogue_entry *entry, struct rows *rows);

#endif
