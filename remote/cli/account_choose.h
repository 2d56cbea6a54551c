/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of an account that a verb is about: all, or the one of --serial. */
#ifndef REMOTE_CLI_ACCOUNT_CHOOSE_H
#define REMOTE_CLI_ACCOUNT_CHOOSE_H

#include "remote/catalogue/catalogue.h"
#include "remote/cli/output.h"
#include "remote/cli/workspace.h"

/* One look at the catalogue. Owns the workspace and the catalogue. */
struct choice {
    const struct cli *cli;
    struct workspace workspace;
    const struct account_config *account; /* of the first operand */
    struct catalogue *catalogue;
};

/* The caller choice_fini()s it, whatever is returned. */
enum cli_exit choice_open(const struct cli *cli, struct choice *ret_choice);
void choice_fini(struct choice *choice);

/* Reads the catalogue again, after it was changed. */
enum cli_exit choice_reload(struct choice *choice);

/*
 * The next chosen certificate, index from 0 on: true, and index is behind it. Entries borrow from
 * the catalogue.
 */
bool choice_next(const struct choice *choice, size_t *index, struct catalogue_entry *ret_entry);

/* Nothing is chosen: says so, and what there is. */
enum cli_exit choice_report_none(const struct choice *choice);

/* account, slot_id, label, serial: how every row of a certificate begins. */
void choice_begin_row(const struct choice *choice, const struct catalogue_entry *entry,
                      struct rows *rows);

#endif
