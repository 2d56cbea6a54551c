/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/result.h"

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum {
    MODULUS_MIN = 256, /* RSA 2048 to 8192 (R-D2) */
    MODULUS_MAX = 1024,
    VALUE_MAX = 32 * 1024, /* a CMS brings its certificates along */
};

/* Read only once it is made. */
struct result_key {
    OSSL_LIB_CTX *libctx;
    EVP_PKEY *pkey;
    size_t modulus_len;
};

static EVP_PKEY *decode_key(OSSL_LIB_CTX *libctx, struct span spki)
{
    const unsigned char *p = spki.ptr;
    if (spki.len == 0 || spki.len > VALUE_MAX)
        return NULL;

    EVP_PKEY *pkey = d2i_PUBKEY_ex(NULL, &p, (long)spki.len, libctx, NULL);
    if (pkey && (p != spki.ptr + spki.len || !EVP_PKEY_is_a(pkey, "RSA"))) {
        crypto_pkey_free(pkey);
        return NULL;
    }
    return pkey;
}

/* What it has made when it fails is for result_key_free. */
static enum sca_status key_init(struct result_key *key, OSSL_LIB_CTX *libctx, struct span spki)
{
    key->libctx = libctx;
    key->pkey = decode_key(libctx, spki);
    int modulus_len = key->pkey ? EVP_PKEY_get_size(key->pkey) : 0;
    if (modulus_len < MODULUS_MIN || modulus_len > MODULUS_MAX)
        return SCA_INVALID;
    key->modulus_len = (size_t)modulus_len;
    return SCA_OK;
}

enum sca_status result_key_new(OSSL_LIB_CTX *libctx, struct span spki, struct result_key **ret_key)
{
    struct result_key *key = calloc(1, sizeof(*key));
    if (!key)
        return SCA_NOMEM;

    unsigned long before = ERR_peek_last_error();
    ERR_set_mark();
    enum sca_status st = key_init(key, libctx, spki);
    if (st == SCA_INVALID && crypto_lacked_memory(before))
        st = SCA_NOMEM;
    ERR_pop_to_mark();
    if (st == SCA_OK)
        *ret_key = key;
    else
        result_key_free(key);
    return st;
}

void result_key_free(struct result_key *key)
{
    if (!key)
        return;
    crypto_pkey_free(key->pkey);
    free(key);
}

/* One question: is this the signature of that digest? Each has its own context; the key is shared.
 */
struct check {
    const struct result_key *key;
    const EVP_MD *md;
    struct span digest;
};

/* sig has the modulus' length. A wrong signature is SCA_MISMATCH. */
static enum sca_status verify(const struct check *check, const uint8_t *sig)
{
    enum sca_status st = SCA_NOMEM;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(check->key->libctx, check->key->pkey, NULL);

    if (ctx && EVP_PKEY_verify_init(ctx) > 0 &&
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
        EVP_PKEY_CTX_set_signature_md(ctx, check->md) > 0)
        st = EVP_PKEY_verify(ctx, sig, check->key->modulus_len, check->digest.ptr,
                             check->digest.len) == 1
                 ? SCA_OK
                 : SCA_MISMATCH;
    EVP_PKEY_CTX_free(ctx);
    return st;
}

/*
 * Writes value to out, padded to the modulus' length, if it verifies. A number printed without its
 * leading zeros comes short; one printed with a sign byte comes one zero too long.
 */
static enum sca_status accept_number(const struct check *check, struct span value, uint8_t *out)
{
    uint8_t sig[MODULUS_MAX] = {0};
    size_t modulus_len = check->key->modulus_len;

    if (value.len == modulus_len + 1 && value.ptr[0] == 0)
        value = span_of(value.ptr + 1, modulus_len);
    if (value.len == 0 || value.len > modulus_len)
        return SCA_MISMATCH;
    memcpy(sig + modulus_len - value.len, value.ptr, value.len);

    enum sca_status st = verify(check, sig);
    if (st == SCA_OK)
        memcpy(out, sig, modulus_len);
    return st;
}

static CMS_ContentInfo *decode_cms(OSSL_LIB_CTX *libctx, struct span value)
{
    const unsigned char *p = value.ptr;
    CMS_ContentInfo *cms = CMS_ContentInfo_new_ex(libctx, NULL);

    /* Frees cms and clears it when the bytes are no ContentInfo. */
    return cms ? d2i_CMS_ContentInfo(&cms, &p, (long)value.len) : NULL;
}

/*
 * Some answers may wrap the signature: what is known of the service contradicts itself. Only one
 * made over the digest itself is of use to the caller: with signed attributes it verifies over
 * those instead.
 */
static enum sca_status accept_cms(const struct check *check, struct span value, uint8_t *out)
{
    enum sca_status st = SCA_MISMATCH;
    CMS_ContentInfo *cms = decode_cms(check->key->libctx, value);
    STACK_OF(CMS_SignerInfo) *signers = cms ? CMS_get0_SignerInfos(cms) : NULL;

    for (int i = 0; st == SCA_MISMATCH && i < sk_CMS_SignerInfo_num(signers); i++) {
        const ASN1_OCTET_STRING *sig =
            CMS_SignerInfo_get0_signature(sk_CMS_SignerInfo_value(signers, i));
        if (sig && ASN1_STRING_length(sig) > 0)
            st = accept_number(
                check, span_of(ASN1_STRING_get0_data(sig), (size_t)ASN1_STRING_length(sig)), out);
    }
    CMS_ContentInfo_free(cms);
    return st;
}

static enum sca_status accept(const struct check *check, struct span value, uint8_t *out)
{
    if (value.len <= check->key->modulus_len + 1)
        return accept_number(check, value, out);
    return accept_cms(check, value, out);
}

enum sca_status result_extract(const struct result_key *key, struct span digest, const char *value,
                               uint8_t *out, size_t out_len)
{
    enum crypto_hash hash = crypto_hash_of_len(digest.len);
    const struct check check = {.key = key, .md = crypto_md(hash), .digest = digest};
    struct buf bytes;

    if (hash == CRYPTO_NO_HASH || out_len != key->modulus_len)
        return SCA_INVALID;
    if (!check.md)
        return SCA_NOMEM;
    enum sca_status st = base64_decode(span_text(value), VALUE_MAX, &bytes);
    if (st != SCA_OK)
        return st == SCA_NOMEM ? st : SCA_MISMATCH;

    unsigned long before = ERR_peek_last_error();
    ERR_set_mark();
    st = accept(&check, buf_span(&bytes), out);
    /* A mismatch ends the transaction for good: without memory nothing was compared. */
    if (st == SCA_MISMATCH && crypto_lacked_memory(before))
        st = SCA_NOMEM;
    ERR_pop_to_mark();
    buf_fini(&bytes);
    return st;
}
