/* SPDX-License-Identifier: Apache-2.0 */
/* What is on a SmartCA token: the key pair, the certificate and its chain, the profiles it meets.
 */
#include "module/backend/attributes.h"
#include "module/backend/profiles.h"
#include "module/backend/smartca.h"
#include "module/backend/smartca_view.h"
#include "remote/base/cleanup.h"

/* Numbers of the objects, the same in every run: handles are made from them. */
enum {
    NUMBER_PRIVATE_KEY = 1,
    NUMBER_PUBLIC_KEY = 2,
    NUMBER_CERTIFICATE = 3,
    NUMBER_CHAIN = 4,    /* and the following */
    NUMBER_PROFILE = 16, /* and the following */
    NUMBER_VIEW = 24,    /* and the following */
};

static void add_unique_id(struct attributes *attributes, const struct token *token, unsigned number,
                          char text[static UNIQUE_ID_SIZE])
{
    unique_id_add(attributes, "smartca", token->identity.serial, number, text);
}

static enum sca_status add_certificate(const struct token *token, struct object_sink *sink,
                                       const struct certificate *certificate, unsigned number)
{
    struct attributes a = {.count = 0};
    char unique_id[UNIQUE_ID_SIZE];
    bool is_leaf = number == NUMBER_CERTIFICATE;

    attributes_add_storage(&a, CKO_CERTIFICATE, false);
    add_unique_id(&a, token, number, unique_id);
    attributes_add(&a, CKA_LABEL, certificate->common_name);
    attributes_add_number(&a, CKA_CERTIFICATE_TYPE, CKC_X_509);
    attributes_add_bool(&a, CKA_TRUSTED, false);
    attributes_add_number(&a, CKA_CERTIFICATE_CATEGORY,
                          is_leaf ? CK_CERTIFICATE_CATEGORY_TOKEN_USER
                                  : CK_CERTIFICATE_CATEGORY_AUTHORITY);
    attributes_add_date(&a, CKA_START_DATE, certificate->not_before);
    attributes_add_date(&a, CKA_END_DATE, certificate->not_after);
    attributes_add(&a, CKA_SUBJECT, certificate->subject);
    attributes_add(&a, CKA_ISSUER, certificate->issuer);
    attributes_add(&a, CKA_SERIAL_NUMBER, certificate->serial);
    attributes_add(&a, CKA_ID, certificate->id);
    attributes_add(&a, CKA_VALUE, certificate->der);
    attributes_add(&a, CKA_PUBLIC_KEY_INFO, certificate->spki);
    attributes_add_text(&a, CKA_URL, "");
    attributes_add_text(&a, CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "");
    attributes_add_text(&a, CKA_HASH_OF_ISSUER_PUBLIC_KEY, "");
    attributes_add_number(&a, CKA_JAVA_MIDP_SECURITY_DOMAIN, 0);
    return sink->add(sink, number, false, a.list, a.count);
}

/* What the private and the public key have in common. */
static void add_key(struct attributes *a, const struct certificate *leaf)
{
    attributes_add_number(a, CKA_KEY_TYPE, CKK_RSA);
    attributes_add(a, CKA_LABEL, leaf->common_name);
    attributes_add(a, CKA_ID, leaf->id);
    attributes_add(a, CKA_SUBJECT, leaf->subject);
    attributes_add(a, CKA_MODULUS, leaf->modulus);
    attributes_add(a, CKA_PUBLIC_EXPONENT, leaf->exponent);
    attributes_add(a, CKA_PUBLIC_KEY_INFO, leaf->spki);
    attributes_add_text(a, CKA_START_DATE, "");
    attributes_add_text(a, CKA_END_DATE, "");
    attributes_add_bool(a, CKA_DERIVE, false);
    attributes_add_bool(a, CKA_LOCAL, false); /* made at the service, how is not told */
    attributes_add_number(a, CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION);
}

static enum sca_status add_private_key(const struct token *token, struct object_sink *sink,
                                       const struct certificate *leaf)
{
    struct attributes a = {.count = 0};
    char unique_id[UNIQUE_ID_SIZE];

    attributes_add_storage(&a, CKO_PRIVATE_KEY, token->needs_login);
    add_unique_id(&a, token, NUMBER_PRIVATE_KEY, unique_id);
    add_key(&a, leaf);
    attributes_add_bool(&a, CKA_SENSITIVE, true);
    attributes_add_bool(&a, CKA_EXTRACTABLE, false);
    attributes_add_bool(&a, CKA_ALWAYS_SENSITIVE, false); /* nobody told us its history */
    attributes_add_bool(&a, CKA_NEVER_EXTRACTABLE, false);
    attributes_add_bool(&a, CKA_SIGN, true);
    attributes_add_bool(&a, CKA_SIGN_RECOVER, false);
    attributes_add_bool(&a, CKA_DECRYPT, false);
    attributes_add_bool(&a, CKA_UNWRAP, false);
    attributes_add_bool(&a, CKA_WRAP_WITH_TRUSTED, false);
    attributes_add_bool(&a, CKA_ALWAYS_AUTHENTICATE, token->wants_otp_each_time);
    attributes_add(&a, CKA_ALLOWED_MECHANISMS,
                   span_of(token->mechanisms, token->mechanism_count * sizeof(CK_MECHANISM_TYPE)));
    return sink->add(sink, NUMBER_PRIVATE_KEY, token->needs_login, a.list, a.count);
}

static CK_ULONG bits(struct span modulus)
{
    CK_ULONG count = modulus.len * 8;
    for (unsigned top = modulus.ptr[0]; top && !(top & 0x80); top <<= 1)
        count--;
    return count;
}

static enum sca_status add_public_key(const struct token *token, struct object_sink *sink,
                                      const struct certificate *leaf)
{
    struct attributes a = {.count = 0};
    char unique_id[UNIQUE_ID_SIZE];

    attributes_add_storage(&a, CKO_PUBLIC_KEY, false);
    add_unique_id(&a, token, NUMBER_PUBLIC_KEY, unique_id);
    add_key(&a, leaf);
    attributes_add_number(&a, CKA_MODULUS_BITS, bits(leaf->modulus));
    attributes_add_bool(&a, CKA_VERIFY, true);
    attributes_add_bool(&a, CKA_VERIFY_RECOVER, false);
    attributes_add_bool(&a, CKA_ENCRYPT, false);
    attributes_add_bool(&a, CKA_WRAP, false);
    attributes_add_bool(&a, CKA_TRUSTED, false);
    return sink->add(sink, NUMBER_PUBLIC_KEY, false, a.list, a.count);
}

enum sca_status smartca_objects_list(const struct token *token, const struct catalogue_entry *entry,
                                     struct object_sink *sink)
{
    enum sca_status st = SCA_OK;

    /* The service is only known to sign with RSA: another key is shown by its certificate alone. */
    if (entry->leaf.modulus.len) {
        st = add_private_key(token, sink, &entry->leaf);
        if (st == SCA_OK)
            st = add_public_key(token, sink, &entry->leaf);
    }
    if (st == SCA_OK)
        st = add_certificate(token, sink, &entry->leaf, NUMBER_CERTIFICATE);
    for (unsigned i = 0; st == SCA_OK && i < entry->chain_len; i++)
        st = add_certificate(token, sink, &entry->chain[i], NUMBER_CHAIN + i);
    if (st == SCA_OK)
        st = smartca_view_list(token, entry, NUMBER_VIEW, sink);
    return st == SCA_OK ? profiles_list("smartca", token->identity.serial, NUMBER_PROFILE, sink)
                        : st;
}
