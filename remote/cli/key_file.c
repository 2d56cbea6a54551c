/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/key_file.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/cli/x509_read.h"

/* Guessing a password costs a tenth of a second. */
enum { ITERATIONS = 200000, SALT_SIZE = 16, CERTIFICATES_MAX = 32 };

void key_file_fini(struct key_file *file)
{
    EVP_PKEY_free(file->key);
    X509_free(file->x509);
    sk_X509_pop_free(file->others, X509_free);
    *file = (struct key_file){0};
}

static void bio_freep(BIO **bio)
{
    BIO_free_all(*bio);
}

static bool contains(struct span bytes, const char *text)
{
    return memmem(bytes.len ? bytes.ptr : (const uint8_t *)"", bytes.len, text, strlen(text));
}

static bool is_pem(struct span bytes)
{
    return contains(bytes, "-----BEGIN ");
}

static bool has_pem_key(struct span bytes)
{
    return contains(bytes, "PRIVATE KEY-----");
}

bool key_file_wants_password(struct span bytes)
{
    if (!is_pem(bytes))
        return bytes.len > 0;
    return contains(bytes, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
           contains(bytes, "Proc-Type: 4,ENCRYPTED");
}

/* What OpenSSL asks instead of a terminal. */
static int give_password(char *out, int size, int is_writing, void *arg)
{
    const struct secret *password = *(const struct secret *const *)arg;
    struct span bytes = password ? secret_get(password) : span_of(NULL, 0);

    (void)is_writing;
    if (!password || bytes.len > (size_t)size)
        return -1;
    memcpy(out, bytes.ptr, bytes.len);
    return (int)bytes.len;
}

static bool keep(struct key_file *file, X509 *take_x509)
{
    if (!file->others)
        file->others = sk_X509_new_null();
    if (file->others && sk_X509_num(file->others) < CERTIFICATES_MAX &&
        sk_X509_push(file->others, take_x509) > 0)
        return true;
    X509_free(take_x509);
    return false;
}

static void read_pem(struct span bytes, const struct secret *password, struct key_file *file)
{
    AUTO(bio_freep) BIO *keys = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    AUTO(bio_freep) BIO *certificates = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    bool goes_on = keys && certificates;

    if (!goes_on)
        return;
    file->key =
        PEM_read_bio_PrivateKey_ex(keys, NULL, give_password, &password, crypto_libctx(), NULL);
    while (goes_on) {
        X509 *x509 = X509_new_ex(crypto_libctx(), NULL);
        goes_on = x509 && PEM_read_bio_X509(certificates, &x509, NULL, NULL);
        if (goes_on)
            goes_on = keep(file, x509);
        else
            X509_free(x509);
    }
}

/* NULL if it is none. */
static PKCS12 *parse_pkcs12(struct span bytes)
{
    PKCS12 *container = PKCS12_init_ex(NID_pkcs7_data, crypto_libctx(), NULL);
    const unsigned char *at = bytes.ptr;

    return container ? d2i_PKCS12(&container, &at, (long)bytes.len) : NULL;
}

static void read_pkcs12(struct span bytes, const struct secret *password, struct key_file *file)
{
    PKCS12 *container = parse_pkcs12(bytes);
    X509 *x509 = NULL;

    if (container &&
        PKCS12_parse(container, password ? (const char *)secret_get(password).ptr : "", &file->key,
                     &x509, &file->others) == 1 &&
        x509)
        (void)keep(file, x509);
    PKCS12_free(container);
}

/*
 * RFC 7292 appendix C: what programs before OpenSSL 3 sealed containers with. 3DES still opens; of
 * RC2 and RC4 OpenSSL has no more than its legacy provider, which is not loaded here.
 */
static bool is_obsolete(const PKCS12 *container)
{
    static const int ciphers[] = {NID_pbe_WithSHA1And128BitRC4, NID_pbe_WithSHA1And40BitRC4,
                                  NID_pbe_WithSHA1And128BitRC2_CBC,
                                  NID_pbe_WithSHA1And40BitRC2_CBC};
    STACK_OF(PKCS7) *parts = PKCS12_unpack_authsafes(container);
    bool is_found = false;

    for (int i = 0; i < sk_PKCS7_num(parts); i++) {
        const PKCS7 *part = sk_PKCS7_value(parts, i);
        if (OBJ_obj2nid(part->type) != NID_pkcs7_encrypted)
            continue;
        int used = OBJ_obj2nid(part->d.encrypted->enc_data->algorithm->algorithm);
        for (size_t j = 0; j < ARRAY_LEN(ciphers); j++)
            is_found |= used == ciphers[j];
    }
    sk_PKCS7_pop_free(parts, PKCS7_free);
    return is_found;
}

/* Why there is no key: what can be told without opening it comes before the password. */
static bool explain(struct span bytes, struct trouble *trouble)
{
    PKCS12 *container = is_pem(bytes) ? NULL : parse_pkcs12(bytes);
    bool is_container = container;
    bool was_obsolete = container && is_obsolete(container);

    PKCS12_free(container);
    if (is_pem(bytes) && !has_pem_key(bytes))
        return trouble_say(trouble, "invalid",
                           _("put the private key into the same file, or take a PKCS#12 file"),
                           "%s", _("the file has no private key, only certificates"));
    if (!is_pem(bytes) && !is_container)
        return trouble_say(trouble, "invalid", _("check the name of the file"), "%s",
                           _("the file is neither PEM nor PKCS#12"));
    if (was_obsolete)
        return trouble_say(
            trouble, "unsupported",
            _("openssl pkcs12 -legacy -in OLD.p12 -out NEW.pem, then import NEW.pem"), "%s",
            _("the file is encrypted in an obsolete way (RC2 or RC4)"));
    return trouble_say(trouble, "invalid", _("check the file and its password"), "%s",
                       _("the file has no private key that the password opens"));
}

/* The certificate of the key comes out of the others. */
static bool pick(struct key_file *file)
{
    for (int i = 0; i < sk_X509_num(file->others); i++) {
        if (X509_check_private_key(sk_X509_value(file->others, i), file->key) != 1)
            continue;
        file->x509 = sk_X509_delete(file->others, i);
        return true;
    }
    return false;
}

bool key_file_parse(struct span bytes, const struct secret *password, struct key_file *ret_file,
                    struct trouble *trouble)
{
    AUTO(key_file_fini) struct key_file file = {0};

    if (bytes.len == 0 || bytes.len > KEY_FILE_MAX)
        return trouble_say(trouble, "invalid", _("check the name of the file"), "%s",
                           _("the file is empty or too large"));
    if (is_pem(bytes))
        read_pem(bytes, password, &file);
    else
        read_pkcs12(bytes, password, &file);
    if (!file.key)
        return explain(bytes, trouble);
    if (!pick(&file))
        return trouble_say(trouble, "invalid", _("put the certificate into the same file"), "%s",
                           _("the file has no certificate of its private key"));
    *ret_file = file;
    file = (struct key_file){0};
    return true;
}

static bool cannot_make(struct trouble *trouble)
{
    return trouble_say(trouble, "unknown", _("smartca doctor tells more"), "%s",
                       _("OpenSSL cannot make the file"));
}

static bool take_bio(BIO *bio, struct buf *ret_bytes)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);

    return len > 0 && buf_append(ret_bytes, span_of(bytes, (size_t)len)) == SCA_OK;
}

bool key_file_to_pkcs12(const struct key_file *file, const char *name,
                        const struct secret *password, struct buf *ret_bytes,
                        struct trouble *trouble)
{
    AUTO(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());

    buf_init(ret_bytes, KEY_FILE_MAX, true);
    PKCS12 *container =
        PKCS12_create_ex((const char *)secret_get(password).ptr, name, file->key, file->x509,
                         file->others, 0, 0, ITERATIONS, ITERATIONS, 0, crypto_libctx(), NULL);
    bool is_made =
        bio && container && i2d_PKCS12_bio(bio, container) == 1 && take_bio(bio, ret_bytes);
    PKCS12_free(container);
    return is_made || cannot_make(trouble);
}

static X509_SIG *encrypt(EVP_PKEY *key, const struct secret *password)
{
    struct span bytes = secret_get(password);
    unsigned char salt[SALT_SIZE];
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(crypto_libctx(), "AES-256-CBC", NULL);
    X509_SIG *sealed = NULL;

    if (plain && cipher && RAND_bytes_ex(crypto_libctx(), salt, sizeof(salt), 0) == 1)
        sealed = PKCS8_encrypt_ex(-1, cipher, (const char *)bytes.ptr, (int)bytes.len, salt,
                                  sizeof(salt), ITERATIONS, plain, crypto_libctx(), NULL);
    EVP_CIPHER_free(cipher);
    PKCS8_PRIV_KEY_INFO_free(plain);
    return sealed;
}

bool key_file_to_pkcs8(EVP_PKEY *key, const struct secret *password, struct buf *ret_bytes,
                       struct trouble *trouble)
{
    AUTO(bio_freep) BIO *bio = BIO_new(BIO_s_mem());

    buf_init(ret_bytes, KEY_FILE_MAX, true);
    X509_SIG *sealed = encrypt(key, password);
    bool is_made =
        bio && sealed && PEM_write_bio_PKCS8(bio, sealed) == 1 && take_bio(bio, ret_bytes);
    X509_SIG_free(sealed);
    return is_made || cannot_make(trouble);
}

bool key_file_certificate(X509 *x509, bool is_pem_wanted, struct buf *ret_bytes,
                          struct trouble *trouble)
{
    AUTO(bio_freep) BIO *bio = BIO_new(BIO_s_mem());

    buf_init(ret_bytes, KEY_FILE_MAX, false);
    int is_written = 0;
    if (bio)
        is_written = is_pem_wanted ? PEM_write_bio_X509(bio, x509) : i2d_X509_bio(bio, x509);
    return (is_written == 1 && take_bio(bio, ret_bytes)) || cannot_make(trouble);
}
