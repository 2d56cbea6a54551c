/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/http/trust.h"

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/lock.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { CA_FILE_MAX = 4 * 1024 * 1024 };

struct trust {
    struct trust *next;
    char *ca_file; /* NULL: the system */
    OSSL_LIB_CTX *libctx;
    X509_STORE *store;
};

/* Held while a file is parsed, so that callers that come together parse it once. */
static struct lock trust_lock = LOCK_INITIALIZER(LOCK_LEAF);
static struct trust *trusts;

static void trust_free(struct trust *trust)
{
    X509_STORE_free(trust->store);
    free(trust->ca_file);
    free(trust);
}

/* A key under a passphrase may be in the same file: nobody is asked for it. */
static int no_passphrase(char *text, int size, int is_writing, void *arg)
{
    (void)text;
    (void)size;
    (void)is_writing;
    (void)arg;
    return -1;
}

static bool store_add_pem(X509_STORE *store, struct span pem, OSSL_LIB_CTX *libctx)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    STACK_OF(X509_INFO) *infos =
        bio ? PEM_X509_INFO_read_bio_ex(bio, NULL, no_passphrase, NULL, libctx, NULL) : NULL;
    int count = 0;

    for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
        X509 *cert = sk_X509_INFO_value(infos, i)->x509;
        if (cert && X509_STORE_add_cert(store, cert) == 1)
            count++;
    }
    sk_X509_INFO_pop_free(infos, X509_INFO_free);
    BIO_free(bio);
    return count > 0;
}

static enum sca_status store_add_file(struct call *call, struct trust *trust)
{
    AUTO(buf_fini) struct buf pem;
    const char *why = "";

    enum sca_status st = file_read_trusted(trust->ca_file, FILE_NOT_WRITABLE_BY_OTHERS, CA_FILE_MAX,
                                           false, &pem, &why);
    if (st != SCA_OK)
        return call_fail(call, st == SCA_NOMEM ? SCA_NOMEM : SCA_INVALID,
                         "ca_file %s cannot be used: %s", trust->ca_file, why);
    if (!store_add_pem(trust->store, buf_span(&pem), trust->libctx))
        return call_fail(call, SCA_INVALID,
                         "ca_file %s holds no PEM certificate: give the CA of the service",
                         trust->ca_file);
    /* Whoever names an intermediate certificate in ca_file means it. */
    (void)X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN);
    return SCA_OK;
}

/* Whether the folder has links named by hash, as c_rehash makes them: "5ad8a5d6.0". */
static bool dir_is_hashed(const char *path)
{
    DIR *dir = opendir(path);
    bool is_hashed = false;

    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry && !is_hashed;
         entry = readdir(dir))
        is_hashed =
            strspn(entry->d_name, "0123456789abcdef") == 8 && strcmp(entry->d_name + 8, ".0") == 0;
    if (dir)
        (void)closedir(dir);
    return is_hashed;
}

/*
 * Not X509_STORE_set_default_paths: it follows SSL_CERT_FILE and SSL_CERT_DIR of the environment.
 * A folder by hash is looked into when a chain asks for a name, which spares 20 ms of parsing the
 * bundle; systems without one have the bundle alone.
 */
static void store_add_system(struct trust *trust)
{
    if (dir_is_hashed(X509_get_default_cert_dir()))
        (void)X509_STORE_load_path(trust->store, X509_get_default_cert_dir());
    else
        (void)X509_STORE_load_file_ex(trust->store, X509_get_default_cert_file(), trust->libctx,
                                      NULL);
}

static enum sca_status trust_fill(struct trust *trust, struct call *call, const char *ca_file)
{
    trust->store = X509_STORE_new();
    trust->ca_file = ca_file ? strdup(ca_file) : NULL;
    if (!trust->store || (ca_file && !trust->ca_file))
        return call_fail(call, SCA_NOMEM, "out of memory for CA certificates");
    if (ca_file)
        return store_add_file(call, trust);
    store_add_system(trust);
    return SCA_OK;
}

/* NULL on failure, the reason then in ret_status. */
static struct trust *trust_new(struct call *call, const char *ca_file, OSSL_LIB_CTX *libctx,
                               enum sca_status *ret_status)
{
    struct trust *trust = calloc(1, sizeof(*trust));

    if (!trust) {
        *ret_status = call_fail(call, SCA_NOMEM, "out of memory for CA certificates");
        return NULL;
    }
    trust->libctx = libctx;
    ERR_set_mark();
    *ret_status = trust_fill(trust, call, ca_file);
    ERR_pop_to_mark();
    if (*ret_status != SCA_OK) {
        trust_free(trust);
        return NULL;
    }
    return trust;
}

static bool trust_is_for(const struct trust *trust, const char *ca_file, OSSL_LIB_CTX *libctx)
{
    if (trust->libctx != libctx || !trust->ca_file != !ca_file)
        return false;
    return !ca_file || strcmp(trust->ca_file, ca_file) == 0;
}

static enum sca_status trust_get_locked(struct call *call, const char *ca_file,
                                        OSSL_LIB_CTX *libctx, X509_STORE **ret_store)
{
    for (struct trust *trust = trusts; trust; trust = trust->next)
        if (trust_is_for(trust, ca_file, libctx)) {
            *ret_store = trust->store;
            return SCA_OK;
        }

    enum sca_status st = SCA_OK;
    struct trust *trust = trust_new(call, ca_file, libctx, &st);
    if (!trust)
        return st;
    trust->next = trusts;
    trusts = trust;
    *ret_store = trust->store;
    return SCA_OK;
}

enum sca_status trust_get(struct call *call, const char *ca_file, OSSL_LIB_CTX *libctx,
                          X509_STORE **ret_store)
{
    lock_take(&trust_lock);
    enum sca_status st = trust_get_locked(call, ca_file, libctx, ret_store);
    lock_drop(&trust_lock);
    return st;
}

void trust_abandon(void)
{
    lock_init(&trust_lock, LOCK_LEAF);
    trusts = NULL;
}
