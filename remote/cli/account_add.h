/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of smartca account add; each says on stderr why it fails. */
#ifndef REMOTE_CLI_ACCOUNT_ADD_H
#define REMOTE_CLI_ACCOUNT_ADD_H

#include "remote/cli/account_file.h"
#include "remote/cli/account_secrets.h"
#include "remote/cli/output.h"
#include "remote/cli/vault_access.h"
#include "remote/cli/workspace.h"

/* One run. Owns everything but cli. */
struct addition {
    const struct cli *cli;
    enum confirm_mode confirm;
    struct workspace workspace;
    struct account_place place;
    char *paths[VAULT_ITEMS]; /* absolute, of the secrets that stay in files; NULL: elsewhere */
    char *ca_path;
    struct config *draft;
    struct account_config *account; /* in draft */
    struct account_secrets secrets; /* what was given and asked for */
    struct vault_contents had;      /* in the vault that the identity has already */
    bool had_vault;                 /* it is opened, and keeps what it has */
    bool is_vault_new;              /* the identity had none before */
    bool was_vault_written;
    bool was_password_written;
    bool is_trial; /* of what the service has; it will be asked again */
    char *serial;  /* as it is in the certificate */
    struct rows rows;
    int turn;       /* held while this account, and no other, is being added; -1 */
    bool was_known; /* the catalogue had the identity before */
    const struct account_config *holder; /* of a certificate that stays another account's slot */
    char held[CERTIFICATE_SERIAL_HEX];   /* that certificate */
};

/* addition_fini in any case. */
void addition_init(struct addition *addition, const struct cli *cli);
void addition_fini(struct addition *addition);

/* Whatever can be refused: checks, asks the person and the service. Only the catalogue is written,
 * which addition_take_back forgets. */
enum cli_exit addition_begin(struct addition *addition);

/* Writes the account, or nothing. The rows of its certificates, which the caller rows_fini()s, in
 * ret_rows. */
enum cli_exit addition_finish(struct addition *addition, struct rows *ret_rows);

/* What can be said of the command line alone. */
enum cli_exit addition_check_usage(const struct cli *cli, enum confirm_mode *ret_confirm);

/* Finds the place of a name that is not in use; makes paths absolute. */
enum cli_exit addition_prepare(struct addition *addition);

/* Why the draft lacks the account: the first thing that is wrong with it. */
enum cli_exit addition_report_draft(const struct addition *addition);

/* One certificate, one account: says whose the draft's are already. */
enum cli_exit addition_check_rival(const struct addition *addition);
enum cli_exit addition_report_held(const struct addition *addition,
                                   const struct account_config *holder, const char *serial);

/*
 * The secrets that the draft needs, or all of the identity's for a vault made anew: first those
 * that the command line gives and those in the vault, which is opened if there is one; then the
 * others, from the person where addition_will_ask.
 */
enum cli_exit addition_take_secrets(struct addition *addition);
bool addition_will_ask(const struct addition *addition);
enum cli_exit addition_ask_secrets(struct addition *addition);

/* Asks the service; addition->rows has the certificates the account will have. */
enum cli_exit addition_fetch(struct addition *addition);

/* The secrets into the vault, or sp_password beside the configuration. */
enum cli_exit addition_write_secrets(struct addition *addition);

/* What was written is of no use when the account is not; what was there before stays. */
void addition_take_back(const struct addition *addition);

#endif
