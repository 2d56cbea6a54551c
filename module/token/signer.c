/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/signer.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "module/token/signer_scheme.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

static const struct signer_scheme *const schemes[] = {
    [SCHEME_PKCS1] = &signer_rsa,
    [SCHEME_PSS] = &signer_rsa,
    [SCHEME_ECDSA] = &signer_ecdsa,
    [SCHEME_EDDSA] = &signer_eddsa,
};

static bool is_signing(CK_FLAGS purpose)
{
    return purpose == CKF_SIGN || purpose == CKF_SIGN_RECOVER;
}

static int init_ctx(EVP_PKEY_CTX *ctx, CK_FLAGS purpose)
{
    if (is_signing(purpose))
        return EVP_PKEY_sign_init(ctx);
    return purpose == CKF_VERIFY ? EVP_PKEY_verify_init(ctx) : EVP_PKEY_verify_recover_init(ctx);
}

bool signer_open_ctx(struct signer *signer, CK_FLAGS purpose)
{
    signer->ctx = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(), signer->key, NULL);
    return signer->ctx && init_ctx(signer->ctx, purpose) == 1;
}

/* Threads that sign with one EC key get into each other's way inside OpenSSL: each has its own. */
static bool hold_key(struct signer *signer, EVP_PKEY *key)
{
    if (signer->mechanism->scheme == SCHEME_ECDSA && is_signing(signer->purpose))
        signer->key = EVP_PKEY_dup(key);
    else if (EVP_PKEY_up_ref(key) == 1)
        signer->key = key;
    return signer->key != NULL;
}

static bool prepare(struct signer *signer, EVP_PKEY *key)
{
    const struct mechanism *mechanism = signer->mechanism;
    if (!hold_key(signer, key) || !schemes[mechanism->scheme]->prepare(signer))
        return false;
    if (mechanism->hash == CRYPTO_NO_HASH)
        return true;
    signer->input_min = crypto_hash_len(mechanism->hash);
    signer->input_max = signer->input_min;
    signer->md = EVP_MD_CTX_new();
    return signer->md != NULL;
}

static void signer_freep(struct signer **signer)
{
    signer_free(*signer);
}

CK_RV signer_new(EVP_PKEY *key, const struct mechanism *mechanism,
                 const struct mechanism_parameter *parameter, CK_FLAGS purpose,
                 struct signer **ret_signer)
{
    AUTO(signer_freep) struct signer *signer = calloc(1, sizeof(*signer));
    if (!signer)
        return CKR_HOST_MEMORY;
    signer->mechanism = mechanism;
    signer->parameter = *parameter;
    signer->purpose = purpose;

    (void)ERR_set_mark();
    bool is_ready = prepare(signer, key);
    (void)ERR_pop_to_mark();
    if (!is_ready)
        return CKR_FUNCTION_FAILED;
    *ret_signer = TAKE(signer);
    return CKR_OK;
}

void signer_free(struct signer *signer)
{
    if (!signer || crypto_has_ended())
        return; /* an engine of the host's may be in the context, and gone */
    EVP_MD_CTX_free(signer->md);
    EVP_PKEY_CTX_free(signer->ctx);
    EVP_PKEY_free(signer->key);
    free(signer);
}

CK_ULONG signer_length(const struct signer *signer)
{
    return signer->length;
}

EVP_MD_CTX *signer_md(const struct signer *signer)
{
    return signer->md;
}

static bool takes(const struct signer *signer, struct span input)
{
    return input.len >= signer->input_min && input.len <= signer->input_max;
}

CK_RV signer_sign(struct signer *signer, struct span input, CK_BYTE *signature)
{
    if (!takes(signer, input))
        return CKR_DATA_LEN_RANGE;
    unsigned long before = ERR_peek_last_error();
    (void)ERR_set_mark(); /* an empty queue takes none; then all that is in it is taken back */
    bool is_done = schemes[signer->mechanism->scheme]->sign(signer, input, signature);
    bool lacked_memory = !is_done && crypto_lacked_memory(before);
    (void)ERR_pop_to_mark(); /* also of a signature that was made with less memory than wanted */
    if (lacked_memory)
        return CKR_HOST_MEMORY;
    return is_done ? CKR_OK : CKR_FUNCTION_FAILED;
}

/* What OpenSSL found, before its errors are taken back: without memory it has not looked. */
static CK_RV verdict_of(bool is_good, unsigned long before)
{
    if (is_good)
        return CKR_OK;
    return crypto_lacked_memory(before) ? CKR_HOST_MEMORY : CKR_SIGNATURE_INVALID;
}

CK_RV signer_verify(struct signer *signer, struct span input, struct span signature)
{
    if (signature.len != signer->length)
        return CKR_SIGNATURE_LEN_RANGE;
    if (!takes(signer, input))
        return CKR_DATA_LEN_RANGE;
    unsigned long before = ERR_peek_last_error();
    (void)ERR_set_mark();
    bool is_good = schemes[signer->mechanism->scheme]->verify(signer, input, signature);
    CK_RV rv = verdict_of(is_good, before);
    (void)ERR_pop_to_mark();
    return rv;
}

CK_RV signer_recover(struct signer *signer, struct span signature, CK_BYTE *out, CK_ULONG *ret_len)
{
    size_t len = signer->length;
    if (signature.len != signer->length)
        return CKR_SIGNATURE_LEN_RANGE;
    unsigned long before = ERR_peek_last_error();
    (void)ERR_set_mark();
    bool is_good =
        EVP_PKEY_verify_recover(signer->ctx, out, &len, signature.ptr, signature.len) == 1;
    CK_RV rv = verdict_of(is_good, before);
    (void)ERR_pop_to_mark();
    if (rv == CKR_OK)
        *ret_len = len;
    return rv;
}
