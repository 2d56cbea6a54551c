/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/cms_check.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/evp.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/cli/cms_build.h"
#include "remote/cli/x509_read.h"

enum { READ_SIZE = 128 << 10, SIGNERS_MAX = 64 };

static void cms_freep(CMS_ContentInfo **cms)
{
    CMS_ContentInfo_free(*cms);
}

static CMS_ContentInfo *parse(struct span bytes)
{
    AUTO(cms_freep) CMS_ContentInfo *cms = CMS_ContentInfo_new_ex(crypto_libctx(), NULL);
    BIO *bio = bytes.len <= CMS_FILE_MAX ? BIO_new_mem_buf(bytes.ptr, (int)bytes.len) : NULL;
    bool is_der = bytes.len > 0 && bytes.ptr[0] == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED);

    bool is_read =
        cms && bio && (is_der ? d2i_CMS_bio(bio, &cms) : PEM_read_bio_CMS(bio, &cms, NULL, NULL));
    BIO_free(bio);
    return is_read ? TAKE(cms) : NULL;
}

/* Everything through the digests that hang before the file. */
static enum sca_status read_all(BIO *chain)
{
    AUTO(freep) char *buffer = malloc(READ_SIZE);
    int got = 1;

    if (!buffer)
        return SCA_NOMEM;
    while (got > 0 || BIO_should_retry(chain))
        got = BIO_read(chain, buffer, READ_SIZE);
    return got == 0 ? SCA_OK : SCA_IO;
}

/* OpenSSL 3.0 does not verify attributes that an Edwards key signed (RFC 8419 section 3.1). */
static bool verify_edwards(CMS_SignerInfo *signer, EVP_PKEY *key)
{
    const ASN1_OCTET_STRING *value = CMS_SignerInfo_get0_signature(signer);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char *der = NULL;
    size_t len = cms_attributes_der(signer, &der);

    bool is_right =
        ctx && len > 0 &&
        EVP_DigestVerifyInit_ex(ctx, NULL, NULL, crypto_libctx(), NULL, key, NULL) == 1 &&
        EVP_DigestVerify(ctx, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value), der,
                         len) == 1;
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    return is_right;
}

static bool verify_attributes(CMS_SignerInfo *signer, EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") ? verify_edwards(signer, key)
                                         : CMS_SignerInfo_verify(signer) == 1;
}

/* The attribute's DER; an attribute must have one value. NULL if it is not there or is not so. */
static const ASN1_STRING *sequence_of(const CMS_SignerInfo *signer, int nid)
{
    return CMS_signed_get0_data_by_OBJ(signer, OBJ_nid2obj(nid), -3, V_ASN1_SEQUENCE);
}

/* RFC 5035 section 3: the attribute, where there is one, has to name the certificate. */
static bool names_certificate(const CMS_SignerInfo *signer, X509 *x509)
{
    const ASN1_STRING *value = sequence_of(signer, NID_id_smime_aa_signingCertificateV2);
    STACK_OF(X509) *chain = sk_X509_new_null();
    bool is_named = true;

    if (value) {
        const unsigned char *at = ASN1_STRING_get0_data(value);
        ESS_SIGNING_CERT_V2 *ids = d2i_ESS_SIGNING_CERT_V2(NULL, &at, ASN1_STRING_length(value));
        is_named = ids && chain && sk_X509_push(chain, x509) > 0 &&
                   OSSL_ESS_check_signing_certs(NULL, ids, chain, 1) == 1;
        ESS_SIGNING_CERT_V2_free(ids);
    } else {
        is_named = CMS_signed_get_attr_by_NID(signer, NID_id_smime_aa_signingCertificateV2, -1) < 0;
    }
    sk_X509_free(chain);
    return is_named;
}

static enum cms_state judge(CMS_SignerInfo *signer, X509 *x509, BIO *chain)
{
    bool has_attributes = CMS_signed_get_attr_count(signer) > 0;

    if (!x509)
        return CMS_STATE_ANONYMOUS;
    if (has_attributes && !verify_attributes(signer, X509_get0_pubkey(x509)))
        return CMS_STATE_WRONG;
    if (CMS_SignerInfo_verify_content(signer, chain) != 1)
        return has_attributes ? CMS_STATE_CHANGED : CMS_STATE_WRONG;
    return names_certificate(signer, x509) ? CMS_STATE_RIGHT : CMS_STATE_MISATTRIBUTED;
}

static int64_t signing_time_of(const CMS_SignerInfo *signer)
{
    const int at = CMS_signed_get_attr_by_NID(signer, NID_pkcs9_signingTime, -1);
    X509_ATTRIBUTE *attribute = at >= 0 ? CMS_signed_get_attr(signer, at) : NULL;
    const ASN1_TYPE *value = attribute ? X509_ATTRIBUTE_get0_type(attribute, 0) : NULL;

    if (!value || (value->type != V_ASN1_UTCTIME && value->type != V_ASN1_GENERALIZEDTIME))
        return 0;
    return x509_time(value->value.asn1_string);
}

static enum sca_status look(CMS_ContentInfo *cms, BIO *chain, struct cms_report *report)
{
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    int count = sk_CMS_SignerInfo_num(signers);

    if (count <= 0 || count > SIGNERS_MAX)
        return SCA_PROTOCOL;
    report->items = calloc((size_t)count, sizeof(*report->items));
    if (!report->items)
        return SCA_NOMEM;
    (void)CMS_set1_signers_certs(cms, NULL, 0); /* those that are missing are told below */
    report->certificates = CMS_get1_certs(cms);
    for (int i = 0; i < count; i++) {
        CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(signers, i);
        struct cms_finding *finding = &report->items[report->count++];
        CMS_SignerInfo_get0_algs(signer, NULL, &finding->signer, NULL, NULL);
        if (finding->signer)
            (void)X509_up_ref(finding->signer);
        finding->state = judge(signer, finding->signer, chain);
        finding->signing_time = signing_time_of(signer);
    }
    return SCA_OK;
}

static enum sca_status check(CMS_ContentInfo *cms, BIO *content, struct cms_report *report)
{
    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed || CMS_is_detached(cms) != 1)
        return SCA_PROTOCOL;
    BIO *chain = CMS_dataInit(cms, content);
    if (!chain)
        return SCA_UNSUPPORTED;
    enum sca_status st = read_all(chain);
    if (st == SCA_OK)
        st = look(cms, chain, report);
    while (chain && chain != content) { /* what was hung before it */
        BIO *next = BIO_pop(chain);
        (void)BIO_free(chain);
        chain = next;
    }
    return st;
}

enum sca_status cms_check(struct span bytes, int fd, struct cms_report *ret_report)
{
    (void)ERR_set_mark();
    AUTO(cms_freep) CMS_ContentInfo *cms = parse(bytes);
    BIO *content = BIO_new_fd(fd, BIO_NOCLOSE);

    *ret_report = (struct cms_report){0};
    enum sca_status st = SCA_PROTOCOL;
    if (!content)
        st = SCA_NOMEM;
    else if (cms)
        st = check(cms, content, ret_report);
    BIO_free(content);
    (void)ERR_pop_to_mark();
    return st;
}

void cms_report_fini(struct cms_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        X509_free(report->items[i].signer);
    free(report->items);
    sk_X509_pop_free(report->certificates, X509_free);
    *report = (struct cms_report){0};
}
