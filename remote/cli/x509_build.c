/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/x509_build.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/cli/x509_read.h"

enum { SERIAL_SIZE = 16, SIGNATURE_MAX = 1024, KEY_ID_SIZE = 20, CA_PATH_LEN = 0 };

/* Bits of KeyUsage (RFC 5280 section 4.2.1.3). */
enum { DIGITAL_SIGNATURE = 0, NON_REPUDIATION = 1, CERT_SIGN = 5, CRL_SIGN = 6 };

static bool set_serial(X509 *x509)
{
    unsigned char bytes[SERIAL_SIZE] = {0};

    /* Positive (RFC 5280 section 4.1.2.2), and of one length, so that its text sorts and aligns. */
    while (bytes[0] == 0)
        if (RAND_bytes_ex(crypto_libctx(), bytes, sizeof(bytes), 0) != 1)
            return false;
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool is_set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    BN_free(number);
    return is_set;
}

/* ASN1_TIME_set chooses UTCTime until 2049 and GeneralizedTime from 2050, as section 4.1.2.5 asks.
 */
static bool set_times(X509 *x509, const struct x509_plan *plan)
{
    return ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)plan->not_before) &&
           ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)plan->not_after);
}

static bool add_part(X509_NAME *name, int nid, int type, const char *text)
{
    return !text ||
           X509_NAME_add_entry_by_NID(name, nid, type, (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool set_names(X509 *x509, const struct x509_plan *plan)
{
    const struct x509_subject *subject = &plan->subject;
    const struct {
        int nid;
        int type;
        const char *text;
    } parts[] = {
        {NID_countryName, V_ASN1_PRINTABLESTRING, subject->country},
        {NID_stateOrProvinceName, V_ASN1_UTF8STRING, subject->state},
        {NID_localityName, V_ASN1_UTF8STRING, subject->locality},
        {NID_organizationName, V_ASN1_UTF8STRING, subject->organization},
        {NID_organizationalUnitName, V_ASN1_UTF8STRING, subject->organizational_unit},
        {NID_commonName, V_ASN1_UTF8STRING, subject->common_name},
        {NID_userId, V_ASN1_UTF8STRING, subject->user_id},
    };
    X509_NAME *name = X509_get_subject_name(x509);

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (!add_part(name, parts[i].nid, parts[i].type, parts[i].text))
            return false;
    return X509_set_issuer_name(x509, plan->issuer ? X509_get_subject_name(plan->issuer) : name) ==
           1;
}

static bool add_key_usage(X509 *x509, bool is_authority)
{
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    bool is_added =
        bits &&
        ASN1_BIT_STRING_set_bit(bits, is_authority ? CERT_SIGN : DIGITAL_SIGNATURE, 1) == 1 &&
        ASN1_BIT_STRING_set_bit(bits, is_authority ? CRL_SIGN : NON_REPUDIATION, 1) == 1 &&
        X509_add1_ext_i2d(x509, NID_key_usage, bits, 1, X509V3_ADD_DEFAULT) == 1;
    ASN1_BIT_STRING_free(bits);
    return is_added;
}

static bool add_basic_constraints(X509 *x509, bool is_authority)
{
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();

    if (constraints && is_authority) {
        constraints->ca = 0xFF;
        constraints->pathlen = ASN1_INTEGER_new();
    }
    bool is_added =
        constraints &&
        (!is_authority ||
         (constraints->pathlen && ASN1_INTEGER_set(constraints->pathlen, CA_PATH_LEN) == 1)) &&
        X509_add1_ext_i2d(x509, NID_basic_constraints, constraints, 1, X509V3_ADD_DEFAULT) == 1;
    BASIC_CONSTRAINTS_free(constraints);
    return is_added;
}

static bool add_subject_key_id(X509 *x509, const uint8_t id[static KEY_ID_SIZE])
{
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    bool is_added =
        octets && ASN1_OCTET_STRING_set(octets, id, KEY_ID_SIZE) == 1 &&
        X509_add1_ext_i2d(x509, NID_subject_key_identifier, octets, 0, X509V3_ADD_DEFAULT) == 1;
    ASN1_OCTET_STRING_free(octets);
    return is_added;
}

/* The key alone: an issuer whose certificate is renewed with the same key stays the issuer. */
static bool add_authority_key_id(X509 *x509, const uint8_t id[static KEY_ID_SIZE])
{
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();

    if (authority)
        authority->keyid = ASN1_OCTET_STRING_new();
    bool is_added = authority && authority->keyid &&
                    ASN1_OCTET_STRING_set(authority->keyid, id, KEY_ID_SIZE) == 1 &&
                    X509_add1_ext_i2d(x509, NID_authority_key_identifier, authority, 0,
                                      X509V3_ADD_DEFAULT) == 1;
    AUTHORITY_KEYID_free(authority);
    return is_added;
}

static bool add_extensions(X509 *x509, const struct x509_plan *plan)
{
    uint8_t own[KEY_ID_SIZE];
    uint8_t issuer[KEY_ID_SIZE];

    return x509_key_id(x509, own) && x509_key_id(plan->issuer ? plan->issuer : x509, issuer) &&
           add_basic_constraints(x509, plan->is_authority) &&
           add_key_usage(x509, plan->is_authority) && add_subject_key_id(x509, own) &&
           add_authority_key_id(x509, issuer);
}

/*
 * OpenSSL signs with keys it holds itself. The members are ours to fill in: the certificate is not
 * shared yet, only its interface calls them const.
 */
static bool set_algorithm(const X509_ALGOR *shown, const struct key_spec *spec)
{
    X509_ALGOR *algorithm = NULL;

    memcpy(&algorithm, &shown, sizeof(algorithm));
    /* RFC 4055 section 5 wants NULL parameters for RSA, RFC 5758 and RFC 8410 none. */
    return X509_ALGOR_set0(algorithm, OBJ_nid2obj(spec->signature_nid),
                           spec->type == CKK_RSA ? V_ASN1_NULL : V_ASN1_UNDEF, NULL) == 1;
}

static bool set_signature(X509 *x509, struct span bytes)
{
    const ASN1_BIT_STRING *shown = NULL;
    ASN1_BIT_STRING *signature = NULL;

    X509_get0_signature(&shown, NULL, x509);
    memcpy(&signature, &shown, sizeof(signature));
    if (ASN1_STRING_set(signature, bytes.ptr, (int)bytes.len) != 1)
        return false;
    signature->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
    signature->flags |= ASN1_STRING_FLAG_BITS_LEFT;
    return true;
}

static bool set_algorithms(X509 *x509, const struct key_spec *spec)
{
    const X509_ALGOR *outer = NULL;

    X509_get0_signature(NULL, &outer, x509);
    return set_algorithm(X509_get0_tbs_sigalg(x509), spec) && set_algorithm(outer, spec);
}

static enum sca_status sign_tbs(X509 *x509, const struct x509_signer *signer)
{
    unsigned char *tbs = NULL;
    struct buf signature;

    int len = i2d_re_X509_tbs(x509, &tbs);
    if (len <= 0)
        return SCA_NOMEM;
    buf_init(&signature, SIGNATURE_MAX, false);
    enum sca_status st = signer->sign(signer->sign_arg, span_of(tbs, (size_t)len), &signature);
    OPENSSL_free(tbs);
    if (st == SCA_OK && !set_signature(x509, buf_span(&signature)))
        st = SCA_NOMEM;
    buf_fini(&signature);
    return st;
}

enum sca_status x509_build(const struct x509_plan *plan, const struct x509_signer *signer,
                           X509 **ret_x509)
{
    AUTO(x509_freep) X509 *x509 = X509_new_ex(crypto_libctx(), NULL);

    if (!x509 || X509_set_version(x509, X509_VERSION_3) != 1 || !set_serial(x509) ||
        !set_times(x509, plan) || !set_names(x509, plan) || X509_set_pubkey(x509, plan->key) != 1 ||
        !add_extensions(x509, plan) || !set_algorithms(x509, signer->spec))
        return SCA_NOMEM;
    enum sca_status st = sign_tbs(x509, signer);
    if (st != SCA_OK)
        return st;
    if (X509_verify(x509, signer->key) != 1)
        return SCA_MISMATCH;
    *ret_x509 = TAKE(x509);
    return SCA_OK;
}
