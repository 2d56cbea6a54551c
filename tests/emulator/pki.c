/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/pki.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/complain.h"
#include "tests/emulator/disk.h"

enum { CA_DAYS = 3650, SERIAL_LEN = 16, SERIAL_PREFIX_LEN = 4 };

static const uint8_t serial_prefix[SERIAL_PREFIX_LEN] = {0x54, 0x01, 0x01, 0x01};

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

struct pki {
    struct authority root;
    struct authority ca;
    struct authority tls;
    uint8_t *root_der;
    size_t root_der_len;
    uint8_t *ca_der;
    size_t ca_der_len;
};

struct name_part {
    const char *field;
    const char *text;
};

struct extension {
    int nid;
    const char *value;
};

/* Everything a new certificate consists of. Lists end with an empty row. */
struct draft {
    const struct name_part *subject;
    const struct extension *extensions;
    const struct authority *issuer; /* NULL: signs itself with key */
    EVP_PKEY *key;
    int from_days;
    int to_days;
};

static const struct extension ca_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {NID_undef, NULL},
};

static const struct extension leaf_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature,nonRepudiation"},
    {NID_ext_key_usage, "emailProtection"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid"},
    {NID_undef, NULL},
};

static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}

static void free_bio(BIO **bio)
{
    (void)BIO_free(*bio);
}

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static bool set_serial(X509 *certificate)
{
    uint8_t serial[SERIAL_LEN];
    if (RAND_bytes(serial, sizeof(serial)) != 1)
        return false;
    memcpy(serial, serial_prefix, sizeof(serial_prefix));
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    bool is_set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return is_set;
}

static bool set_subject(X509_NAME *name, const struct name_part *parts)
{
    for (; parts->field; parts++)
        if (X509_NAME_add_entry_by_txt(name, parts->field, MBSTRING_UTF8,
                                       (const unsigned char *)parts->text, -1, -1, 0) != 1)
            return false;
    return true;
}

static bool add_extensions(X509 *certificate, X509 *issuer, const struct extension *rows)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (; rows->value; rows++) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, rows->nid, rows->value);
        bool is_added = extension && X509_add_ext(certificate, extension, -1) == 1;
        X509_EXTENSION_free(extension);
        if (!is_added)
            return false;
    }
    return true;
}

static bool fill(X509 *certificate, const struct draft *draft)
{
    X509 *issuer = draft->issuer ? draft->issuer->certificate : certificate;
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_time_adj_ex(X509_getm_notBefore(certificate), draft->from_days, 0, NULL) &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), draft->to_days, 0, NULL) &&
           X509_set_pubkey(certificate, draft->key) == 1 &&
           set_subject(X509_get_subject_name(certificate), draft->subject) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
           add_extensions(certificate, issuer, draft->extensions);
}

static enum sca_status make(const struct draft *draft, X509 **ret_certificate)
{
    AUTO(free_certificate) X509 *certificate = X509_new();
    if (!certificate)
        return SCA_NOMEM;
    EVP_PKEY *signer = draft->issuer ? draft->issuer->key : draft->key;
    if (!fill(certificate, draft) || X509_sign(certificate, signer, EVP_sha256()) == 0) {
        complain("a certificate cannot be made (is its text UTF-8, and at most 64 characters?)");
        return SCA_INVALID;
    }
    *ret_certificate = TAKE(certificate);
    return SCA_OK;
}

/* How one of the CAs is called, on disk and in its certificate. */
struct authority_kind {
    const char *certificate_file;
    const char *key_file;
    bool is_rsa;
    struct name_part subject[4];
};

static const struct authority_kind root_kind = {
    "root.pem",
    "root.key",
    true,
    {{"C", "VN"},
     {"O", "Ministry of Information and Communications (test)"},
     {"CN", "Vietnam National Root CA"},
     {NULL, NULL}}};
static const struct authority_kind ca_kind = {
    "ca.pem",
    "ca.key",
    true,
    {{"C", "VN"},
     {"O", "VIETNAM POSTS AND TELECOMMUNICATIONS GROUP (test)"},
     {"CN", "VNPT SmartCA RS"},
     {NULL, NULL}}};
static const struct authority_kind tls_kind = {
    "tls-ca.pem", "tls-ca.key", false, {{"CN", "smartca-emulator TLS CA"}, {NULL, NULL}}};

static EVP_PKEY *new_key(bool is_rsa)
{
    return is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
}

static bool authority_is_usable(const struct authority *authority, const struct authority *issuer)
{
    EVP_PKEY *signer = issuer ? issuer->key : authority->key;
    return authority->key && authority->certificate &&
           X509_check_private_key(authority->certificate, authority->key) == 1 &&
           X509_verify(authority->certificate, signer) == 1 &&
           X509_cmp_current_time(X509_get0_notAfter(authority->certificate)) > 0;
}

static void authority_fini(struct authority *authority)
{
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
    *authority = (struct authority){0};
}

static enum sca_status authority_open(const char *dir, const struct authority_kind *kind,
                                      const struct authority *issuer, struct authority *authority)
{
    char certificate_path[DISK_PATH_MAX];
    char key_path[DISK_PATH_MAX];
    if (disk_path(certificate_path, dir, kind->certificate_file) != SCA_OK ||
        disk_path(key_path, dir, kind->key_file) != SCA_OK)
        return SCA_INVALID;
    authority->certificate = disk_read_certificate(certificate_path);
    authority->key = disk_read_key(key_path);
    if (authority_is_usable(authority, issuer))
        return SCA_OK;
    authority_fini(authority);
    authority->key = new_key(kind->is_rsa);
    if (!authority->key)
        return SCA_NOMEM;
    struct draft draft = {kind->subject, ca_extensions, issuer, authority->key, -1, CA_DAYS};
    enum sca_status status = make(&draft, &authority->certificate);
    if (status == SCA_OK)
        status = disk_write_key(key_path, authority->key);
    if (status == SCA_OK)
        status = disk_write_certificate(certificate_path, authority->certificate);
    return status;
}

enum sca_status pki_open(const char *dir, struct pki **ret_pki)
{
    struct pki *pki = calloc(1, sizeof(*pki));
    if (!pki)
        return SCA_NOMEM;
    enum sca_status status = authority_open(dir, &root_kind, NULL, &pki->root);
    if (status == SCA_OK)
        status = authority_open(dir, &ca_kind, &pki->root, &pki->ca);
    if (status == SCA_OK)
        status = authority_open(dir, &tls_kind, NULL, &pki->tls);
    if (status == SCA_OK)
        status = pki_der(pki->root.certificate, &pki->root_der, &pki->root_der_len);
    if (status == SCA_OK)
        status = pki_der(pki->ca.certificate, &pki->ca_der, &pki->ca_der_len);
    if (status == SCA_OK)
        *ret_pki = pki;
    else
        pki_free(pki);
    return status;
}

void pki_free(struct pki *pki)
{
    if (!pki)
        return;
    authority_fini(&pki->root);
    authority_fini(&pki->ca);
    authority_fini(&pki->tls);
    OPENSSL_free(pki->root_der);
    OPENSSL_free(pki->ca_der);
    free(pki);
}

enum { LEAF_PARTS = 6 };

static void leaf_subject(const struct pki_leaf *leaf, struct name_part out[LEAF_PARTS])
{
    const struct name_part parts[LEAF_PARTS] = {
        {"C", "VN"},        {"ST", "Thành phố Hồ Chí Minh"},
        {"L", "Quận 3"},    {"CN", leaf->name},
        {"UID", leaf->uid}, {NULL, NULL},
    };
    memcpy(out, parts, sizeof(parts));
}

enum sca_status pki_issue(struct pki *pki, const struct pki_leaf *leaf, EVP_PKEY *key,
                          X509 **ret_certificate)
{
    struct name_part subject[LEAF_PARTS];
    leaf_subject(leaf, subject);
    struct draft draft = {subject, leaf_extensions, &pki->ca, key, leaf->from_days, leaf->to_days};
    return make(&draft, ret_certificate);
}

bool pki_is_current(struct pki *pki, const struct pki_leaf *leaf, EVP_PKEY *key, X509 *certificate)
{
    struct name_part parts[LEAF_PARTS];
    leaf_subject(leaf, parts);
    X509_NAME *name = X509_NAME_new();
    bool is_current = name && set_subject(name, parts) &&
                      X509_NAME_cmp(name, X509_get_subject_name(certificate)) == 0 &&
                      EVP_PKEY_eq(X509_get0_pubkey(certificate), key) == 1 &&
                      X509_verify(certificate, pki->ca.key) == 1 &&
                      X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
    X509_NAME_free(name);
    return is_current;
}

struct server_kind {
    const char *names;
    bool is_self_signed;
    int from_days;
    int to_days;
};

static const struct server_kind server_kinds[] = {
    [PKI_SERVER_GOOD] = {"IP:127.0.0.1,DNS:localhost", false, -1, 365},
    [PKI_SERVER_SELF_SIGNED] = {"IP:127.0.0.1,DNS:localhost", true, -1, 365},
    [PKI_SERVER_WRONG_HOST] = {"DNS:somewhere-else.example", false, -1, 365},
    [PKI_SERVER_EXPIRED] = {"IP:127.0.0.1,DNS:localhost", false, -30, -1},
};

static char *bio_text(BIO *bio)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    return len > 0 ? strndup(text, (size_t)len) : NULL;
}

static enum sca_status to_pem(EVP_PKEY *key, X509 *certificate, char **ret_key,
                              char **ret_certificate)
{
    AUTO(free_bio) BIO *key_bio = BIO_new(BIO_s_mem());
    AUTO(free_bio) BIO *certificate_bio = BIO_new(BIO_s_mem());
    if (!key_bio || !certificate_bio ||
        PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) != 1 ||
        PEM_write_bio_X509(certificate_bio, certificate) != 1)
        return SCA_NOMEM;
    char *key_text = bio_text(key_bio);
    char *certificate_text = bio_text(certificate_bio);
    if (!key_text || !certificate_text) {
        free(key_text);
        free(certificate_text);
        return SCA_NOMEM;
    }
    *ret_key = key_text;
    *ret_certificate = certificate_text;
    return SCA_OK;
}

enum sca_status pki_server_make(struct pki *pki, enum pki_server kind, char **ret_key,
                                char **ret_certificate)
{
    const struct server_kind *row = &server_kinds[kind];
    const struct name_part subject[] = {{"CN", "smartca-emulator"}, {NULL, NULL}};
    const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_alt_name, row->names},
        {NID_undef, NULL},
    };
    AUTO(free_key) EVP_PKEY *key = new_key(false);
    AUTO(free_certificate) X509 *certificate = NULL;
    if (!key)
        return SCA_NOMEM;
    struct draft draft = {subject, extensions,     row->is_self_signed ? NULL : &pki->tls,
                          key,     row->from_days, row->to_days};
    enum sca_status status = make(&draft, &certificate);
    if (status == SCA_OK)
        status = to_pem(key, certificate, ret_key, ret_certificate);
    return status;
}

struct span pki_root(const struct pki *pki)
{
    return span_of(pki->root_der, pki->root_der_len);
}

struct span pki_ca(const struct pki *pki)
{
    return span_of(pki->ca_der, pki->ca_der_len);
}

enum sca_status pki_der(X509 *certificate, uint8_t **ret_der, size_t *ret_len)
{
    uint8_t *der = NULL;
    int len = i2d_X509(certificate, &der);
    if (len <= 0)
        return SCA_NOMEM;
    *ret_der = der;
    *ret_len = (size_t)len;
    return SCA_OK;
}
