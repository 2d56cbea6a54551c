/* SPDX-License-Identifier: Apache-2.0 */
/* P4, and the system calls of P12 and P16: work for strace, which is run twice with different
 * numbers, so that everything but the work itself cancels out. */
#include <stdlib.h>
#include <string.h>

#include "tests/bench/sign.h"

static void repeat_signatures(struct subject *subject, const struct signature_kind *kind,
                              unsigned long times)
{
    struct signing signing = {.kind = kind, .subject = subject};
    subject_login(subject);
    sign_times(&signing, times);
}

static void repeat_raw(const struct bench *bench, const struct signature_kind *kind,
                       unsigned long times)
{
    struct signing signing = {.kind = kind, .key = sign_read_key(bench, kind)};
    sign_times(&signing, times);
    EVP_PKEY_free(signing.key);
}

static void repeat_info(const struct subject *subject, unsigned long times)
{
    CK_SESSION_INFO info;
    for (unsigned long i = 0; i < times; i++)
        bench_check(subject->p11->C_GetSessionInfo(subject->session, &info), "C_GetSessionInfo");
}

static void repeat_slots(const struct subject *subject, unsigned long times)
{
    CK_ULONG count = 0;
    for (unsigned long i = 0; i < times; i++)
        bench_check(subject->p11->C_GetSlotList(CK_TRUE, NULL, &count), "C_GetSlotList");
}

/* Wrong PINs, each another one, because one that is repeated is not counted again; then the right
 * one. Ten would lock the token. */
static void repeat_wrong_pins(const struct subject *subject, unsigned long times)
{
    CK_BYTE pin[] = "wrong PIN 0";
    bench_need(times < 10, "ten wrong PINs lock the token");
    for (unsigned long i = 0; i < times; i++) {
        pin[sizeof(pin) - 2]++;
        bench_need(subject->p11->C_Login(subject->session, CKU_USER, pin, sizeof(pin) - 1) ==
                       CKR_PIN_INCORRECT,
                   "a wrong PIN");
    }
    subject_login(subject);
}

void bench_repeat(const struct bench *bench)
{
    const char *module = bench->args[0];
    const char *what = bench->args[1];
    unsigned long times = strtoul(bench->args[2], NULL, 10);
    struct subject subjects[SUBJECTS];
    if (strcmp(module, "evp") == 0) {
        repeat_raw(bench, strcmp(what, "rsa") == 0 ? &signature_rsa : &signature_ec, times);
        return;
    }
    subjects_describe(bench, subjects);
    struct subject *subject = &subjects[strcmp(module, "softhsm") == 0];
    subject->p11 = bench_load(subject->path);
    subject_choose(subject, "keys");
    subject_open(subject);
    if (strcmp(what, "rsa") == 0)
        repeat_signatures(subject, &signature_rsa, times);
    else if (strcmp(what, "ec") == 0)
        repeat_signatures(subject, &signature_ec, times);
    else if (strcmp(what, "info") == 0)
        repeat_info(subject, times);
    else if (strcmp(what, "slots") == 0)
        repeat_slots(subject, times);
    else if (strcmp(what, "wrong") == 0)
        repeat_wrong_pins(subject, times);
    else
        bench_need(strcmp(what, "start") == 0, "unknown work");
    subject_finalize(subject);
}
