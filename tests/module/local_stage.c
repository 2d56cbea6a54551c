/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/local_stage.h"

#include "remote/base/cleanup.h"

/* OIDs in DER: RFC 5480 section 2.1.1.1, RFC 8410 section 3. */
static const struct {
    CK_MECHANISM_TYPE generation;
    const char *oid;
    CK_ULONG oid_len;
} kinds[] = {
    [LOCAL_RSA] = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0},
    [LOCAL_P256] = {CKM_EC_KEY_PAIR_GEN, "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10},
    [LOCAL_P384] = {CKM_EC_KEY_PAIR_GEN, "\x06\x05\x2b\x81\x04\x00\x22", 7},
    [LOCAL_P521] = {CKM_EC_KEY_PAIR_GEN, "\x06\x05\x2b\x81\x04\x00\x23", 7},
    [LOCAL_ED25519] = {CKM_EC_EDWARDS_KEY_PAIR_GEN, "\x06\x03\x2b\x65\x70", 5},
};

struct disk_pair local_generate(CK_SESSION_HANDLE session, enum local_kind kind, CK_BBOOL on_token,
                                const CK_ATTRIBUTE *extra)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG bits = 2048;
    CK_MECHANISM mechanism = {.mechanism = kinds[kind].generation};
    CK_ATTRIBUTE size = {CKA_MODULUS_BITS, &bits, sizeof(bits)};
    CK_ATTRIBUTE curve = {CKA_EC_PARAMS, disk_text(kinds[kind].oid), kinds[kind].oid_len};
    CK_ATTRIBUTE for_public[] = {
        {CKA_TOKEN, &on_token, sizeof(on_token)},
        kind == LOCAL_RSA ? size : curve,
        {CKA_VERIFY_RECOVER, &yes, sizeof(yes)},
    };
    CK_ATTRIBUTE for_private[] = {
        {CKA_TOKEN, &on_token, sizeof(on_token)},
        {CKA_SIGN_RECOVER, &yes, sizeof(yes)},
        extra ? *extra : size, /* the last only counts with extra */
    };
    CK_ULONG recover = kind == LOCAL_RSA ? 1 : 0;
    CK_ULONG private_count = 1 + recover + (extra ? 1 : 0);
    struct disk_pair pair = {CK_INVALID_HANDLE, CK_INVALID_HANDLE};

    if (!recover)
        for_private[1] = for_private[2];
    EXPECT(CKR_OK, p11->C_GenerateKeyPair(session, &mechanism, for_public, 2 + recover, for_private,
                                          private_count, &pair.public_key, &pair.private_key));
    return pair;
}

CK_MECHANISM *local_mechanism(struct local_mechanism *room, CK_MECHANISM_TYPE type,
                              CK_MECHANISM_TYPE hash)
{
    static const struct {
        CK_MECHANISM_TYPE hash;
        CK_ULONG mgf;
        CK_ULONG len;
    } hashes[] = {{CKM_SHA256, CKG_MGF1_SHA256, 32},
                  {CKM_SHA384, CKG_MGF1_SHA384, 48},
                  {CKM_SHA512, CKG_MGF1_SHA512, 64}};
    *room = (struct local_mechanism){.mechanism = {.mechanism = type}};
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        if (hashes[i].hash != hash)
            continue;
        room->pss = (CK_RSA_PKCS_PSS_PARAMS){hash, hashes[i].mgf, hashes[i].len};
        room->mechanism.pParameter = &room->pss;
        room->mechanism.ulParameterLen = sizeof(room->pss);
    }
    return &room->mechanism;
}

CK_RV local_sign(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key)
{
    CK_BYTE signature[LOCAL_SIGNATURE_MAX];
    CK_ULONG len = sizeof(signature);
    CK_RV rv = stage_sign_init(session, type, key);
    return rv == CKR_OK ? p11->C_Sign(session, DIGEST, DIGEST_LEN, signature, &len) : rv;
}

bool local_is_busy(CK_SESSION_HANDLE session)
{
    CK_BYTE nothing[1];
    CK_ULONG len = 0;
    return p11->C_GetOperationState(session, nothing, &len) == CKR_STATE_UNSAVEABLE;
}
