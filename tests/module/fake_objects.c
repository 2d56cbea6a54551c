/* SPDX-License-Identifier: Apache-2.0 */
/* What the fake tokens are and have. */
#include "tests/module/fake_objects.h"

#include <stdio.h>

#include "module/backend/attributes.h"
#include "remote/base/cleanup.h"
#include "tests/module/fake_backends.h"

enum object_number {
    NUMBER_PRIVATE = 1,
    NUMBER_PUBLIC,
    NUMBER_CERTIFICATE,
    NUMBER_PROFILE,
    NUMBER_SMALL,
    NUMBER_EC,
    NUMBER_SILENT,
    NUMBER_FREE,
    NUMBER_DATA, /* and FAKE_DATA_COUNT of them */
};

static const CK_MECHANISM_TYPE rsa_mechanisms[] = {
    CKM_RSA_PKCS,
    CKM_SHA256_RSA_PKCS,
    CKM_SHA384_RSA_PKCS,
    CKM_SHA512_RSA_PKCS,
};

static const enum crypto_hash sha256_only[] = {CRYPTO_SHA256};

static const struct {
    CK_SLOT_ID id;
    const char *label;
    bool is_present;
    bool needs_login;
    bool has_user_pin;
    bool has_random;
    bool signs_digests;
    size_t mechanism_count;
} tokens[] = {
    {FAKE_PHONE, FAKE_LONG_LABEL, true, false, false, false, true, 2},
    {FAKE_PIN, "with PIN", true, true, true, true, false, ARRAY_LEN(rsa_mechanisms)},
    {FAKE_EMPTY, "never seen", false, false, false, false, true, 2},
    {FAKE_NO_PIN, "PIN to be chosen", true, true, false, false, true, 2},
    {FAKE_ODD, "odd", true, false, false, false, false, ARRAY_LEN(rsa_mechanisms)},
    {FAKE_LATE, "discovered", true, false, false, false, true, 2},
};

void fake_objects_describe(struct token *token, CK_SLOT_ID id)
{
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        if (tokens[i].id != id)
            continue;
        *token = (struct token){
            .slot_id = id,
            .identity = {"A slot of the tests", "VNPT SmartCA", tokens[i].label, "SmartCA", "",
                         NULL, NULL},
            .mechanisms = rsa_mechanisms,
            .mechanism_count = tokens[i].mechanism_count,
            .hashes = sha256_only,
            .hash_count = ARRAY_LEN(sha256_only),
            .pin_min = tokens[i].needs_login ? 6 : 0,
            .pin_max = tokens[i].needs_login ? 64 : 0,
            .is_present = tokens[i].is_present,
            .needs_login = tokens[i].needs_login,
            .has_user_pin = tokens[i].has_user_pin,
            .has_random = tokens[i].has_random,
            .signs_digests = tokens[i].signs_digests,
        };
        if (id == FAKE_PHONE) {
            token->identity.user = FAKE_USER;
            token->identity.account = "work";
        }
        (void)snprintf(token->identity.serial, sizeof(token->identity.serial), "%016lx", id);
    }
}

static enum sca_status hand_over(struct object_sink *sink, unsigned number, bool is_private,
                                 struct attributes *attributes)
{
    char unique_id[16];
    (void)snprintf(unique_id, sizeof(unique_id), "fake-%u", number);
    attributes_add_text(attributes, CKA_UNIQUE_ID, unique_id);
    return sink->add(sink, number, is_private, attributes->list, attributes->count);
}

static void begin_key(struct attributes *attributes, CK_OBJECT_CLASS class, bool is_private,
                      CK_KEY_TYPE type, const char *label)
{
    attributes_add_storage(attributes, class, is_private);
    attributes_add_number(attributes, CKA_KEY_TYPE, type);
    attributes_add_text(attributes, CKA_LABEL, label);
    attributes_add_text(attributes, CKA_ID, "id");
    attributes_add(attributes, CKA_START_DATE, span_of(NULL, 0));
}

static enum sca_status add_private_key(struct object_sink *sink, enum object_number number,
                                       const char *label, bool is_private)
{
    struct attributes attributes = {.count = 0};
    struct span modulus = fake_modulus();

    begin_key(&attributes, CKO_PRIVATE_KEY, is_private, number == NUMBER_EC ? CKK_EC : CKK_RSA,
              label);
    attributes_add_bool(&attributes, CKA_SIGN, number != NUMBER_SILENT);
    attributes_add_bool(&attributes, CKA_SENSITIVE, true);
    attributes_add_bool(&attributes, CKA_EXTRACTABLE, false);
    attributes_add_bool(&attributes, CKA_ALWAYS_AUTHENTICATE, false);
    if (number == NUMBER_SMALL)
        modulus.len = 128;
    if (number != NUMBER_EC)
        attributes_add(&attributes, CKA_MODULUS, modulus);
    return hand_over(sink, number, is_private, &attributes);
}

static enum sca_status add_public_key(struct object_sink *sink)
{
    struct attributes attributes = {.count = 0};

    begin_key(&attributes, CKO_PUBLIC_KEY, false, CKK_RSA, FAKE_KEY);
    attributes_add_bool(&attributes, CKA_VERIFY, true);
    attributes_add(&attributes, CKA_MODULUS, fake_modulus());
    attributes_add_number(&attributes, CKA_MODULUS_BITS, 2048);
    attributes_add(&attributes, CKA_PUBLIC_KEY_INFO, fake_public_key_info());
    return hand_over(sink, NUMBER_PUBLIC, false, &attributes);
}

static enum sca_status add_certificate(struct object_sink *sink)
{
    struct attributes attributes = {.count = 0};

    attributes_add_storage(&attributes, CKO_CERTIFICATE, false);
    attributes_add_number(&attributes, CKA_CERTIFICATE_TYPE, CKC_X_509);
    attributes_add_text(&attributes, CKA_LABEL, FAKE_CERTIFICATE);
    attributes_add_text(&attributes, CKA_ID, "id");
    attributes_add_text(&attributes, CKA_VALUE, "not really DER");
    return hand_over(sink, NUMBER_CERTIFICATE, false, &attributes);
}

/* An object without CKA_TOKEN: a search must not take it for granted. */
static enum sca_status add_profile(struct object_sink *sink)
{
    struct attributes attributes = {.count = 0};

    attributes_add_number(&attributes, CKA_CLASS, CKO_PROFILE);
    attributes_add_number(&attributes, CKA_PROFILE_ID, CKP_BASELINE_PROVIDER);
    return hand_over(sink, NUMBER_PROFILE, false, &attributes);
}

static enum sca_status add_data(struct object_sink *sink, unsigned number, const char *label)
{
    bool is_free = number == NUMBER_FREE;
    struct attributes attributes = {.count = 0};

    attributes_add_number(&attributes, CKA_CLASS, CKO_DATA);
    attributes_add_bool(&attributes, CKA_TOKEN, true);
    attributes_add_bool(&attributes, CKA_PRIVATE, false);
    attributes_add_bool(&attributes, CKA_MODIFIABLE, is_free);
    attributes_add_bool(&attributes, CKA_COPYABLE, is_free);
    attributes_add_bool(&attributes, CKA_DESTROYABLE, is_free);
    attributes_add_text(&attributes, CKA_LABEL, label);
    attributes_add_text(&attributes, CKA_VALUE, "of a data object");
    return hand_over(sink, number, false, &attributes);
}

static enum sca_status list_odd(struct object_sink *sink)
{
    enum sca_status st = add_private_key(sink, NUMBER_SMALL, FAKE_SMALL_KEY, false);
    if (st == SCA_OK)
        st = add_private_key(sink, NUMBER_EC, FAKE_EC_KEY, false);
    if (st == SCA_OK)
        st = add_private_key(sink, NUMBER_SILENT, FAKE_SILENT_KEY, false);
    if (st == SCA_OK)
        st = add_data(sink, NUMBER_FREE, FAKE_FREE_DATA);
    for (unsigned i = 0; st == SCA_OK && i < FAKE_DATA_COUNT; i++)
        st = add_data(sink, NUMBER_DATA + i, FAKE_DATA);
    return st;
}

enum sca_status fake_objects_list(const struct token *token, struct object_sink *sink)
{
    if (token->slot_id == FAKE_ODD)
        return list_odd(sink);
    enum sca_status st = add_private_key(sink, NUMBER_PRIVATE, FAKE_KEY, token->needs_login);
    if (st == SCA_OK)
        st = add_public_key(sink);
    if (st == SCA_OK)
        st = add_certificate(sink);
    return st == SCA_OK ? add_profile(sink) : st;
}
