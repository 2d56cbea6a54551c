/* SPDX-License-Identifier: Apache-2.0 */
/* PINs and passwords: asked for, made up, kept in a file for the administrator. */
#ifndef REMOTE_CLI_PIN_INPUT_H
#define REMOTE_CLI_PIN_INPUT_H

#include "remote/base/secret.h"
#include "remote/cli/trouble.h"

struct pin_question {
    const char *path; /* what the option says: a file, "-" for a line of standard input, or NULL */
    const char *option; /* "--pin-file" */
    const char *prompt;
    bool is_new;      /* a PIN has to have an acceptable length; at a terminal asked twice, and
                         again when the two differ */
    bool is_password; /* of a file: any length but none */
};

/* The answer; the caller secret_free()s it. */
bool pin_ask(const struct pin_question *question, struct secret **ret_pin, struct trouble *trouble);

/* Letters and digits that nobody mistakes for one another, from the random generator. */
bool pin_make(struct secret **ret_pin, struct trouble *trouble);

/*
 * A file of mode 0600 with the columns user,pin. One that is there and has them is appended to,
 * never replaced: it may be the only place where some PIN is known. Any other file is refused.
 */
bool pin_file_open(const char *path, int *ret_fd, struct trouble *trouble);

/* One line, on the disk when this returns. */
bool pin_file_add(int fd, const char *user, const struct secret *pin, struct trouble *trouble);

#endif
