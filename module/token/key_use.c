/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key for an operation: checked in the order of the standard and made ready. What the session
 * used last is used again when nothing has changed since; then nothing is checked but the login.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "module/token/key_material.h"
#include "module/token/object_access.h"
#include "module/token/session.h"
#include "module/token/signer.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

/* What a purpose needs of a key object. */
static const struct key_role {
    CK_FLAGS purpose;
    CK_OBJECT_CLASS class;
    CK_ATTRIBUTE_TYPE permission;
} roles[] = {
    {CKF_SIGN, CKO_PRIVATE_KEY, CKA_SIGN},
    {CKF_VERIFY, CKO_PUBLIC_KEY, CKA_VERIFY},
    {CKF_SIGN_RECOVER, CKO_PRIVATE_KEY, CKA_SIGN_RECOVER},
    {CKF_VERIFY_RECOVER, CKO_PUBLIC_KEY, CKA_VERIFY_RECOVER},
};

static bool is_permitted(const struct object *object, CK_FLAGS purpose)
{
    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (roles[i].purpose == purpose)
            return object->class == roles[i].class && object_bool(object, roles[i].permission);
    return false;
}

/* CKA_ALLOWED_MECHANISMS; without it, or with an empty list, all are. */
static bool is_allowed(const struct object *object, CK_MECHANISM_TYPE type)
{
    const CK_ATTRIBUTE *allowed = object_attribute(object, CKA_ALLOWED_MECHANISMS);
    if (!allowed || !allowed->ulValueLen)
        return true;
    for (CK_ULONG at = 0; at + sizeof(type) <= allowed->ulValueLen; at += sizeof(type)) {
        CK_MECHANISM_TYPE one = 0;
        memcpy(&one, (const CK_BYTE *)allowed->pValue + at, sizeof(one));
        if (one == type)
            return true;
    }
    return false;
}

static CK_RV find_key(struct session *s, CK_OBJECT_HANDLE handle, struct object **ret_object)
{
    AUTO(object_unrefp) struct object *object = NULL;
    CK_RV rv = slot_object(s->slot, handle, &object);
    if (rv == CKR_OBJECT_HANDLE_INVALID)
        return CKR_KEY_HANDLE_INVALID;
    if (rv != CKR_OK)
        return rv;
    if (object->class != CKO_PRIVATE_KEY && object->class != CKO_PUBLIC_KEY)
        return CKR_KEY_HANDLE_INVALID;
    *ret_object = TAKE(object);
    return CKR_OK;
}

/* A token with write hides what needs a login as if it were not there; others only refuse it. */
static CK_RV check_login(struct session *s, const struct object *object)
{
    if (!object->is_private || slot_shows(slot_login_state(s->slot), object))
        return CKR_OK;
    return slot_is_writable(s->slot) ? CKR_KEY_HANDLE_INVALID : CKR_USER_NOT_LOGGED_IN;
}

/* From CKA_PUBLIC_KEY_INFO, the DER SubjectPublicKeyInfo. */
static CK_RV load_public_key(const struct object *object, EVP_PKEY **ret_key)
{
    const CK_ATTRIBUTE *spki = object_attribute(object, CKA_PUBLIC_KEY_INFO);
    if (!spki)
        return CKR_KEY_FUNCTION_NOT_PERMITTED;
    const unsigned char *der = spki->pValue;
    (void)ERR_set_mark();
    AUTO(crypto_pkey_freep)
    EVP_PKEY *key = d2i_PUBKEY_ex(NULL, &der, (long)spki->ulValueLen, crypto_libctx(), NULL);
    (void)ERR_pop_to_mark();
    if (!key || !crypto_is_whole(key))
        return CKR_FUNCTION_FAILED;
    *ret_key = TAKE(key);
    return CKR_OK;
}

/* NULL, with CKR_OK, for a private key that is not in this process. */
static CK_RV load_key(struct session *s, const struct object *object, EVP_PKEY **ret_key)
{
    if (object->class == CKO_PUBLIC_KEY)
        return load_public_key(object, ret_key);
    if (!object->key && !slot_is_writable(s->slot))
        return CKR_OK;
    CK_RV rv = object_load_key(s, object, ret_key);
    return rv == CKR_OBJECT_HANDLE_INVALID ? CKR_KEY_HANDLE_INVALID : rv;
}

/* In whole bytes, as CKA_MODULUS has them. */
static CK_ULONG modulus_len(const struct object *object)
{
    const CK_ATTRIBUTE *modulus = object_attribute(object, CKA_MODULUS);
    return modulus ? modulus->ulValueLen : 0;
}

/* NULL: it is on none that we know. */
static const struct curve *curve_of(const struct object *object)
{
    const CK_ATTRIBUTE *params = object_attribute(object, CKA_EC_PARAMS);
    CK_KEY_TYPE type = object_ulong(object, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION);
    const struct curve *curve = NULL;

    if (params)
        (void)curve_find(span_of(params->pValue, params->ulValueLen), type, &curve);
    return curve;
}

static CK_ULONG curve_bits(const struct object *object)
{
    enum { P521_LEN = 66, P521_BITS = 521 };
    const struct curve *curve = curve_of(object);

    if (!curve)
        return 0;
    return curve->field_len == P521_LEN ? P521_BITS : 8 * curve->field_len;
}

/* Of a key that is not in this process. */
static CK_ULONG signature_len(const struct object *object, const struct mechanism *mechanism)
{
    if (mechanism->key_type == CKK_RSA)
        return modulus_len(object);
    const struct curve *curve = curve_of(object);
    return curve ? 2 * curve->field_len : 0;
}

static CK_ULONG key_bits(const struct object *object, const EVP_PKEY *key)
{
    return key ? (CK_ULONG)EVP_PKEY_get_bits(key) : 8 * modulus_len(object);
}

static bool has_size(struct session *s, const struct operation *operation, CK_FLAGS purpose,
                     const struct object *object, const EVP_PKEY *key)
{
    CK_ULONG bits = 8 * modulus_len(object);
    if (operation->mechanism->scheme == SCHEME_EDDSA)
        return key || curve_of(object); /* of one size */
    if (operation->mechanism->scheme == SCHEME_ECDSA)
        bits = key ? (CK_ULONG)EVP_PKEY_get_bits(key) : curve_bits(object);
    return mechanism_takes_size(s->slot->token, operation->mechanism, purpose, bits);
}

/* login: what check_login said, which is the last thing to complain about. */
static CK_RV make_ready(struct session *s, CK_FLAGS purpose, const struct object *object,
                        CK_RV login)
{
    struct operation *operation = &s->operation;
    AUTO(crypto_pkey_freep) EVP_PKEY *key = NULL;

    CK_RV rv = load_key(s, object, &key);
    if (rv != CKR_OK)
        return rv;
    if (!has_size(s, operation, purpose, object, key))
        return CKR_KEY_SIZE_RANGE;
    if (!mechanism_parameter_fits(operation->mechanism, &operation->parameter,
                                  key_bits(object, key)))
        return CKR_MECHANISM_PARAM_INVALID;
    if (login != CKR_OK || !key)
        return login;
    return signer_new(key, operation->mechanism, &operation->parameter, purpose,
                      &operation->key.signer);
}

static CK_RV check_use(const struct object *object, const struct mechanism *mechanism,
                       CK_FLAGS purpose)
{
    if (object_ulong(object, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION) != mechanism->key_type)
        return CKR_KEY_TYPE_INCONSISTENT;
    if (!is_permitted(object, purpose))
        return CKR_KEY_FUNCTION_NOT_PERMITTED;
    return is_allowed(object, mechanism->type) ? CKR_OK : CKR_MECHANISM_INVALID;
}

/*
 * Objects and tables never change: the same object for the same use has been checked already. The
 * table of mechanisms is not even looked at, which counts beside a signature of 15 microseconds.
 */
static bool use_again(struct operation *operation, const CK_MECHANISM *wanted, CK_FLAGS purpose,
                      struct ready_key *warm)
{
    struct mechanism_parameter parameter;
    if (warm->mechanism->type != wanted->mechanism || warm->purpose != purpose ||
        mechanism_parameter_read(warm->mechanism, wanted, &parameter) != CKR_OK ||
        warm->parameter.hash != parameter.hash || warm->parameter.salt_len != parameter.salt_len)
        return false;
    operation->mechanism = warm->mechanism;
    operation->parameter = parameter;
    operation->key = *warm;
    *warm = (struct ready_key){.object = NULL};
    return true;
}

/* login: what check_login said. */
static CK_RV check_and_load(struct session *s, const CK_MECHANISM *wanted,
                            const struct object *object, CK_FLAGS purpose, CK_RV login)
{
    struct operation *operation = &s->operation;
    CK_RV rv = mechanism_find(s->slot->token, wanted, purpose, &operation->mechanism,
                              &operation->parameter);
    if (rv == CKR_OK)
        rv = check_use(object, operation->mechanism, purpose);
    return rv == CKR_OK ? make_ready(s, purpose, object, login) : rv;
}

/* The use of a key that was found and loaded, for use_again. */
static void note_use(struct operation *operation, struct object *object, CK_FLAGS purpose)
{
    struct ready_key *key = &operation->key;

    key->object = object;
    key->mechanism = operation->mechanism;
    key->parameter = operation->parameter;
    key->purpose = purpose;
    key->signature_len =
        key->signer ? signer_length(key->signer) : signature_len(object, operation->mechanism);
}

CK_RV operation_set_key(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                        CK_FLAGS purpose)
{
    struct operation *operation = &s->operation;
    AUTO(ready_key_clear) struct ready_key warm = operation_take_warm(s);
    AUTO(object_unrefp) struct object *object = NULL;

    if (!warm.object || !slot_still_shows(s->slot, key, warm.object) ||
        !use_again(operation, mechanism, purpose, &warm)) {
        CK_RV rv = find_key(s, key, &object);
        if (rv != CKR_OK)
            return rv;
        CK_RV login = check_login(s, object);
        if (login == CKR_KEY_HANDLE_INVALID)
            return login;
        rv = check_and_load(s, mechanism, object, purpose, login);
        if (rv != CKR_OK)
            return rv;
        note_use(operation, TAKE(object), purpose);
    }
    operation->out_len = operation->key.signature_len;
    return CKR_OK;
}

bool operation_wants_login(const struct session *s, const struct operation *operation)
{
    const struct token *token = s->slot->token;
    return token->is_foreign ? object_bool(operation->key.object, CKA_ALWAYS_AUTHENTICATE)
                             : token->wants_otp_each_time;
}
