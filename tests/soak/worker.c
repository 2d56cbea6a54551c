/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "tests/soak/signer.h"

enum { LEFT_MAX = 16, LAST_TRIES = 4, COOLDOWN_MS = 1100, CANCELLER_MS = 5 };

/* What a thread has: the documents it left lie here until the end, when it asks for them again. */
struct pursuit {
    struct signer signer;
    struct document left[LEFT_MAX];
    size_t left_count;
    unsigned made; /* documents so far */
    pthread_t thread;
};

struct team {
    struct pursuit pursuits[WORKER_SIGNERS];
    atomic_bool is_over;
};

bool slot_find(const struct world *world, const char *model, const char *label,
               CK_SLOT_ID *ret_slot)
{
    CK_SLOT_ID slots[16];
    CK_ULONG count = ARRAY_LEN(slots);
    CK_TOKEN_INFO info;
    if (world->p11->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
        return false;
    for (CK_ULONG i = 0; i < count; i++) {
        if (world->p11->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
            memcmp(info.model, model, strlen(model)) != 0 ||
            memcmp(info.label, label, strlen(label)) != 0)
            continue;
        *ret_slot = slots[i];
        return true;
    }
    return false;
}

EVP_PKEY *certificate_key(const struct world *world, const char *user_id)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/service/users/%s-1.pem", world->folder, user_id);
    FILE *file = fopen(path, "re");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    if (file)
        (void)fclose(file);
    return key;
}

bool signature_is_right(EVP_PKEY *key, const void *text, size_t len, const uint8_t *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_right = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestVerify(ctx, signature, SIGNATURE_LEN, text, len) == 1;
    EVP_MD_CTX_free(ctx);
    return is_right;
}

/* A text nobody has had before. */
static void document_make(struct pursuit *pursuit, struct document *ret_document)
{
    struct dice *dice = &pursuit->signer.dice;
    int head = snprintf(ret_document->text, TEXT_MAX, "document %u of signer %u of process %ld\n",
                        ++pursuit->made, pursuit->signer.number, (long)getpid());
    size_t more = dice_below(dice, TEXT_MAX - 128);
    ret_document->len = (size_t)head + more;
    for (size_t i = (size_t)head; i < ret_document->len; i++)
        ret_document->text[i] = (char)(' ' + dice_below(dice, 95));
    (void)SHA256((const unsigned char *)ret_document->text, ret_document->len,
                 ret_document->digest);
}

static void tell_end(const struct signer *signer, const struct document *document,
                     enum post_kind kind)
{
    struct post post = {.kind = kind, .desk = signer->number};
    memcpy(post.digest, document->digest, DIGEST_LEN);
    post_send(&post);
}

/* Is it an answer that somebody who asks in this manner has to reckon with? */
static bool is_expected(CK_RV rv, enum manner manner)
{
    bool is_cancelled = manner == MANNER_CANCELLED || manner == MANNER_ASYNC_CANCELLED;
    return rv == CKR_OK || rv == CKR_FUNCTION_REJECTED || rv == CKR_FUNCTION_FAILED ||
           rv == CKR_DEVICE_ERROR || (rv == CKR_FUNCTION_CANCELED && is_cancelled) ||
           (rv == RV_KILLED && manner == MANNER_CHILD_KILLED);
}

/* Asks once. True: the document is done. */
static bool try(struct pursuit *pursuit, const struct document *document, enum manner manner,
                bool gives_up)
{
    uint8_t signature[SIGNATURE_LEN] = {0};
    struct signer *signer = &pursuit->signer;
    CK_RV rv = signer_ask(signer, document, manner, signature);
    if (!is_expected(rv, manner))
        post_broken(signer->number, "%s returned 0x%lx", manner_name(manner), rv);
    if (rv == CKR_OK) {
        if (!signature_is_right(signer->public_key, document->text, document->len, signature))
            post_broken(signer->number, "%s: CKR_OK, but the signature is wrong",
                        manner_name(manner));
        tell_end(signer, document, POST_SIGNED);
        return true;
    }
    if (rv == CKR_FUNCTION_REJECTED && gives_up) {
        tell_end(signer, document, POST_GIVEN_UP);
        return true;
    }
    return false;
}

static bool is_running(const struct pursuit *pursuit)
{
    return atomic_load(&pursuit->signer.office->phase) == PHASE_RUN;
}

/* Until it is signed or rejected for good, left lying, or the time is over. */
static void pursue(struct pursuit *pursuit, const struct document *document)
{
    struct dice *dice = &pursuit->signer.dice;
    while (!try(pursuit, document, manner_choose(dice), dice_percent(dice, 50))) {
        bool has_room = pursuit->left_count < LEFT_MAX - 1;
        if (!is_running(pursuit) || (has_room && dice_percent(dice, 5))) {
            pursuit->left[pursuit->left_count++] = *document;
            return;
        }
        signer_rest(20 + dice_below(dice, 200));
    }
}

/* Nothing goes wrong any more, and the person confirms: each is there after a few words about
 * what had happened to it before. */
static void collect(struct pursuit *pursuit, const struct document *document)
{
    for (int i = 0; i < LAST_TRIES; i++) {
        if (try(pursuit, document, MANNER_PLAIN, false))
            return;
        signer_rest(COOLDOWN_MS);
    }
    post_broken(pursuit->signer.number, "a document cannot be had at the end");
}

static void *pursue_many(void *arg)
{
    struct pursuit *pursuit = arg;
    struct document document;
    while (is_running(pursuit)) {
        document_make(pursuit, &document);
        pursue(pursuit, &document);
    }
    for (size_t i = 0; i < pursuit->left_count; i++)
        collect(pursuit, &pursuit->left[i]);
    return NULL;
}

static void *cancel_many(void *arg)
{
    struct team *team = arg;
    while (!atomic_load(&team->is_over)) {
        for (size_t i = 0; i < WORKER_SIGNERS; i++)
            signer_cancel_if_due(&team->pursuits[i].signer);
        signer_rest(CANCELLER_MS);
    }
    return NULL;
}

static bool prepare(struct pursuit *pursuit, const struct job *job, unsigned number, EVP_PKEY *key)
{
    struct signer *signer = &pursuit->signer;
    *signer = (struct signer){
        .world = job->world,
        .office = job->office,
        .desk = &job->office->desks[number],
        .number = number,
        .dice = dice_of(job->seed, number + 1),
        .public_key = key,
    };
    if (pthread_mutex_init(&signer->lock, NULL) != 0 ||
        !slot_find(job->world, "SmartCA ", "SOAK MODULE", &signer->slot) ||
        job->world->p11->C_OpenSession(signer->slot, CKF_SERIAL_SESSION, NULL, NULL,
                                       &signer->session) != CKR_OK)
        return false;
    signer->key = world_key(job->world, signer->session, CKO_PRIVATE_KEY);
    return true;
}

static void work(struct team *team, const struct job *job)
{
    struct job local_job = *job;
    pthread_t local;
    pthread_t canceller;
    bool has_local = job->number == 0;
    int failed = pthread_create(&canceller, NULL, cancel_many, team);
    if (has_local)
        failed |= pthread_create(&local, NULL, local_run, &local_job);
    for (size_t i = 0; i < WORKER_SIGNERS; i++)
        failed |= pthread_create(&team->pursuits[i].thread, NULL, pursue_many, &team->pursuits[i]);
    if (failed) {
        post_broken(0, "a thread cannot be made");
        return;
    }
    for (size_t i = 0; i < WORKER_SIGNERS; i++)
        (void)pthread_join(team->pursuits[i].thread, NULL);
    if (has_local)
        (void)pthread_join(local, NULL);
    atomic_store(&team->is_over, true);
    (void)pthread_join(canceller, NULL);
}

int worker_run(const struct job *job)
{
    static struct team team;
    EVP_PKEY *key = certificate_key(job->world, SOAK_USER);
    CK_RV rv = job->world->p11->C_Initialize(NULL);
    bool is_ready = key && rv == CKR_OK;
    for (unsigned i = 0; is_ready && i < WORKER_SIGNERS; i++)
        is_ready = prepare(&team.pursuits[i], job, job->number * WORKER_SIGNERS + i, key);
    if (is_ready)
        work(&team, job);
    else
        post_broken(job->number * WORKER_SIGNERS, "the SmartCA slot cannot be opened");
    rv = job->world->p11->C_Finalize(NULL);
    if (rv != CKR_OK)
        post_broken(job->number * WORKER_SIGNERS, "C_Finalize returned 0x%lx", rv);
    EVP_PKEY_free(key);
    return is_ready ? 0 : 1;
}
