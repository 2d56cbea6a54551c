/* SPDX-License-Identifier: Apache-2.0 */
/* stage.h with FAKE_DISK and FAKE_SPARE among the slots, and what tests do with them. */
#ifndef TESTS_MODULE_DISK_STAGE_H
#define TESTS_MODULE_DISK_STAGE_H

#include "tests/module/fake_disk.h"
#include "tests/module/stage.h"

int disk_begin(void **state);
#define disk_test(name) cmocka_unit_test_setup_teardown(name, disk_begin, stage_end)

/* The text as the functions want it; nobody writes to it. */
CK_UTF8CHAR *disk_text(const char *text);

CK_RV disk_login_so(CK_SESSION_HANDLE session, const char *pin);

/* A read/write session on FAKE_DISK with the user logged in. */
CK_SESSION_HANDLE disk_logged_in(void);

/* A data object of that label and the value "value". */
CK_OBJECT_HANDLE disk_create_data(CK_SESSION_HANDLE session, const char *label, CK_BBOOL token,
                                  CK_BBOOL is_private);

/* A P-256 key pair of that label, made on the token or in the session. */
struct disk_pair {
    CK_OBJECT_HANDLE public_key;
    CK_OBJECT_HANDLE private_key;
};
struct disk_pair disk_generate(CK_SESSION_HANDLE session, const char *label, CK_BBOOL token);

/* A boolean attribute of an object. */
CK_BBOOL disk_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

#endif
