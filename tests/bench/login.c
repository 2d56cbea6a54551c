/* SPDX-License-Identifier: Apache-2.0 */
/* P21: C_Login against the bare key derivation at the cost that PINs get in this build. */
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "tests/bench/subject.h"

static void derive(void)
{
    char pin[] = SUBJECT_PIN;
    unsigned char salt[32] = {1};
    unsigned char key[32];
    uint64_t n = (uint64_t)1 << SMARTCA_PIN_COST;
    uint64_t memory = (n + 64) * 1024 * 2;
    uint32_t r = 8;
    uint32_t p = 1;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, pin, sizeof(pin) - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof(salt)),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
        OSSL_PARAM_construct_end()};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    bench_need(EVP_KDF_derive(ctx, key, sizeof(key), params) == 1, "scrypt failed");
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static struct stopwatch time_login(const struct subject *subject)
{
    struct stopwatch watch = stopwatch_start();
    subject_login(subject);
    watch = stopwatch_stop(&watch);
    bench_check(subject->p11->C_Logout(subject->session), "C_Logout");
    return watch;
}

static struct stopwatch time_derive(void)
{
    struct stopwatch watch = stopwatch_start();
    derive();
    return stopwatch_stop(&watch);
}

void bench_login(const struct bench *bench)
{
    struct subject subjects[SUBJECTS];
    struct rounds rounds = {0};
    struct series wall;
    struct series cpu;
    struct series own;
    struct series hsm;
    series_init(&wall, "P21", "<= 1.05", "C_Login over bare scrypt at cost %d", SMARTCA_PIN_COST);
    series_init(&cpu, "P21", "<= 1.05", "C_Login over bare scrypt by CPU time");
    series_init(&own, "P21", "ms", "C_Login: ours");
    series_init(&hsm, "P21", "ms", "C_Login: SoftHSM2");
    subjects_load(bench, subjects);
    for (int i = 0; i < SUBJECTS; i++) {
        subject_choose(&subjects[i], "keys");
        subject_open(&subjects[i]);
    }
    while (rounds_next(&rounds)) {
        struct stopwatch mine = time_login(&subjects[0]);
        struct stopwatch other = time_login(&subjects[1]);
        struct stopwatch limit = time_derive();
        if (!rounds_count(&rounds, stopwatch_was_disturbed(&limit)))
            continue;
        series_add(&wall, (double)mine.wall / (double)limit.wall);
        series_add(&cpu, (double)mine.cpu / (double)limit.cpu);
        series_add(&own, (double)mine.wall / 1e6);
        series_add(&hsm, (double)other.wall / 1e6);
    }
    series_print(&wall);
    series_print(&cpu);
    series_print(&own);
    series_print(&hsm);
    for (int i = 0; i < SUBJECTS; i++)
        subject_finalize(&subjects[i]);
}
