/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/sign.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

enum { INPUT_MAX = 256, SIGNATURE_MAX = 512, WHILE_NS = 400 * 1000 * 1000 };

const struct signature_kind signature_rsa = {"RSA-2048", "rsa.pem", CKK_RSA, CKM_SHA256_RSA_PKCS,
                                             256,        true,      16,      ">= 2.2"};
const struct signature_kind signature_ec = {"P-256", "ec.pem", CKK_EC, CKM_ECDSA,
                                            32,      false,    256,    ">= 2.6"};

EVP_PKEY *sign_read_key(const struct bench *bench, const struct signature_kind *kind)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/keys/%s", bench->stores, kind->key_file);
    FILE *file = fopen(path, "re");
    bench_need(file != NULL, path);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    (void)fclose(file);
    bench_need(key != NULL, path);
    return key;
}

/* What one thread signs with; contexts are made once, as a fast program would. */
struct hand {
    const struct signing *signing;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE object;
    EVP_PKEY *key;
    EVP_PKEY_CTX *ctx;
    EVP_MD_CTX *md_ctx;
    EVP_MD *md;
    CK_BYTE input[INPUT_MAX];
};

static void hand_find_key(struct hand *hand)
{
    const struct subject *subject = hand->signing->subject;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = hand->signing->kind->key_type;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)},
                               {CKA_KEY_TYPE, &type, sizeof(type)}};
    hand->session = subject_session(subject);
    bench_need(subject_find(subject, hand->session, template, 2, &hand->object, 1) == 1,
               "there is not one such key");
}

static void hand_make_contexts(struct hand *hand)
{
    /* Two threads that share an EC key wait for each other: each has its own, as bench/README.md
     * takes the limit to be. */
    hand->key = EVP_PKEY_dup(hand->signing->key);
    hand->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, hand->key, NULL);
    hand->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    hand->md_ctx = EVP_MD_CTX_new();
    bench_need(hand->md && hand->md_ctx && EVP_PKEY_sign_init(hand->ctx) == 1, "no context");
    if (!hand->signing->kind->is_hashed)
        return;
    bench_need(EVP_PKEY_CTX_set_rsa_padding(hand->ctx, RSA_PKCS1_PADDING) == 1 &&
                   EVP_PKEY_CTX_set_signature_md(hand->ctx, hand->md) == 1 &&
                   EVP_DigestInit_ex2(hand->md_ctx, hand->md, NULL) == 1,
               "no RSA context");
}

static void hand_init(struct hand *hand, const struct signing *signing)
{
    *hand = (struct hand){.signing = signing};
    memset(hand->input, 0x5a, sizeof(hand->input));
    if (signing->key)
        hand_make_contexts(hand);
    else
        hand_find_key(hand);
}

static void hand_fini(struct hand *hand)
{
    if (!hand->signing->key) {
        bench_check(hand->signing->subject->p11->C_CloseSession(hand->session), "C_CloseSession");
        return;
    }
    EVP_PKEY_CTX_free(hand->ctx);
    EVP_MD_CTX_free(hand->md_ctx);
    EVP_MD_free(hand->md);
    EVP_PKEY_free(hand->key);
}

static void sign_with_module(struct hand *hand)
{
    CK_FUNCTION_LIST *p11 = hand->signing->subject->p11;
    CK_MECHANISM mechanism = {hand->signing->kind->mechanism, NULL, 0};
    CK_BYTE signature[SIGNATURE_MAX];
    CK_ULONG len = sizeof(signature);
    bench_check(p11->C_SignInit(hand->session, &mechanism, hand->object), "C_SignInit");
    bench_check(
        p11->C_Sign(hand->session, hand->input, hand->signing->kind->input_len, signature, &len),
        "C_Sign");
}

static void sign_with_evp(struct hand *hand)
{
    const struct signature_kind *kind = hand->signing->kind;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char signature[SIGNATURE_MAX];
    const unsigned char *input = hand->input;
    size_t input_len = kind->input_len;
    size_t len = sizeof(signature);
    unsigned digest_len = 0;
    bool is_fine = true;
    if (kind->is_hashed) {
        is_fine = EVP_DigestInit_ex2(hand->md_ctx, NULL, NULL) == 1 &&
                  EVP_DigestUpdate(hand->md_ctx, input, input_len) == 1 &&
                  EVP_DigestFinal_ex(hand->md_ctx, digest, &digest_len) == 1;
        input = digest;
        input_len = digest_len;
    }
    bench_need(is_fine && EVP_PKEY_sign(hand->ctx, signature, &len, input, input_len) == 1,
               "EVP_PKEY_sign failed");
}

static void sign_once(struct hand *hand)
{
    hand->input[0]++;
    if (hand->signing->key)
        sign_with_evp(hand);
    else
        sign_with_module(hand);
}

struct worker {
    const struct signing *signing;
    pthread_barrier_t *start;
    pthread_t thread;
    uint64_t count;
    struct stopwatch spent;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    const unsigned batch = worker->signing->kind->batch;
    struct hand hand;
    hand_init(&hand, worker->signing);
    for (unsigned i = 0; i < batch; i++)
        sign_once(&hand);
    (void)pthread_barrier_wait(worker->start);
    struct stopwatch watch = stopwatch_start();
    do {
        for (unsigned i = 0; i < batch; i++)
            sign_once(&hand);
        worker->count += batch;
        worker->spent = stopwatch_stop(&watch);
    } while (worker->spent.wall < WHILE_NS);
    hand_fini(&hand);
    return NULL;
}

struct speed sign_for_a_while(const struct signing *signing, unsigned threads)
{
    struct worker workers[SIGN_THREADS_MAX] = {0};
    struct speed speed = {0};
    struct stopwatch sum = {0};
    pthread_barrier_t start;
    uint64_t count = 0;

    bench_need(pthread_barrier_init(&start, NULL, threads) == 0, "no barrier");
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){.signing = signing, .start = &start};
        bench_need(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "no thread");
    }
    for (unsigned i = 0; i < threads; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        speed.per_second += (double)workers[i].count * 1e9 / (double)workers[i].spent.wall;
        sum.wall += workers[i].spent.wall;
        sum.cpu += workers[i].spent.cpu;
        count += workers[i].count;
    }
    (void)pthread_barrier_destroy(&start);
    speed.cpu_ns = (double)sum.cpu / (double)count;
    speed.was_disturbed = stopwatch_was_disturbed(&sum);
    return speed;
}

void sign_times(const struct signing *signing, unsigned long times)
{
    struct hand hand;
    hand_init(&hand, signing);
    for (unsigned long i = 0; i <= times; i++)
        sign_once(&hand);
    hand_fini(&hand);
}
