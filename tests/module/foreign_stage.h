/* SPDX-License-Identifier: Apache-2.0 */
/* The whole module over a copy of odd_module.so, a new file for each test and so a new module. */
#ifndef TESTS_MODULE_FOREIGN_STAGE_H
#define TESTS_MODULE_FOREIGN_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "module/cryptoki.h"
#include "tests/module/odd_module.h"

extern const struct cryptoki_list_3_2 *p11;

CK_RV C_GetInterface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **ret_interface,
                     CK_FLAGS flags);

struct foreign_stage {
    char dir[64];    /* main.conf is in it, with a [token odd] */
    char module[96]; /* the copy */
};
extern struct foreign_stage foreign;

/* Fixtures: ODD is not set; the module is off. */
int foreign_begin(void **state);
int foreign_end(void **state);
#define FOREIGN(test) cmocka_unit_test_setup_teardown(test, foreign_begin, foreign_end)

/* How the inner module behaves from now on. */
void foreign_odd(const char *words);

/* [token odd] gets further lines; the same with another module. */
void foreign_configure(const char *module, const char *lines);

/* C_Initialize and C_GetSlotList: how many slots there are, but for the empty one. */
CK_ULONG foreign_start(void);
CK_ULONG foreign_count(CK_BBOOL present);

/* The one slot of the token; asserts that there is one. */
CK_SLOT_ID foreign_slot(void);

/* Sessions of it, with the user logged in. */
CK_SESSION_HANDLE foreign_open(CK_SLOT_ID slot);
CK_SESSION_HANDLE foreign_login(CK_SLOT_ID slot);
CK_RV foreign_try_login(CK_SESSION_HANDLE session, CK_USER_TYPE type, const char *pin);

/* The private key; CK_INVALID_HANDLE if there is none to be seen. */
CK_OBJECT_HANDLE foreign_key(CK_SESSION_HANDLE session);

/* C_SignInit and C_Sign with CKM_SHA256_RSA_PKCS. */
CK_RV foreign_sign(CK_SESSION_HANDLE session, CK_BYTE signature[static ODD_SIGNATURE_LEN]);

/* What the inner module counts; NULL while it is not loaded. */
struct odd_counts *foreign_counts(void);

/* The inner module as a host has it that loads it itself. */
CK_FUNCTION_LIST *foreign_load_as_host(void);

/* What was logged; the caller frees it. */
char *foreign_log(void);

/* The call must return the code. */
#define EXPECT(code, call) foreign_expect((code), (call), __FILE__, __LINE__)
void foreign_expect(CK_RV expected, CK_RV actual, const char *file, int line);

#endif
