/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that signs with the key of the self-signed slot, while all the others wait. */
#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

#include "tests/soak/signer.h"
#include "tests/soak/worker.h"

/* scrypt takes half a second, ten with a sanitizer, and as many more as the machine is busy with.
 */
enum { LOCAL_LIMIT_MS = LATE_MS, LOGIN_LIMIT_MS = 60000, PAUSE_MS = 150, CERTIFICATE_MAX = 4096 };

struct local {
    const struct job *job;
    struct desk *desk;
    struct dice dice;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    EVP_PKEY *public_key;
};

static bool log_in(struct local *local)
{
    CK_UTF8CHAR pin[] = LOCAL_PIN;
    desk_begin(local->desk, "C_Login", LOGIN_LIMIT_MS);
    CK_RV rv =
        local->job->world->p11->C_Login(local->session, CKU_USER, pin, sizeof(LOCAL_PIN) - 1);
    desk_end(local->desk);
    if (rv != CKR_OK)
        post_broken(DESK_LOCAL, "C_Login returned 0x%lx", rv);
    return rv == CKR_OK;
}

static EVP_PKEY *read_certificate(const struct local *local)
{
    CK_BYTE value[CERTIFICATE_MAX];
    CK_ATTRIBUTE wanted = {CKA_VALUE, value, sizeof(value)};
    CK_OBJECT_HANDLE object = world_key(local->job->world, local->session, CKO_CERTIFICATE);
    if (local->job->world->p11->C_GetAttributeValue(local->session, object, &wanted, 1) != CKR_OK)
        return NULL;
    const unsigned char *der = value;
    X509 *certificate = d2i_X509(NULL, &der, (long)wanted.ulValueLen);
    EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    return key;
}

static bool open_slot(struct local *local)
{
    CK_SLOT_ID slot = 0;
    if (!slot_find(local->job->world, "Self-signed", LOCAL_USER, &slot) ||
        local->job->world->p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL,
                                              &local->session) != CKR_OK ||
        !log_in(local))
        return false;
    local->key = world_key(local->job->world, local->session, CKO_PRIVATE_KEY);
    local->public_key = read_certificate(local);
    return local->public_key != NULL;
}

static void sign(struct local *local)
{
    const CK_FUNCTION_LIST *p11 = local->job->world->p11;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE text[64];
    CK_BYTE signature[SIGNATURE_LEN] = {0};
    CK_ULONG len = sizeof(signature);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (CK_BYTE)dice_below(&local->dice, 256);

    desk_begin(local->desk, "C_Sign of the self-signed slot", LOCAL_LIMIT_MS);
    CK_RV rv = p11->C_SignInit(local->session, &mechanism, local->key);
    if (rv == CKR_OK)
        rv = p11->C_Sign(local->session, text, sizeof(text), signature, &len);
    desk_end(local->desk);

    struct post post = {.kind = POST_LOCAL, .desk = DESK_LOCAL};
    if (rv != CKR_OK)
        post_broken(DESK_LOCAL, "C_Sign of the self-signed slot returned 0x%lx", rv);
    else if (!signature_is_right(local->public_key, text, sizeof(text), signature))
        post_broken(DESK_LOCAL, "a signature of the self-signed slot is wrong");
    else
        post_send(&post);
}

void *local_run(void *arg)
{
    const struct job *job = arg;
    struct local local = {.job = job,
                          .desk = &job->office->desks[DESK_LOCAL],
                          .dice = dice_of(job->seed, DESK_LOCAL + 1)};
    if (!open_slot(&local)) {
        post_broken(DESK_LOCAL, "the self-signed slot cannot be opened");
        return NULL;
    }
    while (atomic_load(&job->office->phase) == PHASE_RUN) {
        sign(&local);
        signer_rest(PAUSE_MS);
        if (dice_below(&local.dice, 200) == 0 && job->world->p11->C_Logout(local.session) == CKR_OK)
            (void)log_in(&local);
    }
    EVP_PKEY_free(local.public_key);
    (void)job->world->p11->C_CloseSession(local.session);
    return NULL;
}
