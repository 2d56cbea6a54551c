/* SPDX-License-Identifier: Apache-2.0 */
/* Why something failed, kept until it is known whether it is the whole answer or one row of many.
 */
#ifndef REMOTE_CLI_TROUBLE_H
#define REMOTE_CLI_TROUBLE_H

#include <stdbool.h>

#include <p11-kit/pkcs11.h>

#include "remote/base/status.h"
#include "remote/cli/cli.h"

enum { TROUBLE_TEXT_SIZE = 512, TROUBLE_NEXT_SIZE = 512 };

struct trouble {
    const char *code;                  /* what JSON calls it; static */
    char next_step[TROUBLE_NEXT_SIZE]; /* translated; "" if there is none */
    char text[TROUBLE_TEXT_SIZE];
};

/* Fills it in and returns false, so that a failure is one line where it is known. */
bool trouble_say(struct trouble *trouble, const char *code, const char *next_step,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The module refused what is named. */
bool trouble_module(struct trouble *trouble, const char *what, CK_RV rv);

bool trouble_no_memory(struct trouble *trouble);

/* The whole answer. Returns CLI_FAILED. */
enum cli_exit trouble_print(const struct cli *cli, const struct trouble *trouble);

#endif
