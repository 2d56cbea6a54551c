/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing with a key of the token. Mechanisms that hash have done so by now: their digest goes to
 * the mechanism that takes one, so that parts of a document need no session of the token's.
 */
#include <string.h>

#include "module/backend/forward.h"
#include "remote/base/cleanup.h"

enum { SIGNATURE_MAX = 2048, PREFIX_MAX = 19, DIGEST_MAX = 64 };

/* How a mechanism is asked for. */
static const struct route {
    CK_MECHANISM_TYPE outer;
    CK_MECHANISM_TYPE inner;
    bool wants_digest_info;
} routes[] = {
    {CKM_RSA_PKCS, CKM_RSA_PKCS, false},
    {CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS, true},
    {CKM_SHA384_RSA_PKCS, CKM_RSA_PKCS, true},
    {CKM_SHA512_RSA_PKCS, CKM_RSA_PKCS, true},
    {CKM_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, false},
    {CKM_SHA256_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, false},
    {CKM_SHA384_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, false},
    {CKM_SHA512_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, false},
    {CKM_ECDSA, CKM_ECDSA, false},
    {CKM_ECDSA_SHA1, CKM_ECDSA, false},
    {CKM_ECDSA_SHA256, CKM_ECDSA, false},
    {CKM_ECDSA_SHA384, CKM_ECDSA, false},
    {CKM_ECDSA_SHA512, CKM_ECDSA, false},
    {CKM_EDDSA, CKM_EDDSA, false},
};

_Static_assert(ARRAY_LEN(routes) <= FORWARD_MECHANISMS_MAX, "a token cannot have all mechanisms");

/* RFC 8017 section 9.2, note 1. */
static const struct {
    uint8_t bytes[PREFIX_MAX];
    size_t len;
} prefixes[CRYPTO_HASH_COUNT] = {
    [CRYPTO_SHA256] = {{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
                        0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
                       19},
    [CRYPTO_SHA384] = {{0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
                        0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30},
                       19},
    [CRYPTO_SHA512] = {{0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
                        0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40},
                       19},
};

static const struct {
    CK_MECHANISM_TYPE type;
    CK_RSA_PKCS_MGF_TYPE mgf;
} pss_hashes[CRYPTO_HASH_COUNT] = {
    [CRYPTO_SHA1] = {CKM_SHA_1, CKG_MGF1_SHA1},
    [CRYPTO_SHA256] = {CKM_SHA256, CKG_MGF1_SHA256},
    [CRYPTO_SHA384] = {CKM_SHA384, CKG_MGF1_SHA384},
    [CRYPTO_SHA512] = {CKM_SHA512, CKG_MGF1_SHA512},
};

static bool is_offered(const CK_MECHANISM_TYPE *offered, size_t count, CK_MECHANISM_TYPE type)
{
    for (size_t i = 0; i < count; i++)
        if (offered[i] == type)
            return true;
    return false;
}

size_t forward_mechanisms(const CK_MECHANISM_TYPE *offered, size_t count,
                          CK_MECHANISM_TYPE out[static FORWARD_MECHANISMS_MAX])
{
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (is_offered(offered, count, routes[i].outer) &&
            is_offered(offered, count, routes[i].inner))
            out[found++] = routes[i].outer;
    return found;
}

/* One signature, ready to be asked for. */
struct order {
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    uint8_t digest_info[PREFIX_MAX + DIGEST_MAX];
    struct span input;
};

static CK_RV prepare(const struct sign_job *job, struct order *order)
{
    const struct route *route = NULL;

    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (routes[i].outer == job->mechanism)
            route = &routes[i];
    if (!route || (route->wants_digest_info && job->input.len > DIGEST_MAX))
        return CKR_MECHANISM_INVALID;
    order->mechanism = (CK_MECHANISM){.mechanism = route->inner};
    order->input = job->input;
    if (route->inner == CKM_RSA_PKCS_PSS) {
        order->pss = (CK_RSA_PKCS_PSS_PARAMS){.hashAlg = pss_hashes[job->pss_hash].type,
                                              .mgf = pss_hashes[job->pss_hash].mgf,
                                              .sLen = job->pss_salt_len};
        order->mechanism.pParameter = &order->pss;
        order->mechanism.ulParameterLen = sizeof(order->pss);
    }
    if (route->wants_digest_info) {
        size_t len = prefixes[job->hash].len;
        memcpy(order->digest_info, prefixes[job->hash].bytes, len);
        memcpy(order->digest_info + len, job->input.ptr, job->input.len);
        order->input = span_of(order->digest_info, len + job->input.len);
    }
    /* FIPS 186-4 section 6.4: the leftmost bits count; some tokens refuse to cut. */
    size_t half = job->signature_len / 2;
    if (route->inner == CKM_ECDSA && job->hash != CRYPTO_NO_HASH && order->input.len > half)
        order->input.len = half;
    return CKR_OK;
}

/* What was typed for this signature alone; without, the token asks for it itself. */
static CK_RV log_in_for_it(const struct forward_token *token, CK_SESSION_HANDLE session,
                           const struct secret *pin)
{
    struct span text = pin ? secret_get(pin) : span_of(NULL, 0);
    CK_UTF8CHAR *given = pin ? (CK_UTF8CHAR *)(uintptr_t)text.ptr : NULL; /* it knows no const */
    return token->inner->Login(session, CKU_CONTEXT_SPECIFIC, given, text.len);
}

static CK_RV run(const struct forward_token *token, const struct forward_lease *lease,
                 const struct sign_job *job, struct order *order, struct span *ret_signature,
                 uint8_t room[static SIGNATURE_MAX])
{
    CK_SESSION_HANDLE session = lease->session;
    CK_ULONG len = SIGNATURE_MAX;

    CK_RV rv = token->inner->SignInit(session, &order->mechanism, lease->key.handle);
    if (rv == CKR_OK && lease->key.wants_login_each_time)
        rv = log_in_for_it(token, session, job->otp);
    if (rv == CKR_OK)
        rv = token->inner->Sign(session, (CK_BYTE *)(uintptr_t)order->input.ptr, order->input.len,
                                room, &len);
    if (rv == CKR_OK && len > SIGNATURE_MAX)
        rv = CKR_DEVICE_ERROR;
    if (rv == CKR_OK)
        *ret_signature = span_of(room, len);
    return rv;
}

/* As long as the key's signatures are: numbers whose leading zeros a token has dropped get them
 * back. */
static CK_RV fill(const struct sign_job *job, struct span signature, uint8_t *sig)
{
    size_t missing = job->signature_len - signature.len;
    bool is_number = job->mechanism != CKM_EDDSA;

    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (routes[i].outer == job->mechanism && routes[i].inner == CKM_ECDSA)
            is_number = false;
    if (signature.len > job->signature_len || signature.len == 0 || (missing && !is_number))
        return CKR_DEVICE_ERROR;
    memset(sig, 0, missing);
    memcpy(sig + missing, signature.ptr, signature.len);
    return CKR_OK;
}

static CK_RV sign_once(struct forward_token *token, struct call *call, const struct sign_job *job,
                       struct order *order, uint8_t *sig)
{
    uint8_t room[SIGNATURE_MAX];
    struct span signature = {0};
    struct forward_lease lease;

    CK_RV rv = forward_take(token, call, job->key_number, &lease);
    if (rv != CKR_OK)
        return rv;
    rv = lease.key.number ? run(token, &lease, job, order, &signature, room)
                          : CKR_KEY_HANDLE_INVALID;
    /* After a failure an operation may be left behind: with the session, it ends. */
    forward_give(token, &lease, rv == CKR_OK || rv == CKR_KEY_HANDLE_INVALID);
    return rv == CKR_OK ? fill(job, signature, sig) : rv;
}

/* For forward_list: only the handles are wanted. */
static enum sca_status ignore(struct object_sink *sink, unsigned number, bool is_private,
                              const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    (void)sink;
    (void)number;
    (void)is_private;
    (void)attributes;
    (void)count;
    return SCA_OK;
}

/* Handles have become void, by the host or by the token: the same key is looked for once more. If
 * it does not show, the login has got lost. */
static CK_RV sign_anew(struct forward_token *token, struct call *call, const struct sign_job *job,
                       struct order *order, uint8_t *sig)
{
    struct object_sink sink = {.add = ignore};

    enum sca_status st = forward_list(&token->base, &sink);
    if (st == SCA_NOMEM)
        return CKR_HOST_MEMORY;
    if (st != SCA_OK)
        return st == SCA_GONE ? CKR_DEVICE_REMOVED : CKR_DEVICE_ERROR;
    CK_RV rv = sign_once(token, call, job, order, sig);
    bool is_hidden = rv == CKR_KEY_HANDLE_INVALID || rv == CKR_OBJECT_HANDLE_INVALID;
    return is_hidden && token->base.needs_login ? CKR_USER_NOT_LOGGED_IN : rv;
}

enum sca_status forward_sign(struct token *base, struct call *call, const struct sign_job *job,
                             uint8_t *sig)
{
    struct forward_token *token = (struct forward_token *)base;
    struct order order;

    CK_RV rv = prepare(job, &order);
    if (rv == CKR_OK)
        rv = sign_once(token, call, job, &order, sig);
    if (rv != CKR_OK && forward_recover(token, rv))
        rv = sign_anew(token, call, job, &order, sig);
    return forward_fail(token, call, rv, FORWARD_SIGN);
}
