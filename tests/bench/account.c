/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/account.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OTP_LEN = 6 };

void account_init(struct account *account, const struct bench *bench, unsigned first_number)
{
    *account = (struct account){.bench = bench, .number = first_number};
}

static void login(const struct account *account, CK_USER_TYPE user)
{
    CK_UTF8CHAR otp[OTP_LEN + 1];
    if (!account->bench->otp)
        return;
    (void)snprintf((char *)otp, sizeof(otp), "%s", account->bench->otp);
    bench_check(account->p11->C_Login(account->session, user, otp, OTP_LEN), "C_Login");
}

void account_start(struct account *account)
{
    CK_FUNCTION_LIST *p11 = account->p11;
    CK_SLOT_ID slots[4];
    CK_ULONG count = 4;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};

    bench_check(p11->C_Initialize(NULL), "C_Initialize");
    bench_check(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    bench_check(p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &account->session),
                "C_OpenSession");
    login(account, CKU_USER);
    bench_check(p11->C_FindObjectsInit(account->session, template, 1), "C_FindObjectsInit");
    bench_check(p11->C_FindObjects(account->session, &account->key, 1, &count), "C_FindObjects");
    bench_need(count == 1, "the account has no key");
    bench_check(p11->C_FindObjectsFinal(account->session), "C_FindObjectsFinal");
}

void account_open(struct account *account)
{
    account->p11 = bench_load(account->bench->ours);
    account_start(account);
}

void account_sign(struct account *account)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[512];
    CK_ULONG len = sizeof(signature);
    CK_BYTE data[sizeof(account->number)];

    memcpy(data, &account->number, sizeof(data));
    account->number++;
    bench_check(account->p11->C_SignInit(account->session, &mechanism, account->key), "C_SignInit");
    login(account, CKU_CONTEXT_SPECIFIC);
    bench_check(account->p11->C_Sign(account->session, data, sizeof(data), signature, &len),
                "C_Sign");
}

void account_close(struct account *account)
{
    bench_check(account->p11->C_Finalize(NULL), "C_Finalize");
}

/* Everything is bound at once, as the module does it: lazily would be faster, but what is
 * missing then ends the host. */
static const struct bare_ops *load_bare(void)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - sizeof(BARE_FILE) - 1);
    bench_need(len > 0, "the program's folder");
    path[len] = 0;
    strcpy(strrchr(path, '/') + 1, BARE_FILE);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct bare_ops *ops = library ? dlsym(library, BARE_SYMBOL) : NULL;
    bench_need(ops != NULL, path);
    return ops;
}

void account_bare_open(struct account *account)
{
    account->ops = load_bare();
    account->bare = account->ops->make(account->bench);
}

void account_bare_sign(struct account *account)
{
    account->ops->sign(account->bare, account->number++);
}

void account_bare_close(struct account *account)
{
    account->ops->end(account->bare);
}
