/* SPDX-License-Identifier: Apache-2.0 */
/* A program that signs with the SmartCA account of the configuration, and one that does the same
 * with bare libcurl; both on one thread. */
#ifndef TESTS_BENCH_ACCOUNT_H
#define TESTS_BENCH_ACCOUNT_H

#include "tests/bench/bare.h"
#include "tests/bench/bench.h"

struct account {
    const struct bench *bench;
    CK_FUNCTION_LIST *p11;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    const struct bare_ops *ops;
    struct bare *bare;
    unsigned number; /* no two signatures are of the same data */
};

/* Two accounts that live at once want numbers that are far apart. */
void account_init(struct account *account, const struct bench *bench, unsigned first_number);

/* account_open loads the module and opens a session: no network, where the catalogue is there. */
void account_open(struct account *account);
void account_start(struct account *account); /* the same from C_Initialize on */
void account_sign(struct account *account);
void account_close(struct account *account);

/* account_bare_open loads libcurl and makes a handle. */
void account_bare_open(struct account *account);
void account_bare_sign(struct account *account);
void account_bare_close(struct account *account);

#endif
