/* SPDX-License-Identifier: Apache-2.0 */
/* P9: what ten thousand signatures, and a hundred C_Initialize and C_Finalize, leave behind in the
 * memory of a process that has done some of them before. */
#include "remote/base/cleanup.h"
#include "tests/bench/account.h"
#include "tests/bench/footprint.h"
#include "tests/bench/sign.h"

enum { SIGNS_BEFORE = 1000, SIGNS = 10000, CYCLES_BEFORE = 200, CYCLES = 100, ROUNDS = 3 };

/* A module, and what it does. */
struct local {
    struct subject subject;
    struct signing signing;
};

static void local_begin(void *arg)
{
    struct local *local = arg;
    local->subject.p11 = bench_load(local->subject.path);
    subject_choose(&local->subject, "keys");
    local->signing.subject = &local->subject;
}

static void local_before_signs(void *arg)
{
    struct local *local = arg;
    local_begin(local);
    subject_open(&local->subject);
    subject_login(&local->subject);
    sign_times(&local->signing, SIGNS_BEFORE);
}

static void local_signs(void *arg)
{
    const struct local *local = arg;
    sign_times(&local->signing, SIGNS);
}

/* A search as well: it makes the module read the token. */
static void local_cycle(struct subject *subject)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
    subject_open(subject);
    bench_need(subject_find(subject, subject->session, template, 1, NULL, 0) == 1,
               "there is not one certificate");
    subject_finalize(subject);
}

static void local_before_cycles(void *arg)
{
    struct local *local = arg;
    local_begin(local);
    for (int i = 0; i < CYCLES_BEFORE; i++)
        local_cycle(&local->subject);
}

static void local_cycles(void *arg)
{
    struct local *local = arg;
    for (int i = 0; i < CYCLES; i++)
        local_cycle(&local->subject);
}

static void account_before_signs(void *arg)
{
    account_open(arg);
    for (int i = 0; i < SIGNS_BEFORE; i++)
        account_sign(arg);
}

static void account_signs(void *arg)
{
    for (int i = 0; i < SIGNS; i++)
        account_sign(arg);
}

static void account_cycle(struct account *account)
{
    account_start(account);
    account_sign(account);
    account_close(account);
}

static void account_before_cycles(void *arg)
{
    account_open(arg);
    account_close(arg);
    for (int i = 0; i < CYCLES_BEFORE; i++)
        account_cycle(arg);
}

static void account_cycles(void *arg)
{
    for (int i = 0; i < CYCLES; i++)
        account_cycle(arg);
}

/* Three rounds: memory is not a matter of how busy the machine is. */
static void print_growth(const char *target, const char *name, void (*prepare)(void *),
                         void (*work)(void *), void *arg)
{
    struct series series;
    series_init(&series, "P9", target, "KiB of memory more after %s", name);
    for (unsigned i = 0; i < ROUNDS; i++)
        series_add(&series, footprint_of(prepare, work, arg).rss_kb);
    series_print(&series);
}

static const struct {
    const char *target;
    const char *name;
    size_t subject; /* of subjects_describe */
    const struct signature_kind *kind;
} local_cases[] = {
    {"<= 64", "10000 RSA-2048 signatures", 0, &signature_rsa},
    {"<= 64", "10000 P-256 signatures", 0, &signature_ec},
    {"<= 64", "100 C_Initialize and C_Finalize", 0, NULL},
    {"KiB", "10000 P-256 signatures: SoftHSM2", 1, &signature_ec},
    {"KiB", "100 C_Initialize and C_Finalize: SoftHSM2", 1, NULL},
};

void bench_growth(const struct bench *bench)
{
    struct subject subjects[SUBJECTS];
    subjects_describe(bench, subjects);
    for (size_t i = 0; i < ARRAY_LEN(local_cases); i++) {
        struct local local = {.subject = subjects[local_cases[i].subject],
                              .signing = {.kind = local_cases[i].kind}};
        bool signs = local_cases[i].kind != NULL;
        print_growth(local_cases[i].target, local_cases[i].name,
                     signs ? local_before_signs : local_before_cycles,
                     signs ? local_signs : local_cycles, &local);
    }
}

void bench_growth_account(const struct bench *bench)
{
    struct account account;
    account_init(&account, bench, 0);
    print_growth("<= 64", "10000 SmartCA signatures", account_before_signs, account_signs,
                 &account);
    print_growth("<= 64", "100 C_Initialize and C_Finalize with a SmartCA signature each",
                 account_before_cycles, account_cycles, &account);
}
