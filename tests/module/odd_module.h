/* SPDX-License-Identifier: Apache-2.0 */
/* What a test can see of odd_module.c, under the name odd_counts. */
#ifndef TESTS_MODULE_ODD_MODULE_H
#define TESTS_MODULE_ODD_MODULE_H

#include <stdatomic.h>
#include <stdbool.h>

struct odd_counts {
    atomic_int initialized;
    atomic_int told_of_threads; /* so many of them with CKF_OS_LOCKING_OK alone */
    atomic_int finalized;
    atomic_int logins;
    atomic_int logouts;
    atomic_int open_sessions;
    atomic_int signatures;
    atomic_int slot_lists;
    atomic_int waiting;  /* threads in C_Sign that hold the lock ("lock") */
    atomic_bool is_kept; /* they stay there */
};

#define ODD_LABEL "odd"
#define ODD_PIN   "1234"

enum { ODD_SIGNATURE_LEN = 256, ODD_SIGNED = 0x5a };

#endif
