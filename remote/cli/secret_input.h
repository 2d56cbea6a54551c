/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CLI_SECRET_INPUT_H
#define REMOTE_CLI_SECRET_INPUT_H

#include "remote/base/secret.h"

/*
 * One line from standard input, without its newline; at a terminal after prompt, without echo.
 * SCA_INVALID when it is empty or longer than SECRET_MAX, SCA_IO, SCA_NOMEM; SCA_CANCELLED where a
 * signal came that the process lives through.
 */
enum sca_status secret_input(const char *prompt, struct secret **ret_secret);

#endif
