/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/certificate.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

/* RFC 5280 section 4.2.1.3: their bits in the extension. */
enum { DIGITAL_SIGNATURE = 0, NON_REPUDIATION = 1 };

static void x509_freep(X509 **x509)
{
    X509_free(*x509);
}

/* X509_get_key_usage would also judge every other extension. */
static enum sca_status read_usage(const X509 *x509, bool *ret_may_sign)
{
    enum { ABSENT = -1 };
    int how = 0;
    ASN1_BIT_STRING *usage = X509_get_ext_d2i(x509, NID_key_usage, &how, NULL);

    *ret_may_sign = !usage && how == ABSENT;
    if (!usage)
        return how == ABSENT ? SCA_OK : SCA_PROTOCOL;
    *ret_may_sign = ASN1_BIT_STRING_get_bit(usage, DIGITAL_SIGNATURE) ||
                    ASN1_BIT_STRING_get_bit(usage, NON_REPUDIATION);
    ASN1_BIT_STRING_free(usage);
    return SCA_OK;
}

/* SCA_PROTOCOL: the certificate cannot be read, or what it says of this. */
static enum sca_status ask(OSSL_LIB_CTX *libctx, struct span der, bool *ret_may_sign)
{
    AUTO(x509_freep) X509 *x509 = NULL;
    const uint8_t *end = der.ptr;

    *ret_may_sign = true;
    /* The queue of errors is the host's as well: it finds there what it left. */
    unsigned long before = ERR_peek_last_error();
    (void)ERR_set_mark();
    x509 = X509_new_ex(libctx, NULL);
    enum sca_status st = x509 ? SCA_PROTOCOL : SCA_NOMEM;
    if (x509 && der.len <= CERTIFICATE_MAX && d2i_X509(&x509, &end, (long)der.len))
        st = read_usage(x509, ret_may_sign);
    if (st == SCA_PROTOCOL && crypto_lacked_memory(before))
        st = SCA_NOMEM;
    (void)ERR_pop_to_mark();
    return st;
}

enum sca_status certificate_may_sign(OSSL_LIB_CTX *libctx, struct span der, bool *ret_may_sign)
{
    enum sca_status st = ask(libctx, der, ret_may_sign);

    /* Unreadable when that is said twice, as certificate_parse does. */
    if (st == SCA_PROTOCOL)
        st = ask(libctx, der, ret_may_sign);
    return st == SCA_NOMEM ? st : SCA_OK;
}
