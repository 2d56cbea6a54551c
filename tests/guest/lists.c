/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain host: reports a line for each slot with a token, "slot LABEL", and one for a signature of
 * the first SmartCA slot, "signed" or "C_Sign 0x...". May run with raised privileges.
 *   lists [sign]
 */
#include <string.h>

#include "tests/guest/host.h"

enum { SLOTS_MAX = 16, LABEL_LEN = 32, SIGNATURE_LEN = 256 };

static void sign(CK_SLOT_ID slot)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    char text[] = "with privileges";

    host_must(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
    host_must(host_key(session, &key), "C_FindObjects");
    host_must(p11->C_SignInit(session, &mechanism, key), "C_SignInit");
    CK_RV rv = p11->C_Sign(session, (CK_BYTE *)text, sizeof(text), signature, &len);
    if (rv == CKR_OK)
        host_say("signed");
    else
        host_say("C_Sign 0x%lx", rv);
}

int main(int argc, char **argv)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;

    (void)argv;
    host_load();
    CK_RV rv = p11->C_Initialize(NULL);
    if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
        host_must(rv, "C_Initialize");
    host_must(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (p11->C_GetTokenInfo(slots[i], &info) != CKR_OK)
            continue;
        host_say("slot %.*s", LABEL_LEN, (const char *)info.label);
        if (argc > 1 && memcmp(info.model, "SmartCA", 7) == 0)
            sign(slots[i]);
    }
    host_must(p11->C_Finalize(NULL), "C_Finalize");
    return 0;
}
