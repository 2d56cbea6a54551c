/* SPDX-License-Identifier: Apache-2.0 */
/* Key pairs of every kind on FAKE_DISK, and what tests of signing with them do again and again. */
#ifndef TESTS_MODULE_LOCAL_STAGE_H
#define TESTS_MODULE_LOCAL_STAGE_H

#include "tests/module/disk_stage.h"

enum local_kind { LOCAL_RSA, LOCAL_P256, LOCAL_P384, LOCAL_P521, LOCAL_ED25519 };

enum { LOCAL_SIGNATURE_MAX = 256 };

/* On the token, or in the session. extra (may be NULL) goes into the private key's template; both
 * halves may recover. */
struct disk_pair local_generate(CK_SESSION_HANDLE session, enum local_kind kind, CK_BBOOL on_token,
                                const CK_ATTRIBUTE *extra);

/* A mechanism with the parameter that PSS wants for that hash, or none (hash 0). */
struct local_mechanism {
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
};
CK_MECHANISM *local_mechanism(struct local_mechanism *room, CK_MECHANISM_TYPE type,
                              CK_MECHANISM_TYPE hash);

/* SignInit and Sign of MESSAGE, or of 32 bytes of it where a digest is wanted. */
CK_RV local_sign(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key);

/* Has the session an operation? */
bool local_is_busy(CK_SESSION_HANDLE session);

/* 32 bytes, as a digest. */
#define DIGEST     ((CK_BYTE *)(uintptr_t) "0123456789abcdef0123456789abcdef")
#define DIGEST_LEN ((CK_ULONG)32)

#endif
