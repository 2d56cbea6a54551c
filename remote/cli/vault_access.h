/* SPDX-License-Identifier: Apache-2.0 */
/* The vault of an account, as the verbs ask for it, open it and speak of it. */
#ifndef REMOTE_CLI_VAULT_ACCESS_H
#define REMOTE_CLI_VAULT_ACCESS_H

#include "remote/cli/cli.h"
#include "remote/remote.h"
#include "remote/vault/vault_account.h"

enum vault_state {
    VAULT_NO_PIN, /* there is none yet */
    VAULT_READY,
    VAULT_WRONG_PINS, /* some were tried since the last right one */
    VAULT_LOCKED,
    VAULT_DAMAGED,
    VAULT_UNREADABLE, /* now: nothing is known of it */
};

/* The last two have a reason: static text, and what vault_info returned. */
struct vault_view {
    enum vault_state state;
    unsigned wrong_pins;
    const char *why;
    enum sca_status status;
};

struct vault_view vault_look(const struct vault *vault);

/* For JSON: no_pin, ready, wrong_pins, locked, damaged, unreadable. */
const char *vault_state_name(enum vault_state state);

/* Can it be opened? Asking for the PIN of one that cannot would only annoy. */
enum cli_exit vault_check(const struct cli *cli, const struct account_config *account,
                          const char *state_dir);

/* Tries a PIN; says on stderr why it is not taken, and what to do. */
enum cli_exit vault_unlock_with(const struct cli *cli, const struct account_config *account,
                                const char *state_dir, const struct secret *pin,
                                struct vault_contents *ret_contents);

/* The same with the PIN of --pin-file, or asked for. */
enum cli_exit vault_unlock(const struct cli *cli, const struct account_config *account,
                           const char *state_dir, struct vault_contents *ret_contents);

/* A vault_* function of that account failed with this status. Returns CLI_FAILED. */
enum cli_exit vault_refuse(const struct cli *cli, const struct account_config *account,
                           const char *state_dir, enum sca_status status, const char *note);

/* Makes the vault anew. */
enum cli_exit vault_write(const struct cli *cli, const struct account_config *account,
                          const char *state_dir, const struct secret *pin,
                          const struct vault_contents *contents);

/* What workspace_fetch takes; borrows from contents. */
struct remote_credentials vault_credentials(const struct vault_contents *contents);

#endif
