/* SPDX-License-Identifier: Apache-2.0 */
/* What `smartca sign` says. */
#ifndef REMOTE_CLI_SIGN_REPORT_H
#define REMOTE_CLI_SIGN_REPORT_H

#include "remote/cli/sign_work.h"

/* Before anybody is asked: how many confirmations it takes, and the control codes. */
void sign_report_ahead(const struct sign_work *work);

/* The signatures that were written. */
enum cli_exit sign_report_done(const struct sign_work *work);

/* Some could not be had; are_others_written: with --keep-going. Returns CLI_FAILED. */
enum cli_exit sign_report_failure(const struct sign_work *work, bool are_others_written);

/* By Ctrl-C; was_asked: there may be a prompt on a phone. Returns CLI_STOPPED. */
enum cli_exit sign_report_stopped(const struct cli *cli, bool was_asked);

/* Those that have no signature. */
size_t sign_report_count_failed(const struct sign_files *files);

#endif
