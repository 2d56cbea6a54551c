/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/verify.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509_vfy.h>

#include "remote/base/cleanup.h"

static X509 *load(const struct harness *h, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", h->dir, name);
    BIO *bio = BIO_new_file(path, "r");
    assert_non_null(bio);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    (void)BIO_free(bio);
    assert_non_null(certificate);
    return certificate;
}

static X509 *leaf_of(const struct harness *h)
{
    return load(h, "users/" HARNESS_USER "-1.pem");
}

static const EVP_MD *digest_of(size_t len)
{
    return len == 64   ? EVP_sha512()
           : len == 48 ? EVP_sha384()
           : len == 32 ? EVP_sha256()
                       : EVP_sha1();
}

bool verify_pkcs1(const struct harness *h, const char *hash_hex, const char *value)
{
    uint8_t hash[64];
    size_t len = 0;
    struct buf signature;
    assert_int_equal(hex_decode(hash_hex, hash, sizeof(hash), &len), SCA_OK);
    if (!value || base64_decode(span_text(value), 4096, &signature) != SCA_OK)
        return false;
    X509 *leaf = leaf_of(h);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(X509_get0_pubkey(leaf), NULL);
    bool is_good = EVP_PKEY_verify_init(context) == 1 &&
                   EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                   EVP_PKEY_CTX_set_signature_md(context, digest_of(len)) == 1 &&
                   EVP_PKEY_verify(context, signature.ptr, signature.len, hash, len) == 1;
    EVP_PKEY_CTX_free(context);
    X509_free(leaf);
    buf_fini(&signature);
    return is_good;
}

static X509_STORE *store_of(const struct harness *h)
{
    X509_STORE *store = X509_STORE_new();
    X509 *root = load(h, "root.pem");
    X509 *ca = load(h, "ca.pem");
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_add_cert(store, ca), 1);
    X509_free(root);
    X509_free(ca);
    return store;
}

bool verify_chain(const struct harness *h)
{
    X509 *leaf = leaf_of(h);
    X509_STORE *store = store_of(h);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool is_good =
        X509_STORE_CTX_init(context, store, leaf, NULL) == 1 && X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(leaf);
    return is_good;
}

bool verify_cms(const struct harness *h, const char *content, const char *value)
{
    struct buf der;
    if (!value || base64_decode(span_text(value), 16384, &der) != SCA_OK)
        return false;
    const unsigned char *at = der.ptr;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
    BIO *data = BIO_new_mem_buf(content, -1);
    X509_STORE *store = store_of(h);
    bool is_good = cms && CMS_verify(cms, NULL, store, data, NULL, CMS_DETACHED | CMS_BINARY) == 1;
    X509_STORE_free(store);
    (void)BIO_free(data);
    CMS_ContentInfo_free(cms);
    buf_fini(&der);
    return is_good;
}
