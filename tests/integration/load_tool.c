/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_tool MODULE: loads it, starts it, lists slots, ends it. Before each step it looks for a file
 * that is not there, "/step/NAME", which divides what strace(1) writes.
 */
#include <dlfcn.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

enum { SLOTS_MAX = 32 };

static void step(const char *name)
{
    (void)!access(name, F_OK);
}

int main(int argc, char **argv)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    CK_FUNCTION_LIST *p11 = NULL;
    CK_C_GetFunctionList get = NULL;

    step("/step/load");
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (library)
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (!get || get(&p11) != CKR_OK)
        return 2;
    step("/step/initialize");
    CK_RV rv = p11->C_Initialize(NULL);
    step("/step/list");
    if (rv == CKR_OK)
        rv = p11->C_GetSlotList(CK_TRUE, slots, &count);
    step("/step/finalize");
    if (rv == CKR_OK)
        rv = p11->C_Finalize(NULL);
    step("/step/unload");
    (void)dlclose(library);
    step("/step/exit");
    return rv == CKR_OK && count > 0 ? 0 : 1;
}
