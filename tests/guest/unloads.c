/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host that loads and unloads the module, with signatures pending, with and without C_Finalize,
 * from several threads.
 *   unloads COUNT
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/guest/judge.h"

enum { THREADS = 4, TEXT_LEN = 96 };

typedef CK_RV (*get_list)(CK_FUNCTION_LIST **list);

static void *load(CK_FUNCTION_LIST **ret_list)
{
    get_list get = NULL;
    void *library = dlopen(getenv("GUEST_MODULE"), RTLD_NOW | RTLD_LOCAL);
    if (!library)
        host_fail("dlopen: %s", dlerror());
    *(void **)&get = dlsym(library, "C_GetFunctionList");
    host_must(get(ret_list), "C_GetFunctionList");
    return library;
}

/* An asynchronous signature that is begun, and never asked for again. */
static void begin(unsigned number)
{
    static CK_BYTE signature[HOST_SIGNATURE_MAX]; /* the module may write to it until the end */
    static CK_ULONG len;
    char text[TEXT_LEN];
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    len = sizeof(signature);
    host_text(text, sizeof(text), "unload", number);
    host_must(host_open(HOST_SMARTCA, CKF_ASYNC_SESSION, &session), "C_OpenSession");
    host_must(host_sign_init(HOST_SMARTCA, session), "C_SignInit");
    CK_RV rv = p11->C_Sign(session, (CK_BYTE *)text, sizeof(text), signature, &len);
    if (rv != CKR_PENDING)
        host_fail("an asynchronous C_Sign returned 0x%lx", rv);
    host_must(host_open(HOST_USB, 0, &session), "C_OpenSession");
    host_must(host_login(session), "C_Login");
    host_must(host_sign_init(HOST_USB, session), "C_SignInit");
}

static void one_round(unsigned number)
{
    CK_FUNCTION_LIST *list = NULL;
    void *library = load(&list);
    CK_RV rv = list->C_Initialize(NULL);
    bool was_left = rv == CKR_CRYPTOKI_ALREADY_INITIALIZED; /* the module stays, and its state */
    if (rv != CKR_OK && !(was_left && number % 2 == 1))
        host_fail("C_Initialize returned 0x%lx in round %u", rv, number);
    host_load();
    host_find_slots();
    begin(number);
    if (number % 2 == 1)
        host_must(list->C_Finalize(NULL), "C_Finalize");
    if (dlclose(library) != 0)
        host_fail("dlclose: %s", dlerror());
}

static atomic_uint left;

/* Others initialise and finish at the same time: no code is looked at but that of the first call.
 */
static void *come_and_go(void *arg)
{
    (void)arg;
    while (atomic_fetch_sub(&left, 1) > THREADS) {
        CK_FUNCTION_LIST *list = NULL;
        CK_INFO info;
        CK_ULONG count = 0;
        void *library = load(&list);
        CK_RV rv = list->C_Initialize(NULL);
        if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
            host_fail("C_Initialize returned 0x%lx", rv);
        (void)list->C_GetInfo(&info);
        (void)list->C_GetSlotList(CK_TRUE, NULL, &count);
        (void)list->C_Finalize(NULL);
        (void)dlclose(library);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4;
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < count; i++)
        one_round(i);
    atomic_store(&left, count + THREADS);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, come_and_go, NULL) != 0)
            host_fail("no thread");
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);

    /* After all that it works. */
    host_load();
    (void)p11->C_Finalize(NULL);
    host_start();
    judge_start();
    for (enum host_slot slot = 0; slot < HOST_SLOTS; slot++)
        host_sign_once(slot, "after all that");
    return 0;
}
