/* SPDX-License-Identifier: Apache-2.0 */
/* The folders that the module keeps its tokens in, as their user finds them. */
#ifndef REMOTE_CLI_STORE_H
#define REMOTE_CLI_STORE_H

#include "remote/cli/trouble.h"

enum store_fault {
    STORE_GOOD,
    STORE_ABSENT,     /* made at first use */
    STORE_UNMAKEABLE, /* nor can it be made */
    STORE_UNREACHABLE,
    STORE_NO_FOLDER,
    STORE_FOREIGN,
    STORE_CLOSED, /* to its own user */
    STORE_OPEN,   /* to others */
    STORE_FAULT_COUNT,
};

enum store_fault store_look(const char *folder);

#define STORE_NO_HOME_CURE                                                                         \
    N_("HOME is not set and the user database has no home folder of this user: set HOME, or "      \
       "SMARTCA_PKCS11_CONF and state_dir in [module]")

/* What is wrong, to follow the folder's name, and what to do about it; "" for the first two. */
const char *store_fault_text(enum store_fault fault);
const char *store_fault_cure(enum store_fault fault);

/*
 * The state folder and the tokens' in it: true if a token can be written. The module has one code
 * for everything that it finds wrong with them; this says which folder it is.
 */
bool store_is_writable(const char *state_dir, struct trouble *trouble);

/* The same for a look at what is there: slots of a folder that cannot be read are not shown. */
bool store_is_readable(const char *state_dir, struct trouble *trouble);

#endif
