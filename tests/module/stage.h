/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every test of the module stands on: a folder of its own with a configuration and a log, the
 * function list, the fake tokens, and rows that print themselves when they fail.
 */
#ifndef TESTS_MODULE_STAGE_H
#define TESTS_MODULE_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "module/cryptoki.h"
#include "tests/module/fake_backends.h"

/* The newest list, from C_GetInterface: it has every function of the older ones. */
extern const struct cryptoki_list_3_2 *p11;

CK_RV C_GetInterfaceList(CK_INTERFACE *interfaces, CK_ULONG *count);
CK_RV C_GetInterface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **ret_interface,
                     CK_FLAGS flags);

/* cmocka fixtures. stage_begin initialises the module; stage_begin_off leaves that to the test. */
int stage_begin(void **state);
int stage_begin_off(void **state);
int stage_end(void **state);

/* A test that starts with the module initialised, or off. */
#define ON(test)  cmocka_unit_test_setup_teardown(test, stage_begin, stage_end)
#define OFF(test) cmocka_unit_test_setup_teardown(test, stage_begin_off, stage_end)

/* One row: the call must return the code. Fails with the row, and with the names of both codes. */
#define EXPECT(code, call) stage_expect((code), (call), #call, __FILE__, __LINE__)
void stage_expect(CK_RV expected, CK_RV actual, const char *call, const char *file, int line);

/* The name of a code, or "a code without a name". */
const char *stage_name(CK_RV rv);

/* What the module logged so far; the caller frees it. */
char *stage_log(void);

/* The audit log as it is now, "" if there is none; the caller frees it. */
char *stage_audit(void);

/* The test's folder; state/ in it is the module's. */
const char *stage_folder(void);

/* Adds a line to [module], before C_Initialize. */
void stage_configure(const char *line);

/* A read-only, or a read/write session. */
CK_SESSION_HANDLE stage_open(CK_SLOT_ID slot);
CK_SESSION_HANDLE stage_open_rw(CK_SLOT_ID slot);
CK_RV stage_login(CK_SESSION_HANDLE session, const char *pin);

/* The first object of that class and label; CK_INVALID_HANDLE if none is visible. label may be
 * NULL. */
CK_OBJECT_HANDLE stage_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label);

/* A session on the slot in which SignInit was done with its key: with login where one is needed. */
CK_SESSION_HANDLE stage_signing(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism);
CK_RV stage_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key);

/* Is there an operation to sign in the session? Ends it. */
bool stage_was_signing(CK_SESSION_HANDLE session);

/* The text that tests sign. */
#define MESSAGE     ((CK_BYTE *)(uintptr_t) "what is signed")
#define MESSAGE_LEN ((CK_ULONG)14)

enum { SIGNATURE_LEN = 256 };

#endif
