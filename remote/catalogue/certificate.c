/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/certificate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/wording.h"

enum {
    OWNED_MAX = 9,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192,
    EXPONENT_MIN = 65537,
    EXPONENT_BITS_MAX = 64,
};

struct parsed_certificate {
    struct certificate view;
    uint8_t *owned[OWNED_MAX]; /* each from OpenSSL's allocator */
    size_t owned_count;
    uint8_t id[CERTIFICATE_ID_SIZE];
};

void parsed_certificate_free(struct parsed_certificate *parsed)
{
    if (!parsed)
        return;
    for (size_t i = 0; i < parsed->owned_count; i++)
        OPENSSL_free(parsed->owned[i]);
    free(parsed);
}

void parsed_certificate_freep(struct parsed_certificate **parsed)
{
    parsed_certificate_free(*parsed);
    *parsed = NULL;
}

const struct certificate *parsed_certificate_get(const struct parsed_certificate *parsed)
{
    return &parsed->view;
}

static void x509_freep(X509 **x509)
{
    X509_free(*x509);
}

static void bio_freep(BIO **bio)
{
    (void)BIO_free(*bio);
}

static void libctx_freep(OSSL_LIB_CTX **libctx)
{
    OSSL_LIB_CTX_free(*libctx);
}

static void bn_freep(BIGNUM **number)
{
    BN_free(*number);
}

/* Takes bytes over; len as i2d functions return it. False for a failure of theirs. */
static bool own(struct parsed_certificate *parsed, uint8_t *take_bytes, int len,
                struct span *ret_span)
{
    if (len < 0 || !take_bytes)
        return false;
    parsed->owned[parsed->owned_count++] = take_bytes;
    *ret_span = span_of(take_bytes, (size_t)len);
    return true;
}

static const char *take_slices(struct parsed_certificate *parsed, const X509 *x509)
{
    struct certificate *view = &parsed->view;
    uint8_t *subject = NULL;
    uint8_t *issuer = NULL;
    uint8_t *serial = NULL;
    uint8_t *spki = NULL;
    int subject_len = i2d_X509_NAME(X509_get_subject_name(x509), &subject);
    int issuer_len = i2d_X509_NAME(X509_get_issuer_name(x509), &issuer);
    int serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &serial);
    int spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki);

    bool is_whole = own(parsed, subject, subject_len, &view->subject);
    is_whole &= own(parsed, issuer, issuer_len, &view->issuer);
    is_whole &= own(parsed, serial, serial_len, &view->serial);
    is_whole &= own(parsed, spki, spki_len, &view->spki);
    return is_whole ? NULL : wording("a part of it cannot be encoded");
}

/* RFC 5280 section 4.2.1.2, method 1. */
static const char *take_id(struct parsed_certificate *parsed, OSSL_LIB_CTX *libctx,
                           const X509 *x509)
{
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(x509);
    size_t len = 0;

    if (!bits ||
        !EVP_Q_digest(libctx, "SHA1", NULL, ASN1_STRING_get0_data(bits),
                      (size_t)ASN1_STRING_length(bits), parsed->id, &len) ||
        len != CERTIFICATE_ID_SIZE)
        return wording("its key cannot be hashed");
    parsed->view.id = span_of(parsed->id, len);
    return NULL;
}

static bool own_number(struct parsed_certificate *parsed, const BIGNUM *number,
                       struct span *ret_span)
{
    uint8_t *bytes = OPENSSL_malloc((size_t)BN_num_bytes(number) + 1);
    if (!bytes)
        ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE); /* certificate_parse looks there */
    return bytes && own(parsed, bytes, BN_bn2bin(number, bytes), ret_span);
}

static const char *take_rsa(struct parsed_certificate *parsed, const EVP_PKEY *key)
{
    AUTO(bn_freep) BIGNUM *modulus = NULL;
    AUTO(bn_freep) BIGNUM *exponent = NULL;

    if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) ||
        !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent))
        return wording("its RSA key cannot be read");
    if (BN_num_bits(modulus) < RSA_BITS_MIN || BN_num_bits(modulus) > RSA_BITS_MAX ||
        !BN_is_odd(modulus))
        return wording("its RSA key has not 2048 to 8192 bits");
    if (!BN_is_odd(exponent) || BN_num_bits(exponent) > EXPONENT_BITS_MAX ||
        BN_get_word(exponent) < EXPONENT_MIN)
        return wording("its RSA exponent is not an odd number from 65537 on");
    bool is_whole = own_number(parsed, modulus, &parsed->view.modulus);
    is_whole &= own_number(parsed, exponent, &parsed->view.exponent);
    return is_whole ? NULL : wording("no memory for its key");
}

static const char *check_ec(const EVP_PKEY *key)
{
    static const char *const curves[] = {"prime256v1", "secp384r1", "secp521r1"};
    char curve[64] = "";
    char encoding[32] = "";

    (void)EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof(curve),
                                         NULL);
    (void)EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, encoding,
                                         sizeof(encoding), NULL);
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (strcmp(curve, curves[i]) == 0 && strcmp(encoding, "named_curve") == 0)
            return NULL;
    return wording("its curve is not P-256, P-384 or P-521");
}

static const char *take_key(struct parsed_certificate *parsed, const X509 *x509)
{
    const EVP_PKEY *key = X509_get0_pubkey(x509);

    if (!key)
        return wording("its key cannot be read");
    if (EVP_PKEY_is_a(key, "RSA"))
        return take_rsa(parsed, key);
    return EVP_PKEY_is_a(key, "EC") ? check_ec(key) : wording("its key is neither RSA nor EC");
}

static bool take_time(const ASN1_TIME *time, int64_t *ret_seconds)
{
    struct tm parts;

    if (!time || !ASN1_TIME_to_tm(time, &parts))
        return false;
    *ret_seconds = timegm(&parts);
    return true;
}

/* What steers terminals and dialogs becomes '?': the name is shown in them. */
static size_t tidy(uint8_t *text, size_t len)
{
    size_t put = 0;

    for (size_t i = 0; i < len; i++) {
        size_t hidden = utf8_unprintable(span_of(text + i, len - i));
        text[put++] = hidden ? '?' : text[i];
        i += hidden ? hidden - 1 : 0;
    }
    return put;
}

/* The whole subject, where it has no common name. */
static const char *take_rfc2253(struct parsed_certificate *parsed, const X509_NAME *subject)
{
    AUTO(bio_freep) BIO *out = BIO_new(BIO_s_mem());
    const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    char *text = NULL;

    if (!out || X509_NAME_print_ex(out, subject, 0, flags) < 0)
        return wording("its subject cannot be shown");
    long len = BIO_get_mem_data(out, &text);
    if (len <= 0)
        return NULL;
    uint8_t *copy = OPENSSL_memdup(text, (size_t)len);
    if (!copy)
        return wording("no memory for its subject");
    size_t tidy_len = tidy(copy, (size_t)len);
    return own(parsed, copy, (int)tidy_len, &parsed->view.common_name) ? NULL
                                                                       : wording("no memory");
}

/* The last one, the most specific where there are several. */
static const char *take_common_name(struct parsed_certificate *parsed, const X509 *x509)
{
    const X509_NAME *subject = X509_get_subject_name(x509);
    int last = -1;
    uint8_t *text = NULL;

    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        last = at;
    if (last < 0)
        return take_rfc2253(parsed, subject);
    const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, last);
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    if (len < 0)
        return wording("its common name cannot be read");
    size_t tidy_len = tidy(text, (size_t)len);
    if (!own(parsed, text, (int)tidy_len, &parsed->view.common_name))
        return wording("its common name cannot be read");
    return utf8_is_valid(parsed->view.common_name) ? NULL : wording("its common name is no text");
}

/* RFC 5280 section 4.1: DER, so encoding what was read gives the same bytes. */
static bool is_same_der(const X509 *x509, struct span der)
{
    uint8_t *again = NULL;
    int len = i2d_X509(x509, &again);
    bool is_same = len >= 0 && span_equal(span_of(again, (size_t)len), der);

    OPENSSL_free(again);
    return is_same;
}

/* ret_is_x509: what is wrong, if anything is, is behind the ASN.1. */
static const char *fill(struct parsed_certificate *parsed, OSSL_LIB_CTX *libctx, struct span der,
                        bool *ret_is_x509)
{
    AUTO(x509_freep) X509 *x509 = X509_new_ex(libctx, NULL);
    const uint8_t *end = der.ptr;

    if (!x509 || der.len == 0 || der.len > CERTIFICATE_MAX)
        return x509 ? wording("it is empty or larger than 16 KiB") : wording("no memory for it");
    if (!d2i_X509(&x509, &end, (long)der.len))
        return wording("it is not an X.509 certificate in DER");
    if (end != der.ptr + der.len || !is_same_der(x509, der))
        return wording("it is not exactly one certificate in DER");
    *ret_is_x509 = true;
    if (!own(parsed, OPENSSL_memdup(der.ptr, der.len), (int)der.len, &parsed->view.der))
        return wording("no memory for it");
    if (!take_time(X509_get0_notBefore(x509), &parsed->view.not_before) ||
        !take_time(X509_get0_notAfter(x509), &parsed->view.not_after))
        return wording("its validity cannot be read");
    const char *why = take_slices(parsed, x509);
    why = why ? why : take_id(parsed, libctx, x509);
    why = why ? why : take_key(parsed, x509);
    return why ? why : take_common_name(parsed, x509);
}

static enum sca_status parse(OSSL_LIB_CTX *libctx, struct span der,
                             struct parsed_certificate **ret_parsed, const char **why,
                             bool *ret_is_x509)
{
    AUTO(parsed_certificate_freep) struct parsed_certificate *parsed = calloc(1, sizeof(*parsed));

    *why = wording("no memory for it");
    if (!parsed)
        return SCA_NOMEM;
    /* The queue of errors is the host's as well: it finds there what it left. */
    unsigned long before = ERR_peek_last_error();
    (void)ERR_set_mark();
    *why = fill(parsed, libctx, der, ret_is_x509);
    bool lacked_memory = *why && crypto_lacked_memory(before);
    (void)ERR_pop_to_mark();
    if (*why)
        return lacked_memory ? SCA_NOMEM : SCA_PROTOCOL;
    *ret_parsed = TAKE(parsed);
    return SCA_OK;
}

enum sca_status certificate_parse(OSSL_LIB_CTX *libctx, struct span der,
                                  struct parsed_certificate **ret_parsed, const char **why)
{
    AUTO(libctx_freep) OSSL_LIB_CTX *fresh = NULL;
    bool is_x509 = false;

    enum sca_status st = parse(libctx, der, ret_parsed, why, &is_x509);
    if (st != SCA_PROTOCOL)
        return st;
    /* OpenSSL forgets that it had no memory for a key, and calls it unreadable; where it had none
     * for its list of algorithms, it does so as long as the context lives. A certificate is left
     * out when it is said twice, the second time by a context of its own. */
    if (is_x509)
        fresh = OSSL_LIB_CTX_new();
    return parse(fresh ? fresh : libctx, der, ret_parsed, why, &is_x509);
}

/* The bytes of a DER INTEGER behind its header; all of them where that makes no sense. */
static struct span integer_content(struct span der)
{
    enum { SHORT_HEADER = 2, LONG_FORM = 0x80 };
    size_t header = SHORT_HEADER;

    if (der.len > 1 && der.ptr[1] > LONG_FORM)
        header += der.ptr[1] & 0x7f;
    return header < der.len ? span_of(der.ptr + header, der.len - header) : der;
}

const char *certificate_serial_hex(struct span serial_der, char out[static CERTIFICATE_SERIAL_HEX])
{
    enum { BYTES_MAX = (CERTIFICATE_SERIAL_HEX - 1) / 2 };
    struct span content = integer_content(serial_der);

    if (content.len > 1 && content.ptr[0] == 0)
        content = span_of(content.ptr + 1, content.len - 1);
    if (content.len > BYTES_MAX)
        content.len = 0; /* no certificate has that: RFC 5280 section 4.1.2.2 ends at 20 bytes */
    hex_encode(content, out);
    return out;
}

void certificate_serial_text(struct span serial_der, char out[static CERTIFICATE_SERIAL_TEXT])
{
    enum { SHOWN = (CERTIFICATE_SERIAL_TEXT - 1) / 2 };
    struct span content = integer_content(serial_der);
    size_t shown = content.len < SHOWN ? content.len : SHOWN;

    memset(out, '0', CERTIFICATE_SERIAL_TEXT - 1);
    if (content.len > shown)
        content = span_of(content.ptr + (content.len - shown), shown);
    hex_encode(content, out + 2 * (SHOWN - shown));
}
