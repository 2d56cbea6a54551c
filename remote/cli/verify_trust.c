/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/verify_trust.h"

#include <time.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/cli/output.h"

/* What is wrong with most chains, in OpenSSL's words, which it has in English only. */
static const struct {
    int error;
    const char *text;
} reasons[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, N_("unable to get issuer certificate")},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, N_("certificate signature failure")},
    {X509_V_ERR_CERT_NOT_YET_VALID, N_("certificate is not yet valid")},
    {X509_V_ERR_CERT_HAS_EXPIRED, N_("certificate has expired")},
    {X509_V_ERR_OUT_OF_MEM, N_("out of memory")},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, N_("self-signed certificate")},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, N_("self-signed certificate in certificate chain")},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, N_("unable to get local issuer certificate")},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, N_("unable to verify the first certificate")},
    {X509_V_ERR_INVALID_CA, N_("invalid CA certificate")},
    {X509_V_ERR_INVALID_PURPOSE, N_("unsuitable certificate purpose")},
    {X509_V_ERR_CERT_UNTRUSTED, N_("certificate not trusted")},
    {X509_V_ERR_CERT_REJECTED, N_("certificate rejected")},
    {X509_V_ERR_EE_KEY_TOO_SMALL, N_("EE certificate key too weak")},
    {X509_V_ERR_CA_KEY_TOO_SMALL, N_("CA certificate key too weak")},
    {X509_V_ERR_CA_MD_TOO_WEAK, N_("CA signature digest algorithm too weak")},
};

static const char *reason_of(int error)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].error == error)
            return _(reasons[i].text);
    return X509_verify_cert_error_string(error);
}

static bool load(const struct cli *cli, X509_STORE *store, struct trouble *trouble)
{
    for (size_t i = 0; i < cli->ca_file_count; i++)
        if (X509_STORE_load_file_ex(store, cli->ca_files[i], crypto_libctx(), NULL) != 1)
            return trouble_say(trouble, "invalid", _("name a PEM file of CA certificates"),
                               _("--ca-file %s cannot be read"), cli->ca_files[i]);
    if (cli->ca_file_count == 0)
        /* A system without any trusts nobody: that is told of each signer. */
        (void)X509_STORE_set_default_paths_ex(store, crypto_libctx(), NULL);
    return true;
}

bool verify_trust_open(const struct cli *cli, X509_STORE **ret_store, struct trouble *trouble)
{
    X509_STORE *store = X509_STORE_new();

    if (!store)
        return trouble_no_memory(trouble);
    (void)ERR_set_mark();
    bool is_loaded = load(cli, store, trouble);
    (void)ERR_pop_to_mark();
    if (!is_loaded) {
        X509_STORE_free(store);
        return false;
    }
    *ret_store = store;
    return true;
}

const char *verify_trust(X509_STORE *store, X509 *x509, STACK_OF(X509) * others, int64_t at)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(crypto_libctx(), NULL);
    const char *why = reason_of(X509_V_ERR_OUT_OF_MEM);

    (void)ERR_set_mark();
    if (ctx && X509_STORE_CTX_init(ctx, store, x509, others) == 1 &&
        X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_ANY) == 1) {
        if (at)
            X509_STORE_CTX_set_time(ctx, 0, (time_t)at);
        why = X509_verify_cert(ctx) == 1 ? NULL : reason_of(X509_STORE_CTX_get_error(ctx));
    }
    (void)ERR_pop_to_mark();
    X509_STORE_CTX_free(ctx);
    return why;
}
