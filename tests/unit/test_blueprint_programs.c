/* SPDX-License-Identifier: Apache-2.0 */
/* The templates of real programs, each with all that it sends. */
#include <string.h>

#include "module/token/key_material.h"
#include "remote/base/cleanup.h"
#include "tests/unit/blueprint_stage.h"

static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

/* As recorded around another token. Ends with an entry of zeros. */
enum value {
    NO,
    YES,
    BITS_2048,
    F4,
    ID,    /* 01 */
    LABEL, /* "k" */
    ON_P256,
    ON_ED25519, /* by its name, not its OID */
    CLASS,
    KEY_TYPE,
    NAME,        /* of the certificate, subject and issuer */
    SERIAL,      /* in DER */
    BARE_SERIAL, /* without the header */
};
struct entry {
    CK_ATTRIBUTE_TYPE type;
    enum value value;
};
enum { ENTRIES_MAX = 12 };

static const struct request {
    const char *program;
    CK_MECHANISM_TYPE mechanism;
    CK_KEY_TYPE key_type;
    struct entry for_public[ENTRIES_MAX];
    struct entry for_private[ENTRIES_MAX];
    bool is_token;
} requests[] = {
    {"pkcs11-tool --key-type rsa:2048",
     CKM_RSA_PKCS_KEY_PAIR_GEN,
     CKK_RSA,
     {{CKA_CLASS, CLASS},
      {CKA_TOKEN, YES},
      {CKA_MODULUS_BITS, BITS_2048},
      {CKA_PUBLIC_EXPONENT, F4},
      {CKA_VERIFY, YES},
      {CKA_ENCRYPT, YES},
      {CKA_KEY_TYPE, KEY_TYPE},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID},
      {CKA_PRIVATE, NO}},
     {{CKA_CLASS, CLASS},
      {CKA_TOKEN, YES},
      {CKA_PRIVATE, YES},
      {CKA_SENSITIVE, YES},
      {CKA_SIGN, YES},
      {CKA_DECRYPT, YES},
      {CKA_KEY_TYPE, KEY_TYPE},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID}},
     true},
    {"pkcs11-tool --key-type EC:prime256v1 --usage-sign --usage-derive",
     CKM_EC_KEY_PAIR_GEN,
     CKK_EC,
     {{CKA_CLASS, CLASS},
      {CKA_TOKEN, YES},
      {CKA_VERIFY, YES},
      {CKA_DERIVE, YES},
      {CKA_EC_PARAMS, ON_P256},
      {CKA_KEY_TYPE, KEY_TYPE},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID},
      {CKA_PRIVATE, NO}},
     {{CKA_CLASS, CLASS},
      {CKA_TOKEN, YES},
      {CKA_PRIVATE, YES},
      {CKA_SENSITIVE, YES},
      {CKA_SIGN, YES},
      {CKA_DERIVE, YES},
      {CKA_KEY_TYPE, KEY_TYPE},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID}},
     true},
    {"pkcs11-tool --key-type EC:edwards25519",
     CKM_EC_EDWARDS_KEY_PAIR_GEN,
     CKK_EC_EDWARDS,
     {{CKA_CLASS, CLASS},
      {CKA_TOKEN, YES},
      {CKA_VERIFY, YES},
      {CKA_DERIVE, YES},
      {CKA_EC_PARAMS, ON_ED25519},
      {CKA_KEY_TYPE, KEY_TYPE},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID},
      {CKA_PRIVATE, NO}},
     {{CKA_CLASS, CLASS},
      {CKA_TOKEN, YES},
      {CKA_PRIVATE, YES},
      {CKA_SENSITIVE, YES},
      {CKA_SIGN, YES},
      {CKA_DERIVE, YES},
      {CKA_KEY_TYPE, KEY_TYPE},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID}},
     true},
    {"p11tool --generate-privkey=rsa --id",
     CKM_RSA_PKCS_KEY_PAIR_GEN,
     CKK_RSA,
     {{CKA_TOKEN, YES},
      {CKA_PRIVATE, NO},
      {CKA_ID, ID},
      {CKA_ENCRYPT, YES},
      {CKA_VERIFY, YES},
      {CKA_MODULUS_BITS, BITS_2048},
      {CKA_PUBLIC_EXPONENT, F4},
      {CKA_LABEL, LABEL}},
     {{CKA_ID, ID},
      {CKA_DECRYPT, YES},
      {CKA_SIGN, YES},
      {CKA_PRIVATE, YES},
      {CKA_TOKEN, YES},
      {CKA_LABEL, LABEL},
      {CKA_SENSITIVE, YES}},
     true},
    {"p11tool --generate-privkey=ecdsa",
     CKM_EC_KEY_PAIR_GEN,
     CKK_EC,
     {{CKA_TOKEN, YES},
      {CKA_PRIVATE, NO},
      {CKA_ID, ID},
      {CKA_VERIFY, YES},
      {CKA_EC_PARAMS, ON_P256},
      {CKA_LABEL, LABEL}},
     {{CKA_ID, ID},
      {CKA_SIGN, YES},
      {CKA_PRIVATE, YES},
      {CKA_TOKEN, YES},
      {CKA_LABEL, LABEL},
      {CKA_SENSITIVE, YES}},
     true},
    {"certutil -S -k rsa",
     CKM_RSA_PKCS_KEY_PAIR_GEN,
     CKK_RSA,
     {{CKA_MODULUS_BITS, BITS_2048},
      {CKA_PUBLIC_EXPONENT, F4},
      {CKA_TOKEN, YES},
      {CKA_DERIVE, NO},
      {CKA_WRAP, YES},
      {CKA_VERIFY, YES},
      {CKA_VERIFY_RECOVER, NO},
      {CKA_ENCRYPT, YES}},
     {{CKA_TOKEN, YES},
      {CKA_PRIVATE, YES},
      {CKA_SENSITIVE, YES},
      {CKA_DERIVE, NO},
      {CKA_UNWRAP, YES},
      {CKA_SIGN, YES},
      {CKA_DECRYPT, YES}},
     true},
    {"certutil -S -k ec",
     CKM_EC_KEY_PAIR_GEN,
     CKK_EC,
     {{CKA_EC_PARAMS, ON_P256},
      {CKA_TOKEN, YES},
      {CKA_DERIVE, YES},
      {CKA_WRAP, NO},
      {CKA_VERIFY, YES},
      {CKA_VERIFY_RECOVER, NO},
      {CKA_ENCRYPT, NO}},
     {{CKA_TOKEN, YES},
      {CKA_PRIVATE, YES},
      {CKA_SENSITIVE, YES},
      {CKA_DERIVE, YES},
      {CKA_UNWRAP, NO},
      {CKA_SIGN, YES},
      {CKA_DECRYPT, NO}},
     true},
    {"keytool -keyalg EC, which copies the private key to the token afterwards",
     CKM_EC_KEY_PAIR_GEN,
     CKK_EC,
     {{CKA_EC_PARAMS, ON_P256}},
     {{0, NO}},
     false},
    {"PyKCS11's example",
     CKM_RSA_PKCS_KEY_PAIR_GEN,
     CKK_RSA,
     {{CKA_CLASS, CLASS},
      {CKA_TOKEN, NO},
      {CKA_PRIVATE, NO},
      {CKA_MODULUS_BITS, BITS_2048},
      {CKA_PUBLIC_EXPONENT, F4},
      {CKA_ENCRYPT, YES},
      {CKA_VERIFY, YES},
      {CKA_VERIFY_RECOVER, YES},
      {CKA_WRAP, YES},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID}},
     {{CKA_CLASS, CLASS},
      {CKA_TOKEN, NO},
      {CKA_PRIVATE, YES},
      {CKA_DECRYPT, YES},
      {CKA_SIGN, YES},
      {CKA_SIGN_RECOVER, YES},
      {CKA_UNWRAP, YES},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID}},
     false},
};

static void add_entry(struct stage_template *template, const struct entry *entry,
                      CK_OBJECT_CLASS class, CK_KEY_TYPE key_type)
{
    switch (entry->value) {
    case NO:
    case YES:
        stage_add_bool(template, entry->type, entry->value == YES);
        break;
    case BITS_2048:
        stage_add_ulong(template, entry->type, 2048);
        break;
    case F4:
        stage_add(template, entry->type, BYTES(1, 0, 1));
        break;
    case ID:
        stage_add(template, entry->type, BYTES(1));
        break;
    case LABEL:
        stage_add(template, entry->type, BYTES('k'));
        break;
    case ON_P256:
        stage_add(template, entry->type, span_of(p256, sizeof(p256)));
        break;
    case ON_ED25519:
        stage_add(template, entry->type,
                  span_text("\x13\x0c"
                            "edwards25519"));
        break;
    case CLASS:
        stage_add_ulong(template, entry->type, class);
        break;
    case NAME:
        stage_add(template, entry->type, span_of(stage_name, sizeof(stage_name)));
        break;
    case SERIAL:
        stage_add(template, entry->type, BYTES(2, 2, 0, 0x80));
        break;
    case BARE_SERIAL:
        stage_add(template, entry->type, BYTES(0, 0x80));
        break;
    case KEY_TYPE:
    default:
        stage_add_ulong(template, entry->type, key_type);
        break;
    }
}

static void add_entries(struct stage_template *template, const struct entry *entries,
                        CK_OBJECT_CLASS class, CK_KEY_TYPE key_type)
{
    for (size_t i = 0; i < ENTRIES_MAX && (entries[i].type || entries[i].value); i++)
        add_entry(template, &entries[i], class, key_type);
}

static bool has(const struct entry *entries, CK_ATTRIBUTE_TYPE type)
{
    for (size_t i = 0; i < ENTRIES_MAX; i++)
        if (entries[i].type == type && entries[i].value != NO)
            return true;
    return false;
}

static bool is_same(const struct blueprint *a, const struct blueprint *b, CK_ATTRIBUTE_TYPE type)
{
    return span_equal(key_value(a->attributes.list, a->attributes.count, type),
                      key_value(b->attributes.list, b->attributes.count, type));
}

static void assert_generated(const struct request *request, const struct stage_pair *pair)
{
    static const CK_ATTRIBUTE_TYPE unused[] = {CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE};
    const struct blueprint *private_key = &pair->private_key;
    const struct blueprint *public_key = &pair->public_key;

    assert_ulong(public_key, CKA_CLASS, CKO_PUBLIC_KEY);
    assert_ulong(private_key, CKA_CLASS, CKO_PRIVATE_KEY);
    assert_ulong(public_key, CKA_KEY_TYPE, request->key_type);
    assert_ulong(private_key, CKA_KEY_TYPE, request->key_type);
    assert_ulong(public_key, CKA_KEY_GEN_MECHANISM, request->mechanism);
    assert_ulong(private_key, CKA_KEY_GEN_MECHANISM, request->mechanism);
    assert_bool(public_key, CKA_LOCAL, true);
    assert_bool(private_key, CKA_LOCAL, true);
    assert_bool(private_key, CKA_SENSITIVE, true);
    assert_bool(private_key, CKA_ALWAYS_SENSITIVE, true);
    assert_bool(private_key, CKA_EXTRACTABLE, false);
    assert_bool(private_key, CKA_NEVER_EXTRACTABLE, true);
    assert_bool(private_key, CKA_SIGN, true);
    assert_bool(private_key, CKA_SIGN_RECOVER, has(request->for_private, CKA_SIGN_RECOVER));
    assert_bool(public_key, CKA_VERIFY, true);
    assert_bool(public_key, CKA_ENCRYPT, false);
    assert_bool(public_key, CKA_WRAP, false);
    for (size_t i = 0; i < ARRAY_LEN(unused); i++)
        assert_bool(private_key, unused[i], false);
    assert_int_equal(public_key->is_token, request->is_token);
    assert_int_equal(private_key->is_token, request->is_token);
    assert_true(private_key->is_private && !public_key->is_private);
    if (has(request->for_private, CKA_ID))
        assert_value(private_key, CKA_ID, BYTES(1));
    assert_true(is_same(public_key, private_key, CKA_ID));
    assert_true(is_same(public_key, private_key, CKA_PUBLIC_KEY_INFO));
    assert_null(public_key->key);
    assert_non_null(private_key->key);
}

static void every_program_gets_its_key_pair(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct stage_pair pair;
        stage_pair_init(&pair, requests[i].mechanism);
        add_entries(&pair.for_public, requests[i].for_public, CKO_PUBLIC_KEY, requests[i].key_type);
        add_entries(&pair.for_private, requests[i].for_private, CKO_PRIVATE_KEY,
                    requests[i].key_type);

        assert_answer(stage_generate(&pair), CKR_OK, requests[i].program);

        assert_generated(&requests[i], &pair);
        stage_pair_fini(&pair);
    }
}

/* What they write; class, type, key and certificate are always there. */
static const struct writing {
    const char *program;
    CK_OBJECT_CLASS class;
    enum stage_key key;
    struct entry entries[ENTRIES_MAX];
} writings[] = {
    {"pkcs11-tool --write-object --type privkey, RSA",
     CKO_PRIVATE_KEY,
     STAGE_RSA,
     {{CKA_TOKEN, YES},
      {CKA_PRIVATE, YES},
      {CKA_SENSITIVE, YES},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID},
      {CKA_SIGN, YES}}},
    {"pkcs11-tool --write-object --type privkey, EC",
     CKO_PRIVATE_KEY,
     STAGE_P256,
     {{CKA_TOKEN, YES},
      {CKA_PRIVATE, YES},
      {CKA_SENSITIVE, YES},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID}}},
    {"p11tool --write --load-privkey, RSA",
     CKO_PRIVATE_KEY,
     STAGE_RSA,
     {{CKA_ID, ID},
      {CKA_SIGN, YES},
      {CKA_DECRYPT, YES},
      {CKA_TOKEN, YES},
      {CKA_PRIVATE, YES},
      {CKA_EXTRACTABLE, NO},
      {CKA_LABEL, LABEL},
      {CKA_SENSITIVE, YES}}},
    {"p11tool --write --load-privkey, Ed25519",
     CKO_PRIVATE_KEY,
     STAGE_ED25519,
     {{CKA_ID, ID},
      {CKA_SIGN, YES},
      {CKA_TOKEN, YES},
      {CKA_PRIVATE, YES},
      {CKA_EXTRACTABLE, NO},
      {CKA_LABEL, LABEL},
      {CKA_SENSITIVE, YES}}},
    {"keytool -importkeystore",
     CKO_PRIVATE_KEY,
     STAGE_RSA,
     {{CKA_TOKEN, YES}, {CKA_PRIVATE, YES}, {CKA_ID, ID}}},
    {"pkcs11-tool --write-object --type pubkey",
     CKO_PUBLIC_KEY,
     STAGE_RSA,
     {{CKA_TOKEN, YES}, {CKA_PRIVATE, NO}, {CKA_LABEL, LABEL}, {CKA_ID, ID}}},
    {"pkcs11-tool --write-object --type cert",
     CKO_CERTIFICATE,
     STAGE_RSA,
     {{CKA_TOKEN, YES},
      {CKA_PRIVATE, NO},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID},
      {CKA_SUBJECT, NAME},
      {CKA_ISSUER, NAME},
      {CKA_SERIAL_NUMBER, SERIAL}}},
    {"p11tool --write --load-certificate",
     CKO_CERTIFICATE,
     STAGE_P256,
     {{CKA_ID, ID},
      {CKA_TOKEN, YES},
      {CKA_SUBJECT, NAME},
      {CKA_ISSUER, NAME},
      {CKA_SERIAL_NUMBER, SERIAL},
      {CKA_LABEL, LABEL},
      {CKA_PRIVATE, NO}}},
    {"certutil -A",
     CKO_CERTIFICATE,
     STAGE_P256,
     {{CKA_TOKEN, YES},
      {CKA_ID, ID},
      {CKA_LABEL, LABEL},
      {CKA_ISSUER, NAME},
      {CKA_SUBJECT, NAME},
      {CKA_SERIAL_NUMBER, SERIAL}}},
    {"keytool -genkeypair, the certificate",
     CKO_CERTIFICATE,
     STAGE_P256,
     {{CKA_TOKEN, YES},
      {CKA_SUBJECT, NAME},
      {CKA_ISSUER, NAME},
      {CKA_SERIAL_NUMBER, BARE_SERIAL},
      {CKA_LABEL, LABEL},
      {CKA_ID, ID}}},
};

static void every_program_writes_its_objects(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(writings); i++) {
        struct stage_template template;
        if (writings[i].class == CKO_CERTIFICATE)
            stage_certificate_template(&template, writings[i].key);
        else if (writings[i].class == CKO_PUBLIC_KEY)
            stage_public(&template, writings[i].key);
        else
            stage_private(&template, writings[i].key);
        add_entries(&template, writings[i].entries, writings[i].class, 0);

        AUTO(stage_freep) struct blueprint *blueprint = stage_created(&template);

        assert_true(blueprint->is_token);
        assert_int_equal(blueprint->is_private, writings[i].class == CKO_PRIVATE_KEY);
        assert_value(blueprint, CKA_ID, BYTES(1));
        if (has(writings[i].entries, CKA_LABEL))
            assert_value(blueprint, CKA_LABEL, BYTES('k'));
        if (writings[i].class == CKO_CERTIFICATE)
            assert_value(blueprint, CKA_SERIAL_NUMBER, BYTES(2, 2, 0, 0x80));
    }
}

/* NSS's own kind of object, which softhsm refuses just so: certutil goes on without. */
static void certutil_is_told_that_there_is_no_trust(void **state)
{
    struct stage_template template;
    (void)state;
    stage_template_init(&template);
    stage_add_bool(&template, CKA_TOKEN, true);
    stage_add_ulong(&template, CKA_CLASS, 0xce534353UL);
    stage_add(&template, CKA_ISSUER, span_of(stage_name, sizeof(stage_name)));

    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
}

/* A session's key goes to the token as a copy, without a word of CKA_PRIVATE. */
static void keytool_copies_its_key_to_the_token(void **state)
{
    struct stage_pair pair;
    struct stage_template template;
    struct blueprint copy;
    (void)state;
    stage_pair_init(&pair, CKM_EC_KEY_PAIR_GEN);
    stage_add(&pair.for_public, CKA_EC_PARAMS, span_of(p256, sizeof(p256)));
    assert_int_equal(stage_generate(&pair), CKR_OK);
    AUTO(object_unrefp) struct object *object = stage_object(&pair.private_key);
    stage_template_init(&template);
    stage_add_bool(&template, CKA_TOKEN, true);
    stage_add(&template, CKA_ID, BYTES('j', 'e'));
    blueprint_init(&copy);

    assert_int_equal(blueprint_copy(object, template.list, template.count, &copy), CKR_OK);

    assert_true(copy.is_token && copy.is_private);
    assert_value(&copy, CKA_ID, BYTES('j', 'e'));
    assert_bool(&copy, CKA_LOCAL, true);
    assert_bool(&copy, CKA_ALWAYS_SENSITIVE, true);
    assert_bool(&copy, CKA_NEVER_EXTRACTABLE, true);
    blueprint_fini(&copy);
    stage_pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_program_gets_its_key_pair),
        cmocka_unit_test(every_program_writes_its_objects),
        cmocka_unit_test(certutil_is_told_that_there_is_no_trust),
        cmocka_unit_test(keytool_copies_its_key_to_the_token),
    };
    return cmocka_run_group_tests(tests, NULL, stage_free);
}
