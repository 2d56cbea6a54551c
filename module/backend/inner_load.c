/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/inner_load.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <p11-kit/p11-kit.h>

#include "remote/base/cleanup.h"

#define P11_KIT_FILE "libp11-kit.so.0"

/* Published without a lock: to load it twice at once is harmless. */
static struct {
    __typeof__(p11_kit_module_load) *load;
    __typeof__(p11_kit_module_release) *release;
    __typeof__(p11_kit_module_finalize) *finalize;
    __typeof__(p11_kit_message) *message;
    atomic_bool is_there;
} kit;

/* ISO C has no cast from dlsym's pointer to a function's. */
static bool find_function(void *library, const char *name, void *out, size_t size)
{
    void *symbol = dlsym(library, name);
    memcpy(out, &symbol, size);
    return symbol != NULL;
}

#define FIND(library, name)                                                                        \
    find_function(library, "p11_kit_" #name, &kit.KIT_##name, sizeof(kit.KIT_##name))
#define KIT_module_load     load
#define KIT_module_release  release
#define KIT_module_finalize finalize
#define KIT_message         message

static bool load_kit(char why[INNER_WHY_SIZE])
{
    if (atomic_load(&kit.is_there))
        return true;
    /* Kept for good: modules are loaded through it. */
    void *library = dlopen(P11_KIT_FILE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    bool is_there = library && FIND(library, module_load) && FIND(library, module_release) &&
                    FIND(library, module_finalize) && FIND(library, message);
    if (!is_there)
        (void)snprintf(why, INNER_WHY_SIZE, "%s cannot be loaded; install libp11-kit0",
                       P11_KIT_FILE);
    atomic_store(&kit.is_there, is_there);
    return is_there;
}

/* False if the list lacks what is needed. */
static bool copy_calls(struct inner *inner, char why[INNER_WHY_SIZE])
{
    const CK_FUNCTION_LIST *list = inner->list;
    const char *missing = NULL;

    if (list->version.major != 2 && list->version.major != 3) {
        (void)snprintf(why, INNER_WHY_SIZE, "it speaks PKCS#11 %u.%u, which nobody here does",
                       list->version.major, list->version.minor);
        return false;
    }
#define COPY(name) inner->name = list->C_##name;
#define NEED(name) missing = inner->name ? missing : "C_" #name;
    INNER_REQUIRED(COPY)
    INNER_OPTIONAL(COPY)
    INNER_REQUIRED(NEED)
#undef COPY
#undef NEED
    if (missing)
        (void)snprintf(why, INNER_WHY_SIZE, "it has no %s", missing);
    return !missing;
}

enum sca_status inner_load(struct inner *inner, char why[INNER_WHY_SIZE])
{
    if (!load_kit(why))
        return SCA_INVALID;
    inner->list = kit.load(inner->file.path, P11_KIT_MODULE_UNMANAGED);
    if (!inner->list) {
        const char *message = kit.message();
        (void)snprintf(why, INNER_WHY_SIZE, "it cannot be loaded: %s", message ? message : "?");
        return SCA_INVALID;
    }
    if (copy_calls(inner, why))
        return SCA_OK;
    inner_unload(inner);
    return SCA_INVALID;
}

void inner_unload(struct inner *inner)
{
    kit.release(inner->list);
    inner->list = NULL;
}

CK_RV inner_initialize(struct inner *inner)
{
    /* Not p11_kit_module_initialize: it gives NULL, which promises that there is one thread. */
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    CK_RV rv = inner->Initialize(&args);
    /* By the host, or in the parent of this process: it is as it should be. */
    inner->is_ours_to_end = rv == CKR_OK;
    return rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv;
}

CK_RV inner_finalize(struct inner *inner)
{
    if (!inner->is_ours_to_end)
        return CKR_FUNCTION_FAILED;
    inner->is_ours_to_end = false;
    return kit.finalize(inner->list);
}

bool inner_file_is_ours(const struct library_file *file)
{
    static const char proxy[] = P11_KIT_FILE; /* p11-kit-proxy.so is a link to it */
    const char *name = strrchr(file->path, '/');
    Dl_info own;
    struct stat info;

    if (name && strncmp(name + 1, proxy, sizeof(proxy) - 1) == 0)
        return true;
    return dladdr(&kit, &own) && own.dli_fname && stat(own.dli_fname, &info) == 0 &&
           info.st_dev == file->device && info.st_ino == file->inode;
}

bool inner_is_ours(const struct inner *inner)
{
    static const char *const descriptions[] = {"VNPT SmartCA PKCS#11", "PKCS#11 Kit Proxy Module"};
    char description[sizeof(((CK_INFO *)0)->libraryDescription) + 1];
    CK_INFO info;

    memset(&info, 0, sizeof(info));
    if (!inner->GetInfo || inner->GetInfo(&info) != CKR_OK)
        return false; /* says nothing of itself: the file was looked at */
    inner_text(info.libraryDescription, sizeof(info.libraryDescription), description);
    for (size_t i = 0; i < ARRAY_LEN(descriptions); i++)
        if (strcmp(description, descriptions[i]) == 0)
            return true;
    return false;
}
