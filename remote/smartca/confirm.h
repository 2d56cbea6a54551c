/* SPDX-License-Identifier: Apache-2.0 */
/* What the person is asked to confirm, and how the computer says so too. */
#ifndef REMOTE_SMARTCA_CONFIRM_H
#define REMOTE_SMARTCA_CONFIRM_H

#include <stddef.h>

#include "remote/base/bytes.h"

enum { CONFIRM_CODE_SIZE = 10 };

/* The control code: the digest's first four bytes as XXXX-XXXX, upper-case hex. */
void confirm_code(struct span digest, char out[static CONFIRM_CODE_SIZE]);

/* "PROGRAM on HOST signs N document(s), code XXXX-XXXX": for transaction_desc, on_confirm and the
 * log. */
void confirm_description(struct span first_digest, size_t count, char *out, size_t size);

/*
 * Runs command (words divided by spaces, double quotes group) with %s replaced by text, without a
 * shell and without waiting for it. The host never sees it: no SIGCHLD, no child to wait for, no
 * inherited descriptor above 2, default signals. Failure is logged and otherwise ignored.
 */
void confirm_run(const char *command, const char *text);

#endif
