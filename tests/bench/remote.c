/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C_Sign against the same two requests made with bare libcurl. BENCH_OTP: of an account without the
 * phone, whose one-time password that is, typed for each signature (otp_login = context).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bare.h"
#include "tests/bench/bench.h"

enum { SIGNS_PER_ROUND = 60 };

static char *otp(void)
{
    static char *text;
    return text ? text : (text = getenv("BENCH_OTP"));
}

static void module_sign(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                        unsigned number)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[512];
    CK_ULONG len = sizeof(signature);
    CK_BYTE data[sizeof(number)];
    memcpy(data, &number, sizeof(number));
    bench_check(p11->C_SignInit(session, &mechanism, key), "C_SignInit");
    if (otp())
        bench_check(p11->C_Login(session, CKU_CONTEXT_SPECIFIC, (CK_UTF8CHAR *)otp(), 6),
                    "C_Login");
    bench_check(p11->C_Sign(session, data, sizeof(data), signature, &len), "C_Sign");
}

static CK_SESSION_HANDLE open_session(CK_FUNCTION_LIST *p11, CK_OBJECT_HANDLE *ret_key)
{
    CK_SLOT_ID slots[4];
    CK_ULONG count = 4;
    CK_SESSION_HANDLE session;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};

    bench_check(p11->C_Initialize(NULL), "C_Initialize");
    bench_check(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    bench_check(p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &session),
                "C_OpenSession");
    if (otp())
        bench_check(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR *)otp(), 6), "C_Login");
    bench_check(p11->C_FindObjectsInit(session, template, 1), "C_FindObjectsInit");
    bench_check(p11->C_FindObjects(session, ret_key, 1, &count), "C_FindObjects");
    bench_check(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    return session;
}

/* What performance.md asks for at that delay. */
static const struct {
    const char *delay;
    const char *ratio;
    const char *cpu;
} targets[] = {{"0", "ratio", "<= 35"},
               {"1", "<= 1.05", "us"},
               {"5", "<= 1.03", "us"},
               {"20", "<= 1.01", "us"}};

static void name_series(const char *delay, struct series *ratio, struct series *cpu)
{
    const char *ratio_target = "ratio";
    const char *cpu_target = "us";
    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++)
        if (strcmp(targets[i].delay, delay) == 0) {
            ratio_target = targets[i].ratio;
            cpu_target = targets[i].cpu;
        }
    const char *what = otp() ? "C_Sign (v2)" : "C_Sign";
    series_init(ratio, "P5", ratio_target, "%s over bare libcurl at %s ms: time", what, delay);
    series_init(cpu, "P6", cpu_target, "%s over bare libcurl at %s ms: CPU us more", what, delay);
}

/* What count signatures take this thread. */
struct lanes {
    CK_FUNCTION_LIST *p11;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    struct bare *bare;
    unsigned number;
};

static struct stopwatch time_bare(struct lanes *lanes, unsigned count)
{
    struct stopwatch watch = stopwatch_start();
    for (unsigned i = 0; i < count; i++)
        bare_sign(lanes->bare, lanes->number++);
    return stopwatch_stop(&watch);
}

static struct stopwatch time_module(struct lanes *lanes, unsigned count)
{
    struct stopwatch watch = stopwatch_start();
    for (unsigned i = 0; i < count; i++)
        module_sign(lanes->p11, lanes->session, lanes->key, lanes->number++);
    return stopwatch_stop(&watch);
}

void bench_remote(const char *ours, const char *service, const char *ca_file, const char *delay)
{
    struct series ratio;
    struct series cpu;
    struct lanes lanes = {.p11 = bench_load(ours)};

    lanes.session = open_session(lanes.p11, &lanes.key);
    name_series(delay, &ratio, &cpu);
    lanes.bare = bare_new(service, ca_file, otp());
    (void)time_module(&lanes, 1); /* connections are open from here on */
    (void)time_bare(&lanes, 1);
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        bench_wait_for_calm();
        struct stopwatch bare = time_bare(&lanes, SIGNS_PER_ROUND);
        struct stopwatch module = time_module(&lanes, SIGNS_PER_ROUND);
        series_add(&ratio, (double)module.wall / (double)bare.wall);
        series_add(&cpu, ((double)module.cpu - (double)bare.cpu) / SIGNS_PER_ROUND / 1000);
    }
    series_print(&ratio);
    series_print(&cpu);
    bench_check(lanes.p11->C_Finalize(NULL), "C_Finalize");
    bare_free(lanes.bare);
}

/* How many signatures in so many seconds, by the module or by bare libcurl; for several processes.
 */
void bench_rate(const char *ours, const char *service, const char *ca_file, const char *seconds)
{
    struct lanes lanes = {.p11 = NULL};
    uint64_t until = stopwatch_start().wall + strtoull(seconds, NULL, 10) * 1000000000u;
    bool is_bare = strcmp(ours, "bare") == 0;

    if (is_bare) {
        lanes.bare = bare_new(service, ca_file, otp());
    } else {
        lanes.p11 = bench_load(ours);
        lanes.session = open_session(lanes.p11, &lanes.key);
    }
    lanes.number = (unsigned)getpid() << 16; /* no two processes sign the same */
    unsigned first = lanes.number;
    while (stopwatch_start().wall < until)
        (void)(is_bare ? time_bare(&lanes, 1) : time_module(&lanes, 1));
    printf("%u\n", lanes.number - first);
    bare_free(lanes.bare);
    if (lanes.p11)
        bench_check(lanes.p11->C_Finalize(NULL), "C_Finalize");
}
