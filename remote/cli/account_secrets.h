/* SPDX-License-Identifier: Apache-2.0 */
/* The secrets of an account, from the files of the command line, standard input or the person. */
#ifndef REMOTE_CLI_ACCOUNT_SECRETS_H
#define REMOTE_CLI_ACCOUNT_SECRETS_H

#include "remote/cli/cli.h"
#include "remote/vault/vault.h"

/* In the order in which they are asked for; the first ones are those of enum vault_item. */
enum secret_item {
    ITEM_PASSWORD = VAULT_PASSWORD,
    ITEM_TOTP_SECRET = VAULT_TOTP_SECRET,
    ITEM_SP_PASSWORD = VAULT_SP_PASSWORD,
    ITEM_PIN = VAULT_ITEMS,
    ITEM_COUNT,
};

/* Sensitive: wiped by account_secrets_fini. NULL: not had yet. */
struct account_secrets {
    struct secret *items[ITEM_COUNT];
};

void account_secrets_fini(struct account_secrets *secrets);

/* The option that gives it, with its dashes. */
const char *account_secrets_option(enum secret_item item);

/* Those that the command line has an option for, as a set of 1 << enum secret_item. */
unsigned account_secrets_given(const struct cli *cli);

/*
 * Gets the wanted ones that secrets lacks: those given as "-" first, in the order of the command
 * line, then the others. A new PIN has to have an acceptable length, and at a terminal is asked
 * for twice; a secret key has to be one. Says on stderr what is wrong.
 */
enum cli_exit account_secrets_read(const struct cli *cli, unsigned wanted, bool is_new_pin,
                                   struct account_secrets *secrets);

/* The secrets for a vault: what was given, and where nothing was, what it had (may be NULL).
 * Borrows from both. */
struct vault_contents account_secrets_merge(const struct account_secrets *given,
                                            const struct vault_contents *had);

#endif
