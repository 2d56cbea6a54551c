/* SPDX-License-Identifier: Apache-2.0 */
/* A program that uses the module: in a child of the campaign, where a claim that fails ends it. */
#ifndef TESTS_INJECT_GUEST_H
#define TESTS_INJECT_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "module/cryptoki.h"

enum { CLAIM_MAX = 200, SIGNATURE_MAX = 512 };

#define GUEST_PIN "123456" /* of all tokens that have one */

extern struct cryptoki_list_3_2 *p11;

/* Before anything forks. false: the module cannot be loaded. */
bool guest_load_module(const char *path);

/* Where a failed claim is written, CLAIM_MAX bytes. */
void guest_claims_to(char *text);
_Noreturn void guest_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define CLAIM(claim)                                                                               \
    do {                                                                                           \
        if (!(claim))                                                                              \
            guest_fail("%s:%d: %s", __FILE__, __LINE__, #claim);                                   \
    } while (0)
#define MUST(call)                                                                                 \
    do {                                                                                           \
        CK_RV must_rv = (call);                                                                    \
        if (must_rv != CKR_OK)                                                                     \
            guest_fail("%s:%d: 0x%lx of %s", __FILE__, __LINE__, must_rv, #call);                  \
    } while (0)
#define TRY(call)                                                                                  \
    do {                                                                                           \
        CK_RV try_rv = (call);                                                                     \
        if (try_rv != CKR_OK)                                                                      \
            return try_rv;                                                                         \
    } while (0)

/* The token with that label, or, without one, that model. */
CK_RV guest_find_slot(const char *label, const char *model, CK_SLOT_ID *ret_slot);
CK_RV guest_open(const char *label, const char *model, CK_FLAGS flags,
                 CK_SESSION_HANDLE *ret_session);
bool guest_is_on(void); /* is the module initialised in this process? */
CK_RV guest_login(CK_SESSION_HANDLE session, const char *pin);

/* The first object of that class, or with that label; CK_INVALID_HANDLE if there is none. */
CK_RV guest_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label,
                 CK_OBJECT_HANDLE *ret_object);
CK_RV guest_count(CK_SESSION_HANDLE session, CK_ULONG *ret_count);

/* A number that differs when anything that can be seen does, in all slots. */
CK_RV guest_view(uint64_t *ret_view);

struct signature {
    CK_BYTE bytes[SIGNATURE_MAX];
    CK_ULONG len;
};

/* With the first private key, which may be RSA or EC: SHA-256 of text. */
CK_RV guest_sign(CK_SESSION_HANDLE session, const char *text, struct signature *ret_signature);
CK_MECHANISM_TYPE guest_mechanism(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);

/* Claims that the session's public key says so. */
void guest_verify(CK_SESSION_HANDLE session, const char *text, const struct signature *signature);

#endif
