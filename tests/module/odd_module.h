/* SPDX-License-Identifier: Apache-2.0 */
/* What a test can see of odd_module.c, under the name odd_counts. */
#ifndef TESTS_MODULE_ODD_MODULE_H
#define TESTS_MODULE_ODD_MODULE_H

struct odd_counts {
    int initialized;
    int finalized;
    int logins;
    int logouts;
    int open_sessions;
    int signatures;
    int slot_lists;
};

#define ODD_LABEL "odd"
#define ODD_PIN   "1234"

enum { ODD_SIGNATURE_LEN = 256, ODD_SIGNED = 0x5a };

#endif
