/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_tool MODULE NAME COUNT: signs the texts "NAME 0", "NAME 1" ... with the first slot's key,
 * each on a thread of its own. One line on standard output for each, written at once: "TEXT ok" if
 * the signature verifies, "TEXT 0x..." with C_Sign's code, "TEXT wrong". Exit 0 if all are ok.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

enum { COUNT_MAX = 64, SIGNATURE_MAX = 512, SLOTS_MAX = 16 };

static CK_FUNCTION_LIST *p11;
static CK_SLOT_ID slot;

struct job {
    pthread_t thread;
    char text[64];
    bool is_ok;
};

static void require(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    (void)fprintf(stderr, "%s: 0x%lx\n", what, rv);
    exit(1);
}

static CK_OBJECT_HANDLE find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_ULONG count = 0;

    require(p11->C_FindObjectsInit(session, template, 1), "C_FindObjectsInit");
    require(p11->C_FindObjects(session, &object, 1, &count), "C_FindObjects");
    require(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    return object;
}

static void tell(const char *text, CK_RV rv, bool is_right)
{
    char line[128];
    int len = rv != CKR_OK
                  ? snprintf(line, sizeof(line), "%s 0x%lx\n", text, rv)
                  : snprintf(line, sizeof(line), "%s %s\n", text, is_right ? "ok" : "wrong");

    if (write(STDOUT_FILENO, line, (size_t)len) != len)
        exit(1);
}

static void *sign(void *arg)
{
    struct job *job = arg;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE *text = (CK_BYTE *)job->text;
    CK_BYTE signature[SIGNATURE_MAX];
    CK_ULONG len = sizeof(signature);
    CK_SESSION_HANDLE session;

    require(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
    require(p11->C_SignInit(session, &mechanism, find(session, CKO_PRIVATE_KEY)), "C_SignInit");
    CK_RV rv = p11->C_Sign(session, text, strlen(job->text), signature, &len);
    if (rv == CKR_OK) {
        require(p11->C_VerifyInit(session, &mechanism, find(session, CKO_PUBLIC_KEY)),
                "C_VerifyInit");
        job->is_ok = p11->C_Verify(session, text, strlen(job->text), signature, len) == CKR_OK;
    }
    tell(job->text, rv, job->is_ok);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct job jobs[COUNT_MAX];
    CK_C_GetFunctionList get = NULL;
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG slot_count = SLOTS_MAX;
    int bad = 0;

    long count = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    void *library = count > 0 && count <= COUNT_MAX ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (library)
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    require(get ? get(&p11) : CKR_ARGUMENTS_BAD, "batch_tool MODULE NAME COUNT");
    require(p11->C_Initialize(NULL), "C_Initialize");
    require(p11->C_GetSlotList(CK_TRUE, slots, &slot_count), "C_GetSlotList");
    slot = slots[0];
    for (long i = 0; i < count; i++) {
        (void)snprintf(jobs[i].text, sizeof(jobs[i].text), "%s %ld", argv[2], i);
        if (pthread_create(&jobs[i].thread, NULL, sign, &jobs[i]) != 0)
            exit(1);
    }
    for (long i = 0; i < count; i++) {
        (void)pthread_join(jobs[i].thread, NULL);
        bad += !jobs[i].is_ok;
    }
    require(p11->C_Finalize(NULL), "C_Finalize");
    return bad != 0;
}
