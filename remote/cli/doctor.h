/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of smartca doctor, in the order in which one depends on the other. */
#ifndef REMOTE_CLI_DOCTOR_H
#define REMOTE_CLI_DOCTOR_H

#include "remote/cli/output.h"
#include "remote/cli/workspace.h"

enum finding {
    FINDING_OK,
    FINDING_WARN,
    FINDING_FAIL,
};

#define DOCTOR_WRONG_PINS                                                                          \
    N_("log in with the right PIN: that forgets them; if it was not you, find out which program "  \
       "it is")

/* One examination. Nothing of it owns but rows. */
struct doctor {
    const struct cli *cli;
    const struct workspace *workspace;
    struct rows rows;
    bool has_failed;
    bool has_noted_catalogue;
};

/*
 * What is checked, where that has a name in it; format is marked for translation. JSON has all of
 * them in English.
 */
void doctor_name(const struct doctor *doctor, char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* check is of doctor_name, or one word that is marked. next_step may be "". */
void doctor_note(struct doctor *doctor, enum finding finding, const char *check,
                 const char *next_step, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* workspace_catalogue; that it cannot be opened is noted once, as the state. */
bool doctor_open_catalogue(struct doctor *doctor, struct catalogue **ret_catalogue);

void doctor_check_configuration(struct doctor *doctor);
void doctor_check_files(struct doctor *doctor);
void doctor_check_state(struct doctor *doctor);
void doctor_check_clock(struct doctor *doctor);
void doctor_check_accounts(struct doctor *doctor);
void doctor_check_secrets(struct doctor *doctor);
void doctor_check_econtract(struct doctor *doctor);
void doctor_check_tokens(struct doctor *doctor);
void doctor_check_registration(struct doctor *doctor);
void doctor_check_module(struct doctor *doctor);

#endif
