/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/key_spec.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "remote/base/cleanup.h"

static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t p521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};
static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

#define RSA(the_bits)                                                                              \
    .type = CKK_RSA, .generate = CKM_RSA_PKCS_KEY_PAIR_GEN, .sign = CKM_SHA256_RSA_PKCS,           \
    .bits = (the_bits), .hash = CRYPTO_NO_HASH, .signature_nid = NID_sha256WithRSAEncryption
#define EC(oid, the_group, the_hash, nid)                                                          \
    .type = CKK_EC, .generate = CKM_EC_KEY_PAIR_GEN, .sign = CKM_ECDSA, .group = (the_group),      \
    .params = {(oid), sizeof(oid)}, .hash = (the_hash), .signature_nid = (nid)

static const struct key_spec specs[] = {
    {.name = KEY_SPEC_DEFAULT, RSA(2048)},
    {.name = "rsa:3072", RSA(3072)},
    {.name = "rsa:4096", RSA(4096)},
    {.name = "ec:p256", EC(p256, "prime256v1", CRYPTO_SHA256, NID_ecdsa_with_SHA256)},
    {.name = "ec:p384", EC(p384, "secp384r1", CRYPTO_SHA384, NID_ecdsa_with_SHA384)},
    {.name = "ec:p521", EC(p521, "secp521r1", CRYPTO_SHA512, NID_ecdsa_with_SHA512)},
    {.name = "ed25519",
     .type = CKK_EC_EDWARDS,
     .generate = CKM_EC_EDWARDS_KEY_PAIR_GEN,
     .sign = CKM_EDDSA,
     .group = "ED25519",
     .params = {ed25519, sizeof(ed25519)},
     .hash = CRYPTO_NO_HASH,
     .signature_nid = NID_ED25519},
};

const char key_spec_names[] = "rsa:2048, rsa:3072, rsa:4096, ec:p256, ec:p384, ec:p521, ed25519";

const struct key_spec *key_spec_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(specs); i++)
        if (strcmp(specs[i].name, name) == 0)
            return &specs[i];
    return NULL;
}

static bool is_of(const struct key_spec *spec, EVP_PKEY *key)
{
    char group[32] = "";

    if (spec->type == CKK_RSA)
        return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) == (int)spec->bits;
    if (spec->type == CKK_EC_EDWARDS)
        return EVP_PKEY_is_a(key, spec->group);
    return EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           strcmp(group, spec->group) == 0;
}

const struct key_spec *key_spec_of(EVP_PKEY *key)
{
    for (size_t i = 0; key && i < ARRAY_LEN(specs); i++)
        if (is_of(&specs[i], key))
            return &specs[i];
    return NULL;
}
