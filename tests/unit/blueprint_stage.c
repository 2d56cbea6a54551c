/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/blueprint_stage.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

enum { STAGE_KEYS = STAGE_ED25519 + 1, CERTIFICATE_ROOM = 2048 };

static EVP_PKEY *keys[STAGE_KEYS];
static uint8_t certificates[STAGE_KEYS][CERTIFICATE_ROOM];
static size_t certificate_lens[STAGE_KEYS];

const uint8_t stage_name[] = {0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03,
                              0x55, 0x04, 0x03, 0x0c, 0x03, 'A',  ' ',  'B'};

static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t p521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};
static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

static const struct {
    const char *type;
    const char *curve;
    CK_KEY_TYPE key_type;
    struct span params;
} kinds[STAGE_KEYS] = {
    [STAGE_RSA] = {"RSA", NULL, CKK_RSA, {NULL, 0}},
    [STAGE_OTHER_RSA] = {"RSA", NULL, CKK_RSA, {NULL, 0}},
    [STAGE_P256] = {"EC", "P-256", CKK_EC, {p256, sizeof(p256)}},
    [STAGE_P384] = {"EC", "P-384", CKK_EC, {p384, sizeof(p384)}},
    [STAGE_P521] = {"EC", "P-521", CKK_EC, {p521, sizeof(p521)}},
    [STAGE_ED25519] = {"ED25519", NULL, CKK_EC_EDWARDS, {ed25519, sizeof(ed25519)}},
};

void stage_template_init(struct stage_template *template)
{
    template->count = 0;
    template->used = 1;
}

static uint8_t *keep(struct stage_template *template, struct span value)
{
    uint8_t *kept = template->room + template->used;
    assert_true(template->used + value.len + 2 <= sizeof(template->room));
    if (value.len)
        memcpy(kept, value.ptr, value.len);
    template->used += (value.len + 2) | 1U;
    template->used |= 1U;
    return kept;
}

void stage_add(struct stage_template *template, CK_ATTRIBUTE_TYPE type, struct span value)
{
    assert_true(template->count < ARRAY_LEN(template->list));
    void *kept = value.len ? keep(template, value) : NULL;
    template->list[template->count++] = (CK_ATTRIBUTE){type, kept, value.len};
}

void stage_add_bool(struct stage_template *template, CK_ATTRIBUTE_TYPE type, bool value)
{
    CK_BBOOL byte = value ? CK_TRUE : CK_FALSE;
    stage_add(template, type, span_of(&byte, sizeof(byte)));
}

void stage_add_ulong(struct stage_template *template, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
    stage_add(template, type, span_of(&value, sizeof(value)));
}

void stage_drop(struct stage_template *template, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < template->count; i++) {
        if (template->list[i].type != type)
            continue;
        memmove(&template->list[i], &template->list[i + 1],
                (template->count - i - 1) * sizeof(template->list[0]));
        template->count--;
        return;
    }
    fail_msg("the template has no attribute 0x%lx", type);
}

void stage_replace(struct stage_template *template, CK_ATTRIBUTE_TYPE type, struct span value)
{
    stage_drop(template, type);
    stage_add(template, type, value);
}

EVP_PKEY *stage_key(enum stage_key which)
{
    if (keys[which])
        return keys[which];
    if (kinds[which].key_type == CKK_RSA)
        keys[which] = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "RSA", (size_t)2048);
    else if (kinds[which].curve)
        keys[which] = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", kinds[which].curve);
    else
        keys[which] = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, kinds[which].type);
    assert_non_null(keys[which]);
    return keys[which];
}

int stage_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < STAGE_KEYS; i++) {
        EVP_PKEY_free(keys[i]);
        keys[i] = NULL;
        certificate_lens[i] = 0;
    }
    return 0;
}

struct span stage_certificate(enum stage_key which)
{
    unsigned char *end = certificates[which];
    if (certificate_lens[which])
        return span_of(certificates[which], certificate_lens[which]);

    X509 *x509 = X509_new_ex(crypto_libctx(), NULL);
    X509_NAME *name = X509_NAME_new();
    const EVP_MD *hash = which == STAGE_ED25519 ? NULL : crypto_md(CRYPTO_SHA256);
    assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"A B",
                                           -1, -1, 0) == 1 &&
                X509_set_subject_name(x509, name) == 1 && X509_set_issuer_name(x509, name) == 1 &&
                X509_set_version(x509, 2) == 1 && X509_set_pubkey(x509, stage_key(which)) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(x509), 0x80) == 1 &&
                ASN1_TIME_set_string(X509_getm_notBefore(x509), "310203040506Z") == 1 &&
                ASN1_TIME_set_string(X509_getm_notAfter(x509), "320304050607Z") == 1 &&
                X509_sign(x509, stage_key(which), hash) > 0);
    int len = i2d_X509(x509, NULL);
    assert_in_range(len, 1, CERTIFICATE_ROOM);
    certificate_lens[which] = (size_t)i2d_X509(x509, &end);
    X509_NAME_free(name);
    X509_free(x509);
    return span_of(certificates[which], certificate_lens[which]);
}

struct span stage_number(struct stage_template *template, enum stage_key which, const char *name)
{
    uint8_t bytes[512];
    BIGNUM *number = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(stage_key(which), name, &number), 1);
    size_t len = (size_t)BN_bn2bin(number, bytes);
    BN_clear_free(number);
    return span_of(keep(template, span_of(bytes, len)), len);
}

struct span stage_spki(struct stage_template *template, enum stage_key which)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(stage_key(which), &der);
    assert_true(len > 0);
    struct span kept = span_of(keep(template, span_of(der, (size_t)len)), (size_t)len);
    OPENSSL_free(der);
    return kept;
}

/* With its wrapping: DER OCTET STRING. */
static void add_point(struct stage_template *template, enum stage_key which)
{
    uint8_t wrapped[3 + 200] = {0x04, 0x81};
    size_t len = 0;
    assert_int_equal(EVP_PKEY_get_octet_string_param(stage_key(which), OSSL_PKEY_PARAM_PUB_KEY,
                                                     wrapped + 3, sizeof(wrapped) - 3, &len),
                     1);
    wrapped[2] = (uint8_t)len;
    size_t skipped = len < 0x80;
    wrapped[skipped] = 0x04;
    stage_add(template, CKA_EC_POINT, span_of(wrapped + skipped, 3 - skipped + len));
}

static void start(struct stage_template *template, CK_OBJECT_CLASS class, enum stage_key which)
{
    stage_template_init(template);
    stage_add_ulong(template, CKA_CLASS, class);
    stage_add_ulong(template, CKA_KEY_TYPE, kinds[which].key_type);
    if (kinds[which].params.len)
        stage_add(template, CKA_EC_PARAMS, kinds[which].params);
}

static const struct {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
} rsa_numbers[] = {
    {CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
    {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
    {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
    {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
    {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
    {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

static void add_rsa(struct stage_template *template, enum stage_key which, size_t count)
{
    for (size_t i = 0; i < count; i++)
        stage_add(template, rsa_numbers[i].type,
                  stage_number(template, which, rsa_numbers[i].name));
}

void stage_private(struct stage_template *template, enum stage_key which)
{
    uint8_t raw[32];
    size_t len = sizeof(raw);
    start(template, CKO_PRIVATE_KEY, which);
    if (kinds[which].key_type == CKK_RSA) {
        add_rsa(template, which, ARRAY_LEN(rsa_numbers));
    } else if (kinds[which].key_type == CKK_EC) {
        stage_add(template, CKA_VALUE, stage_number(template, which, OSSL_PKEY_PARAM_PRIV_KEY));
    } else {
        assert_int_equal(EVP_PKEY_get_raw_private_key(stage_key(which), raw, &len), 1);
        stage_add(template, CKA_VALUE, span_of(raw, len));
    }
}

void stage_public(struct stage_template *template, enum stage_key which)
{
    start(template, CKO_PUBLIC_KEY, which);
    if (kinds[which].key_type == CKK_RSA)
        add_rsa(template, which, 2);
    else
        add_point(template, which);
}

void stage_certificate_template(struct stage_template *template, enum stage_key which)
{
    stage_template_init(template);
    stage_add_ulong(template, CKA_CLASS, CKO_CERTIFICATE);
    stage_add_ulong(template, CKA_CERTIFICATE_TYPE, CKC_X_509);
    stage_add(template, CKA_VALUE, stage_certificate(which));
}

void stage_create(const struct stage_template *template, struct blueprint *blueprint)
{
    blueprint_init(blueprint);
    assert_int_equal(template_check(template->list, template->count), CKR_OK);
    assert_int_equal(blueprint_create(template->list, template->count, blueprint), CKR_OK);
}

struct object *stage_object(const struct blueprint *blueprint)
{
    struct object *object =
        object_new(blueprint->attributes.list, blueprint->attributes.count, blueprint->is_private);
    assert_non_null(object);
    return object;
}

CK_RV stage_answer(const struct stage_template *template)
{
    AUTO(blueprint_fini) struct blueprint blueprint;
    blueprint_init(&blueprint);
    CK_RV rv = template_check(template->list, template->count);
    return rv == CKR_OK ? blueprint_create(template->list, template->count, &blueprint) : rv;
}

static const CK_ATTRIBUTE *find(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type)
{
    const CK_ATTRIBUTE *found = NULL;
    for (CK_ULONG i = 0; i < blueprint->attributes.count; i++) {
        if (blueprint->attributes.list[i].type != type)
            continue;
        if (found)
            fail_msg("attribute 0x%lx is there twice", type);
        found = &blueprint->attributes.list[i];
    }
    return found;
}

void assert_value(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, struct span value)
{
    const CK_ATTRIBUTE *found = find(blueprint, type);
    if (!found || found->ulValueLen != value.len)
        fail_msg("attribute 0x%lx has %ld bytes, not %zu", type,
                 found ? (long)found->ulValueLen : -1, value.len);
    else if (value.len && memcmp(found->pValue, value.ptr, value.len) != 0)
        fail_msg("attribute 0x%lx has another value", type);
}

void assert_bool(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, bool value)
{
    CK_BBOOL byte = value ? CK_TRUE : CK_FALSE;
    assert_value(blueprint, type, span_of(&byte, sizeof(byte)));
}

void assert_ulong(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
    assert_value(blueprint, type, span_of(&value, sizeof(value)));
}

void assert_absent(const struct blueprint *blueprint, CK_ATTRIBUTE_TYPE type)
{
    if (find(blueprint, type))
        fail_msg("attribute 0x%lx is there", type);
}

void assert_answer(CK_RV rv, CK_RV expected, const char *what)
{
    if (rv != expected)
        fail_msg("%s: 0x%lx, not 0x%lx", what, rv, expected);
}

void stage_freep(struct blueprint **blueprint)
{
    blueprint_fini(*blueprint);
    free(*blueprint);
}

struct blueprint *stage_created(const struct stage_template *template)
{
    struct blueprint *blueprint = calloc(1, sizeof(*blueprint));
    assert_non_null(blueprint);
    stage_create(template, blueprint);
    return blueprint;
}

void stage_assert_storage(const struct blueprint *blueprint, CK_OBJECT_CLASS class, bool is_private)
{
    assert_ulong(blueprint, CKA_CLASS, class);
    assert_bool(blueprint, CKA_TOKEN, false);
    assert_bool(blueprint, CKA_PRIVATE, is_private);
    assert_bool(blueprint, CKA_MODIFIABLE, true);
    assert_bool(blueprint, CKA_COPYABLE, true);
    assert_bool(blueprint, CKA_DESTROYABLE, true);
    assert_value(blueprint, CKA_LABEL, NOTHING);
    assert_absent(blueprint, CKA_UNIQUE_ID);
    assert_false(blueprint->is_token);
    assert_int_equal(blueprint->is_private, is_private);
}

void stage_assert_id(const struct blueprint *blueprint, struct span spki, size_t header_len)
{
    uint8_t id[20];
    assert_int_equal(
        EVP_Digest(spki.ptr + header_len, spki.len - header_len, id, NULL, EVP_sha1(), NULL), 1);
    assert_value(blueprint, CKA_ID, span_of(id, sizeof(id)));
}

void stage_pair_init(struct stage_pair *pair, CK_MECHANISM_TYPE mechanism)
{
    pair->mechanism = (CK_MECHANISM){mechanism, NULL, 0};
    stage_template_init(&pair->for_public);
    stage_template_init(&pair->for_private);
    blueprint_init(&pair->public_key);
    blueprint_init(&pair->private_key);
}

void stage_pair_fini(struct stage_pair *pair)
{
    blueprint_fini(&pair->public_key);
    blueprint_fini(&pair->private_key);
}

CK_RV stage_generate(struct stage_pair *pair)
{
    stage_pair_fini(pair);
    assert_int_equal(template_check(pair->for_public.list, pair->for_public.count), CKR_OK);
    assert_int_equal(template_check(pair->for_private.list, pair->for_private.count), CKR_OK);
    return blueprint_generate(&pair->mechanism, pair->for_public.list, pair->for_public.count,
                              pair->for_private.list, pair->for_private.count, &pair->public_key,
                              &pair->private_key);
}
