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
static bool may_sign(const X509 *x509)
{
    enum { ABSENT = -1 };
    int how = 0;
    ASN1_BIT_STRING *usage = X509_get_ext_d2i(x509, NID_key_usage, &how, NULL);

    if (!usage)
        return how == ABSENT;
    bool is_for_it = ASN1_BIT_STRING_get_bit(usage, DIGITAL_SIGNATURE) ||
                     ASN1_BIT_STRING_get_bit(usage, NON_REPUDIATION);
    ASN1_BIT_STRING_free(usage);
    return is_for_it;
}

enum sca_status certificate_may_sign(OSSL_LIB_CTX *libctx, struct span der, bool *ret_may_sign)
{
    AUTO(x509_freep) X509 *x509 = NULL;
    const uint8_t *end = der.ptr;

    /* The queue of errors is the host's as well: it finds there what it left. */
    unsigned long before = ERR_peek_last_error();
    (void)ERR_set_mark();
    x509 = X509_new_ex(libctx, NULL);
    bool is_read = x509 && der.len <= CERTIFICATE_MAX && d2i_X509(&x509, &end, (long)der.len);
    bool is_for_it = is_read && may_sign(x509);
    bool lacked_memory = !is_for_it && crypto_lacked_memory(before);
    (void)ERR_pop_to_mark();
    if (lacked_memory)
        return SCA_NOMEM;
    *ret_may_sign = is_for_it || !is_read;
    return SCA_OK;
}
