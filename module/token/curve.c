/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "module/token/key_material.h"
#include "remote/base/cleanup.h"

static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t p521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};
static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

static const struct curve curves[] = {
    {"P-256", {p256, sizeof(p256)}, 32, CKK_EC},
    {"P-384", {p384, sizeof(p384)}, 48, CKK_EC},
    {"P-521", {p521, sizeof(p521)}, 66, CKK_EC},
    {"ED25519", {ed25519, sizeof(ed25519)}, 32, CKK_EC_EDWARDS},
};

/* Other names that programs send for Ed25519: PrintableString (2.40), and the OID before RFC 8410.
 */
static const uint8_t edwards_name[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r',
                                       'd',  's',  '2', '5', '5', '1', '9'};
static const uint8_t edwards_old[] = {0x06, 0x09, 0x2b, 0x06, 0x01, 0x04,
                                      0x01, 0xda, 0x47, 0x0f, 0x01};
static const struct span edwards_aliases[] = {
    {edwards_name, sizeof(edwards_name)},
    {edwards_old, sizeof(edwards_old)},
};

CK_RV curve_find(struct span ec_params, CK_KEY_TYPE type, const struct curve **ret_curve)
{
    for (size_t i = 0; i < ARRAY_LEN(edwards_aliases); i++)
        if (span_equal(ec_params, edwards_aliases[i]))
            ec_params = span_of(ed25519, sizeof(ed25519));
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        if (curves[i].type == type && span_equal(curves[i].oid, ec_params)) {
            *ret_curve = &curves[i];
            return CKR_OK;
        }
    }
    return CKR_CURVE_NOT_SUPPORTED;
}

const struct curve *key_curve(const EVP_PKEY *key)
{
    /* OpenSSL tells the curve by one of several names. */
    static const char *const others[ARRAY_LEN(curves)] = {"prime256v1", "secp384r1", "secp521r1",
                                                          "ED25519"};
    char name[64] = "";
    if (EVP_PKEY_is_a(key, "ED25519"))
        (void)strcpy(name, "ED25519");
    else if (EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) != 1)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (strcmp(name, curves[i].name) == 0 || strcmp(name, others[i]) == 0)
            return &curves[i];
    return NULL;
}
