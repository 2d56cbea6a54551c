/* SPDX-License-Identifier: Apache-2.0 */
/* Key pairs on a token: made, found, known to OpenSSL by their public half, signed with. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/cli/ecdsa_der.h"
#include "remote/cli/token.h"
#include "remote/cli/x509_read.h"

enum { SIGNATURE_MAX = 1024 };

void token_pair_fini(struct token_pair *pair)
{
    EVP_PKEY_free(pair->key);
    *pair = (struct token_pair){0};
}

bool token_pair_find(struct token *token, struct span id, struct token_pair *ret_pair,
                     struct trouble *trouble)
{
    struct token_pair pair = {.public_key = token_find_one(token, CKO_PUBLIC_KEY, id),
                              .private_key = token_find_one(token, CKO_PRIVATE_KEY, id)};

    if (pair.public_key == CK_INVALID_HANDLE || pair.private_key == CK_INVALID_HANDLE)
        return trouble_say(trouble, "not_found", _("make a new key with --new-key"), "%s",
                           _("the token has no key pair for its certificate"));
    if (!token_public_read(token, &pair)) {
        token_pair_fini(&pair);
        return trouble_say(trouble, "unsupported", _("make a new key with --new-key"),
                           _("the token's key is none of %s"), key_spec_names);
    }
    *ret_pair = pair;
    return true;
}

/* The private half first: token_pair_unused finds it under either id. */
static bool set_id(struct token *token, const struct token_pair *pair)
{
    uint8_t id[CERTIFICATE_ID_SIZE];
    CK_ATTRIBUTE attribute = {CKA_ID, id, sizeof(id)};

    return x509_id_of_key(pair->key, id) &&
           token->p11->C_SetAttributeValue(token->session, pair->private_key, &attribute, 1) ==
               CKR_OK &&
           token->p11->C_SetAttributeValue(token->session, pair->public_key, &attribute, 1) ==
               CKR_OK;
}

static bool has_certificate(struct token *token, struct span id)
{
    return token_find_one(token, CKO_CERTIFICATE, id) != CK_INVALID_HANDLE;
}

/* A pair without a certificate, by its public half. It may have ended before it had its own id, or
 * between its two halves. */
static bool adopt_pair(struct token *token, const struct key_spec *spec, struct token_pair *pair)
{
    AUTO(buf_fini) struct buf id;
    uint8_t own_id[CERTIFICATE_ID_SIZE];
    const struct span own = span_of(own_id, sizeof(own_id));

    if (!token_read(token, pair->public_key, CKA_ID, &id) || id.len == 0 ||
        !token_public_read(token, pair) || pair->spec != spec ||
        !x509_id_of_key(pair->key, own_id) || has_certificate(token, buf_span(&id)) ||
        has_certificate(token, own))
        return false;
    pair->private_key = token_find_one(token, CKO_PRIVATE_KEY, buf_span(&id));
    if (pair->private_key == CK_INVALID_HANDLE)
        pair->private_key = token_find_one(token, CKO_PRIVATE_KEY, own);
    return pair->private_key != CK_INVALID_HANDLE && set_id(token, pair);
}

bool token_pair_unused(struct token *token, const struct key_spec *spec,
                       struct token_pair *ret_pair)
{
    AUTO(freep) CK_OBJECT_HANDLE *found = NULL;
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_ATTRIBUTE match[] = {{CKA_CLASS, &class, sizeof(class)}};
    struct trouble ignored;
    size_t count = 0;

    if (!token_find(token, match, 1, &found, &count, &ignored))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct token_pair pair = {.public_key = found[i]};
        if (adopt_pair(token, spec, &pair)) {
            *ret_pair = pair;
            return true;
        }
        token_pair_fini(&pair);
    }
    return false;
}

/* Until the key is known, its CKA_ID is random: a crash leaves a pair that belongs together. */
static CK_RV generate(struct token *token, const struct key_spec *spec, const char *label,
                      bool is_exportable, struct token_pair *pair)
{
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_BBOOL exportable = is_exportable ? CK_TRUE : CK_FALSE;
    CK_BBOOL sensitive = is_exportable ? CK_FALSE : CK_TRUE;
    CK_ULONG bits = spec->bits;
    CK_BYTE exponent[] = {0x01, 0x00, 0x01};
    CK_BYTE params[32];
    CK_BYTE id[CERTIFICATE_ID_SIZE];
    char text[FORM_LABEL_SIZE];
    CK_MECHANISM mechanism = {spec->generate, NULL, 0};

    if (RAND_bytes_ex(crypto_libctx(), id, sizeof(id), 0) != 1 || spec->params.len > sizeof(params))
        return CKR_GENERAL_ERROR;
    if (spec->params.len)
        memcpy(params, spec->params.ptr, spec->params.len);
    form_label(label, text);
    CK_ATTRIBUTE public_rsa[] = {
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &no, sizeof(no)},
        {CKA_VERIFY, &yes, sizeof(yes)},
        {CKA_LABEL, text, strlen(text)},
        {CKA_ID, id, sizeof(id)},
        {CKA_MODULUS_BITS, &bits, sizeof(bits)},
        {CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)},
    };
    CK_ATTRIBUTE public_curve[] = {
        {CKA_TOKEN, &yes, sizeof(yes)},  {CKA_PRIVATE, &no, sizeof(no)},
        {CKA_VERIFY, &yes, sizeof(yes)}, {CKA_LABEL, text, strlen(text)},
        {CKA_ID, id, sizeof(id)},        {CKA_EC_PARAMS, params, spec->params.len},
    };
    CK_ATTRIBUTE private_key[] = {
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &yes, sizeof(yes)},
        {CKA_SIGN, &yes, sizeof(yes)},
        {CKA_LABEL, text, strlen(text)},
        {CKA_ID, id, sizeof(id)},
        {CKA_SENSITIVE, &sensitive, sizeof(sensitive)},
        {CKA_EXTRACTABLE, &exportable, sizeof(exportable)},
    };
    bool is_rsa = spec->type == CKK_RSA;
    return token->p11->C_GenerateKeyPair(
        token->session, &mechanism, is_rsa ? public_rsa : public_curve,
        is_rsa ? ARRAY_LEN(public_rsa) : ARRAY_LEN(public_curve), private_key,
        ARRAY_LEN(private_key), &pair->public_key, &pair->private_key);
}

bool token_generate(struct token *token, const struct key_spec *spec, const char *label,
                    bool is_exportable, struct token_pair *ret_pair, struct trouble *trouble)
{
    struct token_pair pair = {0};

    CK_RV rv = generate(token, spec, label, is_exportable, &pair);
    if (rv != CKR_OK)
        return trouble_module(trouble, _("the token makes no key pair"), rv);
    if (!token_public_read(token, &pair) || pair.spec != spec || !set_id(token, &pair)) {
        token_pair_fini(&pair);
        return trouble_say(trouble, "module", _("smartca doctor tells more"), "%s",
                           _("the token's new key pair cannot be used"));
    }
    *ret_pair = pair;
    return true;
}

enum sca_status token_sign(struct token *token, const struct token_pair *pair, struct span tbs,
                           struct buf *ret_signature, CK_RV *rv)
{
    const struct key_spec *spec = pair->spec;
    CK_MECHANISM mechanism = {spec->sign, NULL, 0};
    CK_BYTE signature[SIGNATURE_MAX];
    CK_ULONG len = sizeof(signature);
    unsigned digest_len = 0;
    bool is_hashed = spec->hash != CRYPTO_NO_HASH;
    AUTO(freep) CK_BYTE *input = malloc(tbs.len + EVP_MAX_MD_SIZE);

    if (!input)
        return SCA_NOMEM;
    memcpy(input, tbs.ptr, tbs.len);
    if (is_hashed &&
        EVP_Digest(tbs.ptr, tbs.len, input, &digest_len, crypto_md(spec->hash), NULL) != 1)
        return SCA_NOMEM;
    *rv = token->p11->C_SignInit(token->session, &mechanism, pair->private_key);
    if (*rv == CKR_OK)
        *rv = token->p11->C_Sign(token->session, input, is_hashed ? digest_len : tbs.len, signature,
                                 &len);
    if (*rv != CKR_OK || len > sizeof(signature))
        return SCA_IO;
    if (spec->type == CKK_EC)
        return ecdsa_der(span_of(signature, len), ret_signature);
    return buf_append(ret_signature, span_of(signature, len));
}
