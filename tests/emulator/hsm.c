/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/hsm.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <p11-kit/pkcs11.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/complain.h"
#include "tests/emulator/disk.h"

enum { SESSIONS_MAX = 32, DIGEST_INFO_MAX = 19 + 64 };

static const char TOKEN_LABEL[] = "smartca-emulator";
static const char PIN[] = "1234"; /* guards nothing: the token is test data in a folder of ours */

struct hsm {
    void *library;
    CK_FUNCTION_LIST *p11;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE keeper;             /* logged in; its life keeps the login of all others */
    pthread_mutex_t lock;                 /* guards the two below */
    CK_SESSION_HANDLE idle[SESSIONS_MAX]; /* a session does one thing at a time */
    size_t idle_count;
};

/* RFC 8017 section 9.2, note 1: what stands before the hash in a DigestInfo. */
static const struct digest_info {
    size_t hash_len;
    size_t prefix_len;
    uint8_t prefix[19];
} digest_infos[] = {
    {20,
     15,
     {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}},
    {32,
     19,
     {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
      0x05, 0x00, 0x04, 0x20}},
    {48,
     19,
     {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
      0x05, 0x00, 0x04, 0x30}},
    {64,
     19,
     {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03,
      0x05, 0x00, 0x04, 0x40}},
};

static enum sca_status refused(const char *what, CK_RV rv)
{
    if (rv == CKR_OK)
        return SCA_OK;
    complain("the SoftHSM token refused %s: 0x%lx", what, rv);
    return SCA_IO;
}

static enum sca_status configure(const char *dir)
{
    char tokens[DISK_PATH_MAX];
    char conf[DISK_PATH_MAX];
    char text[DISK_PATH_MAX + 128];
    if (disk_path(tokens, dir, "softhsm") != SCA_OK ||
        disk_path(conf, dir, "softhsm2.conf") != SCA_OK)
        return SCA_INVALID;
    if (disk_folder(tokens) != SCA_OK)
        return SCA_IO;
    int len = snprintf(text, sizeof(text),
                       "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
                       tokens);
    if (len < 0 || disk_write(conf, span_of(text, (size_t)len)) != SCA_OK)
        return SCA_IO;
    return setenv("SOFTHSM2_CONF", conf, 1) == 0 ? SCA_OK : SCA_NOMEM;
}

static enum sca_status load(struct hsm *hsm, const char *library)
{
    hsm->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!hsm->library) {
        complain("cannot load SoftHSM2 (see --softhsm): %s", dlerror());
        return SCA_IO;
    }
    CK_C_GetFunctionList get_list = NULL;
    void *symbol = dlsym(hsm->library, "C_GetFunctionList");
    memcpy(&get_list, &symbol, sizeof(get_list)); /* ISO C has no cast from object to function */
    if (!get_list || get_list(&hsm->p11) != CKR_OK) {
        complain("%s is not a PKCS#11 module", library);
        return SCA_IO;
    }
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    CK_RV rv = hsm->p11->C_Initialize(&args);
    if (rv != CKR_OK)
        hsm->p11 = NULL;
    return refused("C_Initialize", rv);
}

static void pad(CK_UTF8CHAR label[32])
{
    memset(label, ' ', 32);
    memcpy(label, TOKEN_LABEL, sizeof(TOKEN_LABEL) - 1);
}

/* The slot of our token; when there is none, the free slot that SoftHSM2 always offers last. */
static enum sca_status choose_slot(struct hsm *hsm, bool *ret_is_new)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = ARRAY_LEN(slots);
    CK_UTF8CHAR wanted[32];
    pad(wanted);
    CK_RV rv = hsm->p11->C_GetSlotList(CK_TRUE, slots, &count);
    if (rv != CKR_OK)
        return refused("C_GetSlotList", rv);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (hsm->p11->C_GetTokenInfo(slots[i], &info) != CKR_OK)
            continue;
        hsm->slot = slots[i];
        *ret_is_new = !(info.flags & CKF_TOKEN_INITIALIZED);
        if (!*ret_is_new && memcmp(info.label, wanted, sizeof(wanted)) == 0)
            return SCA_OK;
    }
    return refused("to show a slot", count > 0 ? CKR_OK : CKR_SLOT_ID_INVALID);
}

static enum sca_status open_session(struct hsm *hsm, CK_SESSION_HANDLE *ret_session)
{
    return refused("C_OpenSession",
                   hsm->p11->C_OpenSession(hsm->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
                                           NULL, ret_session));
}

static enum sca_status login(struct hsm *hsm, CK_USER_TYPE who)
{
    CK_UTF8CHAR pin[sizeof(PIN)];
    memcpy(pin, PIN, sizeof(PIN));
    return refused("C_Login", hsm->p11->C_Login(hsm->keeper, who, pin, sizeof(PIN) - 1));
}

static enum sca_status initialise_token(struct hsm *hsm)
{
    CK_UTF8CHAR pin[sizeof(PIN)];
    CK_UTF8CHAR label[32];
    memcpy(pin, PIN, sizeof(PIN));
    pad(label);
    CK_RV rv = hsm->p11->C_InitToken(hsm->slot, pin, sizeof(PIN) - 1, label);
    if (rv != CKR_OK)
        return refused("C_InitToken", rv);
    bool is_new = true;
    enum sca_status status =
        choose_slot(hsm, &is_new); /* SoftHSM2 moves a new token to a new slot */
    if (status == SCA_OK)
        status = open_session(hsm, &hsm->keeper);
    if (status == SCA_OK)
        status = login(hsm, CKU_SO);
    if (status == SCA_OK)
        status = refused("C_InitPIN", hsm->p11->C_InitPIN(hsm->keeper, pin, sizeof(PIN) - 1));
    if (status == SCA_OK)
        status = refused("C_CloseSession", hsm->p11->C_CloseSession(hsm->keeper));
    return status;
}

static enum sca_status open_token(struct hsm *hsm)
{
    bool is_new = true;
    enum sca_status status = choose_slot(hsm, &is_new);
    if (status == SCA_OK && is_new)
        status = initialise_token(hsm);
    if (status == SCA_OK)
        status = open_session(hsm, &hsm->keeper);
    return status == SCA_OK ? login(hsm, CKU_USER) : status;
}

enum sca_status hsm_open(const char *library, const char *dir, struct hsm **ret_hsm)
{
    AUTO(hsm_closep) struct hsm *hsm = calloc(1, sizeof(*hsm));
    if (!hsm)
        return SCA_NOMEM;
    (void)pthread_mutex_init(&hsm->lock, NULL); /* cannot fail on Linux */
    enum sca_status status = configure(dir);
    if (status == SCA_OK)
        status = load(hsm, library);
    if (status == SCA_OK)
        status = open_token(hsm);
    if (status != SCA_OK)
        return status;
    *ret_hsm = TAKE(hsm);
    return SCA_OK;
}

void hsm_close(struct hsm *hsm)
{
    if (!hsm)
        return;
    if (hsm->p11)
        (void)hsm->p11->C_Finalize(NULL); /* closes every session; nothing to do about a refusal */
    /* The library stays mapped: it registered clean-up of its own that runs when the process ends.
     */
    (void)pthread_mutex_destroy(&hsm->lock);
    free(hsm);
}

void hsm_closep(struct hsm **hsm)
{
    hsm_close(*hsm);
}

static enum sca_status borrow_session(struct hsm *hsm, CK_SESSION_HANDLE *ret_session)
{
    bool has_idle = false;
    (void)pthread_mutex_lock(&hsm->lock);
    if (hsm->idle_count > 0) {
        has_idle = true;
        *ret_session = hsm->idle[--hsm->idle_count];
    }
    (void)pthread_mutex_unlock(&hsm->lock);
    return has_idle ? SCA_OK : open_session(hsm, ret_session);
}

static void return_session(struct hsm *hsm, CK_SESSION_HANDLE session)
{
    bool is_kept = false;
    (void)pthread_mutex_lock(&hsm->lock);
    if (hsm->idle_count < SESSIONS_MAX) {
        is_kept = true;
        hsm->idle[hsm->idle_count++] = session;
    }
    (void)pthread_mutex_unlock(&hsm->lock);
    if (!is_kept)
        (void)hsm->p11->C_CloseSession(session);
}

static CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, void *value, size_t len)
{
    return (CK_ATTRIBUTE){.type = type, .pValue = value, .ulValueLen = len};
}

/* CKR_OK and 0 when there is none. */
static CK_RV find(struct hsm *hsm, CK_SESSION_HANDLE session, CK_ATTRIBUTE *template,
                  CK_OBJECT_HANDLE *ret_object)
{
    CK_ULONG count = 0;
    CK_OBJECT_HANDLE object = 0;
    CK_RV rv = hsm->p11->C_FindObjectsInit(session, template, 2);
    if (rv != CKR_OK)
        return rv;
    rv = hsm->p11->C_FindObjects(session, &object, 1, &count);
    (void)hsm->p11->C_FindObjectsFinal(session);
    if (rv == CKR_OK)
        *ret_object = count > 0 ? object : 0;
    return rv;
}

struct pair {
    CK_OBJECT_HANDLE private_key;
    CK_OBJECT_HANDLE public_key;
};

static CK_RV find_pair(struct hsm *hsm, CK_SESSION_HANDLE session, CK_ATTRIBUTE label,
                       struct pair *ret_pair)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {attribute(CKA_CLASS, &class, sizeof(class)), label};
    CK_RV rv = find(hsm, session, template, &ret_pair->private_key);
    class = CKO_PUBLIC_KEY;
    return rv == CKR_OK ? find(hsm, session, template, &ret_pair->public_key) : rv;
}

static CK_RV generate(struct hsm *hsm, CK_SESSION_HANDLE session, CK_ATTRIBUTE label,
                      struct pair *ret_pair)
{
    CK_MECHANISM mechanism = {.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN};
    CK_ULONG bits = (CK_ULONG)HSM_SIGNATURE_LEN * 8;
    CK_BYTE exponent[] = {1, 0, 1};
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE public_key[] = {
        attribute(CKA_MODULUS_BITS, &bits, sizeof(bits)),
        attribute(CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)),
        attribute(CKA_VERIFY, &yes, sizeof(yes)),
        attribute(CKA_TOKEN, &yes, sizeof(yes)),
        label,
    };
    CK_ATTRIBUTE private_key[] = {
        attribute(CKA_SIGN, &yes, sizeof(yes)),      attribute(CKA_TOKEN, &yes, sizeof(yes)),
        attribute(CKA_SENSITIVE, &yes, sizeof(yes)), attribute(CKA_PRIVATE, &yes, sizeof(yes)),
        attribute(CKA_EXTRACTABLE, &no, sizeof(no)), label,
    };
    return hsm->p11->C_GenerateKeyPair(session, &mechanism, public_key, ARRAY_LEN(public_key),
                                       private_key, ARRAY_LEN(private_key), &ret_pair->public_key,
                                       &ret_pair->private_key);
}

static void free_params(OSSL_PARAM **params)
{
    OSSL_PARAM_free(*params);
}

static void free_builder(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

static void free_number(BIGNUM **number)
{
    BN_free(*number);
}

static void free_context(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static EVP_PKEY *public_from_numbers(struct span modulus, struct span exponent)
{
    AUTO(free_number) BIGNUM *n = BN_bin2bn(modulus.ptr, (int)modulus.len, NULL);
    AUTO(free_number) BIGNUM *e = BN_bin2bn(exponent.ptr, (int)exponent.len, NULL);
    AUTO(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    AUTO(free_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    if (!n || !e || !builder || !context ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        return NULL;
    AUTO(free_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    if (!params || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return key;
}

static enum sca_status read_public(struct hsm *hsm, CK_SESSION_HANDLE session,
                                   CK_OBJECT_HANDLE object, EVP_PKEY **ret_public)
{
    CK_BYTE modulus[HSM_SIGNATURE_LEN];
    CK_BYTE exponent[8];
    CK_ATTRIBUTE wanted[] = {attribute(CKA_MODULUS, modulus, sizeof(modulus)),
                             attribute(CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent))};
    CK_RV rv = hsm->p11->C_GetAttributeValue(session, object, wanted, ARRAY_LEN(wanted));
    if (rv != CKR_OK)
        return refused("C_GetAttributeValue", rv);
    EVP_PKEY *key = public_from_numbers(span_of(modulus, wanted[0].ulValueLen),
                                        span_of(exponent, wanted[1].ulValueLen));
    if (!key)
        return SCA_NOMEM;
    *ret_public = key;
    return SCA_OK;
}

enum sca_status hsm_key_get(struct hsm *hsm, const char *label, struct hsm_key *ret_key,
                            EVP_PKEY **ret_public)
{
    CK_SESSION_HANDLE session = 0;
    struct pair pair = {0};
    char name[128];
    if (strlen(label) >= sizeof(name))
        return SCA_INVALID;
    (void)snprintf(name, sizeof(name), "%s", label);
    CK_ATTRIBUTE label_attribute = attribute(CKA_LABEL, name, strlen(name));
    enum sca_status status = borrow_session(hsm, &session);
    if (status != SCA_OK)
        return status;
    CK_RV rv = find_pair(hsm, session, label_attribute, &pair);
    if (rv == CKR_OK && (!pair.private_key || !pair.public_key))
        rv = generate(hsm, session, label_attribute, &pair);
    status = refused("a key pair", rv);
    if (status == SCA_OK)
        status = read_public(hsm, session, pair.public_key, ret_public);
    if (status == SCA_OK)
        ret_key->handle = pair.private_key;
    return_session(hsm, session);
    return status;
}

static enum sca_status digest_info(struct span hash, uint8_t out[DIGEST_INFO_MAX], size_t *ret_len)
{
    for (size_t i = 0; i < ARRAY_LEN(digest_infos); i++) {
        const struct digest_info *row = &digest_infos[i];
        if (row->hash_len != hash.len)
            continue;
        memcpy(out, row->prefix, row->prefix_len);
        memcpy(out + row->prefix_len, hash.ptr, hash.len);
        *ret_len = row->prefix_len + hash.len;
        return SCA_OK;
    }
    return SCA_INVALID;
}

enum sca_status hsm_sign(struct hsm *hsm, struct hsm_key key, struct span hash,
                         uint8_t ret_signature[HSM_SIGNATURE_LEN])
{
    CK_MECHANISM mechanism = {.mechanism = CKM_RSA_PKCS};
    CK_ULONG len = HSM_SIGNATURE_LEN;
    CK_SESSION_HANDLE session = 0;
    uint8_t info[DIGEST_INFO_MAX];
    size_t info_len = 0;
    enum sca_status status = digest_info(hash, info, &info_len);
    if (status == SCA_OK)
        status = borrow_session(hsm, &session);
    if (status != SCA_OK)
        return status;
    CK_RV rv = hsm->p11->C_SignInit(session, &mechanism, key.handle);
    if (rv == CKR_OK)
        rv = hsm->p11->C_Sign(session, info, info_len, ret_signature, &len);
    return_session(hsm, session);
    return refused("C_Sign", rv == CKR_OK && len != HSM_SIGNATURE_LEN ? CKR_DATA_LEN_RANGE : rv);
}
