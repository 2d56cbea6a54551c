/* SPDX-License-Identifier: Apache-2.0 */
/* Between the key attributes of PKCS#11 and OpenSSL's keys: RSA, P-256/384/521, Ed25519. */
#ifndef MODULE_TOKEN_KEY_MATERIAL_H
#define MODULE_TOKEN_KEY_MATERIAL_H

#include <stdbool.h>

#include <openssl/types.h>

#include "module/cryptoki.h"
#include "module/token/attribute_table.h"
#include "remote/base/bytes.h"
#include "remote/base/secret.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 4096, RSA_PUBLIC_BITS_MAX = 8192 };

/* A named curve, by its CKA_EC_PARAMS. */
struct curve {
    const char *name; /* OpenSSL's */
    struct span oid;  /* DER, as we serve it */
    size_t field_len; /* bytes of a coordinate */
    CK_KEY_TYPE type; /* CKK_EC or CKK_EC_EDWARDS */
};

enum { KEY_POINT_MAX = 1 + 2 * 66 }; /* of P-521, in bytes */

/* CKR_OK, or CKR_CURVE_NOT_SUPPORTED. */
CK_RV curve_find(struct span ec_params, CK_KEY_TYPE type, const struct curve **ret_curve);

/*
 * A key from the attributes of a template (which has all that its kind needs). Checked: in size, in
 * itself, and the private part against the public one. CKR_ATTRIBUTE_VALUE_INVALID otherwise,
 * CKR_TEMPLATE_INCONSISTENT for another key's CKA_PUBLIC_KEY_INFO, CKR_CURVE_NOT_SUPPORTED,
 * CKR_HOST_MEMORY.
 */
CK_RV key_read(enum object_kind kind, const CK_ATTRIBUTE *template, CK_ULONG count,
               EVP_PKEY **ret_key);

/* The part of key_read for CKK_EC and CKK_EC_EDWARDS. */
CK_RV key_read_on_curve(CK_KEY_TYPE type, bool is_private, const CK_ATTRIBUTE *template,
                        CK_ULONG count, EVP_PKEY **ret_key);

/* The value of the first attribute of that type; empty without. */
struct span key_value(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type);

/* What is public of a key, as attributes of either half; the caller buf_fini()s value. */
enum sca_status key_public_part(const EVP_PKEY *key, CK_ATTRIBUTE_TYPE type, struct buf *ret_value);

/* SHA-1 of the subjectPublicKey bits (RFC 5280 section 4.2.1.2, method 1) of an SPKI in DER. */
enum { KEY_ID_SIZE = 20 };
enum sca_status key_id(struct span spki, struct buf *ret_id);

/* The named curve of an EC or Ed25519 key; NULL for RSA. */
const struct curve *key_curve(const EVP_PKEY *key);

#endif
