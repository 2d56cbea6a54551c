/* SPDX-License-Identifier: Apache-2.0 */
/* What may come with a mechanism: nothing, but for PSS and EdDSA. */
#include <string.h>

#include "module/token/mechanism.h"
#include "remote/base/cleanup.h"

/* 2.40 section 2.1.8; MGF1 uses the hash of the data (RFC 8017 section 8.1 recommends it). */
static const struct {
    CK_MECHANISM_TYPE type;
    CK_ULONG mgf;
    enum crypto_hash hash;
} pss_hashes[] = {
    {CKM_SHA256, CKG_MGF1_SHA256, CRYPTO_SHA256},
    {CKM_SHA384, CKG_MGF1_SHA384, CRYPTO_SHA384},
    {CKM_SHA512, CKG_MGF1_SHA512, CRYPTO_SHA512},
};

/* Applications that make it in a byte array may have it at any address. */
static bool copy_parameter(const CK_MECHANISM *wanted, void *out, size_t size)
{
    if (!wanted->pParameter || wanted->ulParameterLen != size)
        return false;
    memcpy(out, wanted->pParameter, size);
    return true;
}

static CK_RV read_pss(const struct mechanism *mechanism, const CK_MECHANISM *wanted,
                      struct mechanism_parameter *ret_parameter)
{
    CK_RSA_PKCS_PSS_PARAMS given;
    if (!copy_parameter(wanted, &given, sizeof(given)))
        return CKR_MECHANISM_PARAM_INVALID;
    for (size_t i = 0; i < ARRAY_LEN(pss_hashes); i++) {
        enum crypto_hash hash = pss_hashes[i].hash;
        if (given.hashAlg != pss_hashes[i].type || given.mgf != pss_hashes[i].mgf ||
            (mechanism->hash != CRYPTO_NO_HASH && mechanism->hash != hash))
            continue;
        *ret_parameter = (struct mechanism_parameter){.hash = hash, .salt_len = given.sLen};
        return CKR_OK;
    }
    return CKR_MECHANISM_PARAM_INVALID;
}

/* Ed25519 as it is: neither the pre-hashed variant nor the one with a context (RFC 8032). */
static CK_RV check_eddsa(const CK_MECHANISM *wanted)
{
    struct cryptoki_eddsa_params given;
    if (!wanted->pParameter && !wanted->ulParameterLen)
        return CKR_OK;
    if (!copy_parameter(wanted, &given, sizeof(given)) || given.phFlag || given.ulContextDataLen)
        return CKR_MECHANISM_PARAM_INVALID;
    return CKR_OK;
}

CK_RV mechanism_parameter_read(const struct mechanism *mechanism, const CK_MECHANISM *wanted,
                               struct mechanism_parameter *ret_parameter)
{
    struct mechanism_parameter none = {.hash = CRYPTO_NO_HASH};
    CK_RV rv = CKR_OK;

    if (mechanism->scheme == SCHEME_PSS)
        return read_pss(mechanism, wanted, ret_parameter);
    if (mechanism->scheme == SCHEME_EDDSA)
        rv = check_eddsa(wanted);
    else if (wanted->ulParameterLen)
        rv = CKR_MECHANISM_PARAM_INVALID;
    if (rv == CKR_OK)
        *ret_parameter = none;
    return rv;
}

bool mechanism_parameter_fits(const struct mechanism *mechanism,
                              const struct mechanism_parameter *parameter, CK_ULONG modulus_bits)
{
    if (mechanism->scheme != SCHEME_PSS)
        return true;
    /* RFC 8017 section 9.1.1: the encoded message has a bit less than the modulus. */
    CK_ULONG room = (modulus_bits + 6) / 8;
    CK_ULONG others = crypto_hash_len(parameter->hash) + 2;
    return room >= others && parameter->salt_len <= room - others;
}
