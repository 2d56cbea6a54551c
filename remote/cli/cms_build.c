/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/cms_build.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/asn1t.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"

struct cms_draft {
    CMS_ContentInfo *cms;
    CMS_SignerInfo *signer; /* part of cms */
    const struct cms_scheme *scheme;
    unsigned char *attributes;
    size_t attributes_len;
};

/* SET OF Attribute: signed with this tag, whatever tag it has inside the CMS. */
DECLARE_ASN1_ITEM(cms_attribute_set)
/* clang-format off */
ASN1_ITEM_TEMPLATE(cms_attribute_set) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, attributes, X509_ATTRIBUTE)
ASN1_ITEM_TEMPLATE_END(cms_attribute_set)
    /* clang-format on */

    size_t cms_attributes_der(const CMS_SignerInfo *signer, unsigned char **ret_der)
{
    STACK_OF(X509_ATTRIBUTE) *set = sk_X509_ATTRIBUTE_new_null();
    int count = CMS_signed_get_attr_count(signer);
    unsigned char *der = NULL;
    bool is_whole = set && count > 0;

    for (int i = 0; is_whole && i < count; i++)
        is_whole = sk_X509_ATTRIBUTE_push(set, CMS_signed_get_attr(signer, i)) > 0;
    int len =
        is_whole ? ASN1_item_i2d((ASN1_VALUE *)set, &der, ASN1_ITEM_rptr(cms_attribute_set)) : 0;
    sk_X509_ATTRIBUTE_free(set);
    if (len <= 0)
        return 0;
    *ret_der = der;
    return (size_t)len;
}

static bool add_signing_time(CMS_SignerInfo *signer, int64_t seconds)
{
    ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)seconds);

    /* A list of attributes takes UTCTime to 2049, GeneralizedTime after: ASN1_TIME_set's choice. */
    bool is_added = time && CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime,
                                                        ASN1_STRING_type(time), time, -1) == 1;
    ASN1_TIME_free(time);
    return is_added;
}

/* RFC 5035: ESSCertIDv2 with its default hash, SHA-256, and issuerSerial. */
static bool add_signing_certificate(CMS_SignerInfo *signer, const X509 *x509)
{
    ESS_SIGNING_CERT_V2 *ids =
        OSSL_ESS_signing_cert_v2_new_init(crypto_md(CRYPTO_SHA256), x509, NULL, 1);
    unsigned char *der = NULL;
    int len = ids ? i2d_ESS_SIGNING_CERT_V2(ids, &der) : 0;
    bool is_added =
        len > 0 && CMS_signed_add1_attr_by_NID(signer, NID_id_smime_aa_signingCertificateV2,
                                               V_ASN1_SEQUENCE, der, len) == 1;

    OPENSSL_free(der);
    ESS_SIGNING_CERT_V2_free(ids);
    return is_added;
}

/* OpenSSL 3.0 knows no Edwards key in CMS, and leaves the algorithm empty. */
static bool name_algorithm(CMS_SignerInfo *signer, EVP_PKEY *key)
{
    X509_ALGOR *algorithm = NULL;

    if (!EVP_PKEY_is_a(key, "ED25519"))
        return true;
    CMS_SignerInfo_get0_algs(signer, NULL, NULL, NULL, &algorithm);
    return X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_ED25519), V_ASN1_UNDEF, NULL) == 1;
}

/*
 * CMS_add1_signer wants a key; it only compares its public half with the certificate's and reads
 * the algorithm, so that the certificate's own will do. With CMS_PARTIAL nothing is signed.
 */
static bool fill(struct cms_draft *draft, const struct cms_plan *plan, struct span digest)
{
    const unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL;
    EVP_PKEY *key = X509_get0_pubkey(plan->signer);

    draft->cms = CMS_sign_ex(NULL, NULL, plan->chain, NULL, flags, crypto_libctx(), NULL);
    if (!draft->cms || !key)
        return false;
    draft->signer = CMS_add1_signer(draft->cms, plan->signer, key, crypto_md(plan->scheme->digest),
                                    flags | CMS_NOSMIMECAP);
    return draft->signer && name_algorithm(draft->signer, key) &&
           CMS_signed_add1_attr_by_NID(draft->signer, NID_pkcs9_contentType, V_ASN1_OBJECT,
                                       OBJ_nid2obj(NID_pkcs7_data), -1) == 1 &&
           CMS_signed_add1_attr_by_NID(draft->signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING,
                                       digest.ptr, (int)digest.len) == 1 &&
           add_signing_time(draft->signer, plan->signing_time) &&
           add_signing_certificate(draft->signer, plan->signer);
}

enum sca_status cms_draft_new(const struct cms_plan *plan, struct span digest,
                              struct cms_draft **ret_draft)
{
    AUTO(cms_draft_freep) struct cms_draft *draft = calloc(1, sizeof(*draft));

    if (!draft)
        return SCA_NOMEM;
    if (digest.len != crypto_hash_len(plan->scheme->digest))
        return SCA_INVALID;
    draft->scheme = plan->scheme;
    (void)ERR_set_mark();
    if (fill(draft, plan, digest))
        draft->attributes_len = cms_attributes_der(draft->signer, &draft->attributes);
    (void)ERR_pop_to_mark();
    if (draft->attributes_len == 0)
        return SCA_NOMEM;
    *ret_draft = TAKE(draft);
    return SCA_OK;
}

void cms_draft_free(struct cms_draft *draft)
{
    if (!draft)
        return;
    OPENSSL_free(draft->attributes);
    CMS_ContentInfo_free(draft->cms);
    free(draft);
}

void cms_draft_freep(struct cms_draft **draft)
{
    cms_draft_free(*draft);
    *draft = NULL;
}

struct span cms_draft_attributes(const struct cms_draft *draft)
{
    return span_of(draft->attributes, draft->attributes_len);
}

static enum sca_status encode(CMS_ContentInfo *cms, bool is_pem, struct buf *ret_bytes)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum sca_status st = SCA_NOMEM;
    char *bytes = NULL;

    if (bio && (is_pem ? PEM_write_bio_CMS(bio, cms) : i2d_CMS_bio(bio, cms)) == 1) {
        long len = BIO_get_mem_data(bio, &bytes);
        st = buf_append(ret_bytes, span_of(bytes, (size_t)len));
    }
    BIO_free(bio);
    return st;
}

enum sca_status cms_draft_finish(struct cms_draft *draft, struct span raw, bool is_pem,
                                 struct buf *ret_bytes)
{
    AUTO(buf_fini) struct buf signature;
    ASN1_OCTET_STRING *value = CMS_SignerInfo_get0_signature(draft->signer);

    buf_init(ret_bytes, CMS_SIZE_MAX, false);
    enum sca_status st = cms_scheme_signature(draft->scheme, raw, &signature);
    if (st != SCA_OK)
        return st;
    if (ASN1_OCTET_STRING_set(value, signature.ptr, (int)signature.len) != 1)
        return SCA_NOMEM;
    (void)ERR_set_mark();
    st = encode(draft->cms, is_pem, ret_bytes);
    (void)ERR_pop_to_mark();
    return st;
}
