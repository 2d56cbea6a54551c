/* SPDX-License-Identifier: Apache-2.0 */
/* Making certificates of users: keys from the HSM, the rest from the PKI, a copy in the folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/disk.h"
#include "tests/emulator/user.h"

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_bio(BIO **bio)
{
    (void)BIO_free(*bio);
}

void certificate_free(struct certificate *certificate)
{
    if (!certificate)
        return;
    X509_free(certificate->x509);
    OPENSSL_free(certificate->der);
    free(certificate);
}

static bool format_serial(X509 *x509, char *out, size_t room)
{
    uint8_t bytes[20];
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    int len = number && BN_num_bytes(number) <= (int)sizeof(bytes) ? BN_bn2bin(number, bytes) : 0;
    BN_free(number);
    if (len <= 0 || (size_t)len * 2 >= room)
        return false;
    hex_encode(span_of(bytes, (size_t)len), out);
    return true;
}

static bool format_time(const ASN1_TIME *time, char *out, size_t room)
{
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 &&
           strftime(out, room, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0;
}

static bool format_subject(X509 *x509, char *out, size_t room)
{
    static const unsigned long style = (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    AUTO(free_bio) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0, style) < 0)
        return false;
    long len = BIO_get_mem_data(bio, &text);
    return len > 0 && snprintf(out, room, "%.*s", (int)len, text) < (int)room;
}

static bool describe(struct certificate *certificate, const struct user *user)
{
    X509 *x509 = certificate->x509;
    (void)snprintf(certificate->service_type, sizeof(certificate->service_type), "%s",
                   user->is_organisation ? "ESEAL" : "SMARTCA");
    (void)snprintf(certificate->service_name, sizeof(certificate->service_name), "%s",
                   user->is_organisation ? "ESEAL" : "SMARTCA PERSONAL PRO");
    uuid_make(certificate->cert_id);
    certificate_set_state(certificate, CERTIFICATE_ACTIVE);
    return format_serial(x509, certificate->serial, sizeof(certificate->serial)) &&
           format_subject(x509, certificate->subject, sizeof(certificate->subject)) &&
           format_time(X509_get0_notBefore(x509), certificate->valid_from,
                       sizeof(certificate->valid_from)) &&
           format_time(X509_get0_notAfter(x509), certificate->valid_to,
                       sizeof(certificate->valid_to)) &&
           pki_der(x509, &certificate->der, &certificate->der_len) == SCA_OK;
}

static enum sca_status leaf_path(char out[DISK_PATH_MAX], const char *dir, const char *name)
{
    char folder[DISK_PATH_MAX];
    char file[USER_ID_MAX + 32];
    (void)snprintf(file, sizeof(file), "%s.pem", name);
    if (disk_path(folder, dir, "users") != SCA_OK || disk_folder(folder) != SCA_OK)
        return SCA_IO;
    return disk_path(out, folder, file);
}

/* x509 from the folder when it still fits, else a new one. */
static enum sca_status obtain(const struct issuer *issuer, const struct pki_leaf *leaf,
                              const char *path, EVP_PKEY *key, X509 **ret_x509)
{
    X509 *x509 = path[0] == '\0' ? NULL : disk_read_certificate(path);
    if (x509 && pki_is_current(issuer->pki, leaf, key, x509)) {
        *ret_x509 = x509;
        return SCA_OK;
    }
    X509_free(x509);
    return pki_issue(issuer->pki, leaf, key, ret_x509);
}

enum sca_status certificate_issue(const struct issuer *issuer, const struct user *user,
                                  unsigned number, struct pki_leaf dates, bool allow_old,
                                  struct certificate **ret_certificate)
{
    char name[USER_ID_MAX + 16];
    char path[DISK_PATH_MAX];
    AUTO(free_key) EVP_PKEY *key = NULL;
    struct certificate *certificate = calloc(1, sizeof(*certificate));
    if (!certificate)
        return SCA_NOMEM;
    struct pki_leaf leaf = {user->uid, user->name, dates.from_days, dates.to_days};
    (void)snprintf(name, sizeof(name), "%s-%u", user->id, number);
    certificate->number = number;
    enum sca_status status = leaf_path(path, issuer->dir, name);
    if (status == SCA_OK)
        status = hsm_key_get(issuer->hsm, name, &certificate->key, &key);
    if (status == SCA_OK)
        status = obtain(issuer, &leaf, allow_old ? path : "", key, &certificate->x509);
    if (status == SCA_OK)
        status = disk_write_certificate(path, certificate->x509);
    if (status == SCA_OK && !describe(certificate, user))
        status = SCA_NOMEM;
    if (status == SCA_OK)
        *ret_certificate = certificate;
    else
        certificate_free(certificate);
    return status;
}
