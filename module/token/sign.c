/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing. The order matters: whatever can be refused is refused at C_SignInit; a question for the
 * length, or too small a buffer, is answered from the key's size and never reaches the backend.
 */
#include "module/token/sign.h"

#include <string.h>

#include "module/backend/backend.h"
#include "module/token/async.h"
#include "module/token/digestinfo.h"
#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/hashing.h"
#include "module/token/outbuf.h"
#include "module/token/signer.h"

enum {
    PKCS1_OVERHEAD = 11,   /* RFC 8017 section 9.2: what the padding needs of the modulus */
    DIGEST_INFO_MAX = 128, /* more than any DigestInfo */
};

/* What a backend that signs knows without asking anybody: expired, revoked, not activated. */
static CK_RV check_token(struct token *token)
{
    struct call call;

    if (!token->ops->check)
        return CKR_OK;
    call_init(&call, &clock_system, 0);
    CK_RV rv = failure_of(token->ops->check(token, &call), &call);
    call_fini(&call);
    return rv;
}

CK_RV sign_prepare(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    CK_RV rv = operation_set_key(s, mechanism, key, CKF_SIGN);
    return rv == CKR_OK && !s->operation.key.signer ? check_token(s->slot->token) : rv;
}

CK_RV sign_init(struct session *s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    if (!mechanism) /* 3.0 section 5.12.1: ends the operation that is active */
        return operation_cancel(s, OPERATION_SIGN);
    CK_RV rv = operation_begin(s, OPERATION_SIGN);
    if (rv != CKR_OK)
        return rv;
    rv = sign_prepare(s, mechanism, key);
    if (rv == CKR_OK)
        rv = hashing_start(&s->operation);
    return operation_return(s, rv != CKR_OK, rv);
}

static bool takes_hash(const struct token *token, enum crypto_hash hash)
{
    for (size_t i = 0; i < token->hash_count; i++)
        if (token->hashes[i] == hash)
            return true;
    return false;
}

/* A key that only ever sees digests: what is inside the DigestInfo of CKM_RSA_PKCS is what goes
 * out. */
static CK_RV unwrap_digest_info(const struct token *token, struct sign_job *job)
{
    struct span digest = {0};
    bool is_length = false;
    enum crypto_hash hash = digestinfo_parse(job->input, &digest, &is_length);
    if (is_length)
        return failure(CKR_DATA_LEN_RANGE, "the digest in the DigestInfo has the wrong length");
    if (hash == CRYPTO_NO_HASH)
        return failure(CKR_DATA_INVALID, "CKM_RSA_PKCS on this slot signs a DER DigestInfo only");
    if (!takes_hash(token, hash))
        return failure(CKR_DATA_INVALID,
                       "the service is not asked to sign %s; "
                       "extra_hashes = yes allows SHA-384 and SHA-512",
                       crypto_hash_name(hash));
    job->hash = hash;
    job->input = digest;
    return CKR_OK;
}

CK_RV sign_ended(struct session *s, const struct sign_outcome *outcome)
{
    const struct call *call = outcome->call;
    bool was_refused = outcome->rv == CKR_USER_NOT_LOGGED_IN;

    audit_signature(s, outcome->operation, &outcome->mark, call ? call->transaction : "",
                    outcome->rv);
    if (call && (was_refused || s->slot->token->login_signs_once))
        slot_logout_if(s->slot, outcome->login); /* so that the application asks for PIN or OTP */
    return outcome->rv;
}

static CK_RV ask_backend(struct session *s, const struct sign_job *job,
                         struct sign_outcome *outcome, CK_BYTE *signature)
{
    struct token *token = s->slot->token;
    struct call call;

    call_init(&call, &clock_system, token->ops->patience_ms(token));
    outcome->rv = session_wait_begin(s, &call);
    if (outcome->rv == CKR_OK) {
        enum sca_status st = token->ops->sign(token, &call, job, signature);
        outcome->rv = session_wait_end(s, &call, failure_of(st, &call));
        outcome->call = &call;
    }
    (void)sign_ended(s, outcome);
    outcome->call = NULL;
    call_fini(&call);
    return outcome->rv;
}

/* A key that wants a login for each signature, and got none. A foreign token may ask by itself. */
static CK_RV check_context(const struct session *s, const struct operation *sign)
{
    const struct token *token = s->slot->token;

    if (sign->otp || !operation_wants_login(s, sign) ||
        (token->is_foreign && token->has_protected_path))
        return CKR_OK;
    return failure(CKR_USER_NOT_LOGGED_IN,
                   token->is_foreign
                       ? "each signature with this key needs the PIN: C_Login with "
                         "CKU_CONTEXT_SPECIFIC after C_SignInit"
                       : "each signature of this slot needs a one-time password: C_Login with "
                         "CKU_CONTEXT_SPECIFIC after C_SignInit; or set otp_login = pin");
}

/* What a key that is elsewhere shall sign; the job's input is lent. */
static CK_RV describe_job(const struct session *s, const struct operation *sign, struct span input,
                          struct sign_job *ret_job)
{
    struct sign_job job = {
        .mechanism = sign->mechanism->type,
        .hash = sign->mechanism->hash,
        .input = input,
        .key_number = sign->key.object->number,
        .signature_len = sign->out_len,
        .pss_hash = sign->parameter.hash,
        .pss_salt_len = sign->parameter.salt_len,
        .otp = sign->otp,
    };

    if (sign->mechanism->hash == CRYPTO_NO_HASH) {
        if (sign->mechanism->scheme == SCHEME_PKCS1 && input.len > sign->out_len - PKCS1_OVERHEAD)
            return CKR_DATA_LEN_RANGE;
        CK_RV rv =
            s->slot->token->signs_digests ? unwrap_digest_info(s->slot->token, &job) : CKR_OK;
        if (rv != CKR_OK)
            return rv;
    }
    CK_RV rv = check_context(s, sign);
    if (rv == CKR_OK)
        *ret_job = job;
    return rv;
}

CK_RV sign_produce(struct session *s, struct operation *sign, const char *function,
                   struct span input, CK_BYTE *signature)
{
    struct sign_outcome outcome = {.operation = sign, .mark = audit_mark(sign->mechanism, input)};
    uint8_t kept[DIGEST_INFO_MAX]; /* the signature may overlap its input */
    struct sign_job job;

    if (sign->key.signer) {
        outcome.rv = signer_sign(sign->key.signer, input, signature);
        return sign_ended(s, &outcome);
    }
    outcome.login = slot_login_number(s->slot);
    outcome.rv = describe_job(s, sign, input, &job);
    if (outcome.rv != CKR_OK)
        return sign_ended(s, &outcome);
    if (job.input.len > 0 && job.input.len <= sizeof(kept)) {
        memcpy(kept, job.input.ptr, job.input.len);
        job.input.ptr = kept;
    }
    if (s->flags & CKF_ASYNC_SESSION)
        return async_begin(s, function, &job, &outcome, signature);
    return ask_backend(s, &job, &outcome, signature);
}

/* What is pending stays with the session. */
static CK_RV end_unless_pending(struct session *s, bool is_answered, CK_RV rv)
{
    return operation_return(s, !is_answered && !s->operation.pending, rv);
}

CK_RV sign_oneshot(struct session *s, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
                   CK_ULONG *signature_len)
{
    struct operation *sign = NULL;
    uint8_t digest[HASHING_MAX];
    struct span input = {0};
    bool is_answered = false;

    CK_RV rv = operation_borrow(s, OPERATION_SIGN, OPERATION_ONESHOT, &sign);
    if (rv != CKR_OK)
        return rv;
    if (!signature_len || (!data && data_len))
        return operation_return(s, true, CKR_ARGUMENTS_BAD);
    rv = outbuf_reserve(signature, signature_len, sign->out_len, &is_answered);
    if (!is_answered)
        rv = hashing_all(sign, span_of(data, data_len), digest, &input);
    if (!is_answered && rv == CKR_OK)
        rv = sign_produce(s, sign, "C_Sign", input, signature);
    return end_unless_pending(s, is_answered, rv);
}

CK_RV sign_update(struct session *s, CK_BYTE *part, CK_ULONG part_len)
{
    struct operation *sign = NULL;
    CK_RV rv = operation_borrow(s, OPERATION_SIGN, OPERATION_MULTIPART, &sign);
    if (rv != CKR_OK)
        return rv;
    if (!part && part_len)
        rv = CKR_ARGUMENTS_BAD;
    else if (sign->mechanism->hash == CRYPTO_NO_HASH)
        rv = CKR_FUNCTION_NOT_SUPPORTED; /* the standard makes these single-part */
    else
        rv = hashing_add(sign, part, part_len);
    return operation_return(s, rv != CKR_OK, rv);
}

CK_RV sign_final(struct session *s, CK_BYTE *signature, CK_ULONG *signature_len)
{
    struct operation *sign = NULL;
    uint8_t digest[HASHING_MAX];
    CK_ULONG digest_len = 0;
    bool is_answered = false;

    CK_RV rv = operation_borrow(s, OPERATION_SIGN, OPERATION_MULTIPART, &sign);
    if (rv != CKR_OK)
        return rv;
    if (!signature_len)
        return operation_return(s, true, CKR_ARGUMENTS_BAD);
    if (sign->mechanism->hash == CRYPTO_NO_HASH)
        return operation_return(s, true, CKR_FUNCTION_NOT_SUPPORTED);
    rv = outbuf_reserve(signature, signature_len, sign->out_len, &is_answered);
    if (!is_answered)
        rv = hashing_end(sign, digest, &digest_len);
    if (!is_answered && rv == CKR_OK)
        rv = sign_produce(s, sign, "C_SignFinal", span_of(digest, digest_len), signature);
    return end_unless_pending(s, is_answered, rv);
}
