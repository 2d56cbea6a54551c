/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EMULATOR_OPTIONS_H
#define TESTS_EMULATOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/emulator/behaviour.h"
#include "tests/emulator/pki.h"
#include "tests/emulator/user.h"

enum { OPTIONS_USERS_MAX = 1000, OPTIONS_SECRET_MAX = 256 };

struct user_option {
    char id[USER_UID_MAX + 1];
    char name[USER_NAME_MAX + 1];
    unsigned count; /* of certificates */
};

/* The command line. Texts not owned here are argv's. */
struct options {
    const char *dir;
    const char *softhsm;
    const char *sp_id;
    char sp_password[OPTIONS_SECRET_MAX];
    uint16_t port;
    unsigned delay_ms;
    bool is_plain;
    bool ignores_stdin;
    enum pki_server server;
    const char *tls_priority; /* of GnuTLS; NULL: the emulator's own */
    struct behaviour behaviour;
    struct user_option *users;
    size_t user_count;
};

enum options_outcome { OPTIONS_RUN, OPTIONS_SHOWN, OPTIONS_WRONG };

/*
 * OPTIONS_SHOWN: help or version was asked for and printed. OPTIONS_WRONG: what is wrong has been
 * complained about. options_fini() in any case.
 */
enum options_outcome options_parse(int argc, char **argv, struct options *options);
void options_fini(struct options *options);

#endif
