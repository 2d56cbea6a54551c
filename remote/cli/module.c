/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/rv_text.h"

#define MODULE_FILE "libsmartca-pkcs11.so"

enum { PATH_SIZE = 4096, SLOTS_MAX = 4096 };

/* Relative to the folder of the tool: a build tree, or both in one folder. */
static const char *const beside[] = {"/../../module/" MODULE_FILE, "/" MODULE_FILE};

bool module_own_folder(char *out, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", out, size - 1);
    if (len <= 0 || (size_t)len >= size - 1)
        return false;
    out[len] = 0;
    char *slash = strrchr(out, '/');
    if (!slash)
        return false;
    *slash = 0;
    return true;
}

static char *find_beside(void)
{
    char folder[PATH_SIZE];

    for (size_t i = 0; module_own_folder(folder, sizeof(folder)) && i < ARRAY_LEN(beside); i++) {
        char path[PATH_SIZE + 64];
        (void)snprintf(path, sizeof(path), "%s%s", folder, beside[i]);
        char *found = realpath(path, NULL);
        if (found)
            return found;
    }
    return NULL;
}

enum sca_status module_find(const struct cli *cli, char **ret_path)
{
    const char *named = cli->module ? cli->module : secure_getenv("SMARTCA_PKCS11_MODULE");
    char *path = NULL;

    if (!named || !*named) {
        named = SMARTCA_MODULE_DIR "/" MODULE_FILE;
        path = find_beside();
    }
    if (!path)
        path = realpath(named, NULL);
    *ret_path = path ? path : strdup(named);
    if (!*ret_path)
        return SCA_NOMEM;
    return path ? SCA_OK : SCA_NOT_FOUND;
}

/* POSIX has functions in void pointers, C11 does not. */
static bool find_function(void *library, const char *name, void *out, size_t size)
{
    void *symbol = dlsym(library, name);
    if (symbol && size == sizeof(symbol))
        memcpy(out, &symbol, size);
    return symbol;
}

bool module_open(struct module *module, const char *path, const char **why)
{
    CK_C_GetFunctionList get_list = NULL;

    *module = (struct module){.library = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
    if (!module->library) {
        *why = dlerror();
        return false;
    }
    if (!find_function(module->library, "C_GetFunctionList", &get_list, sizeof(get_list))) {
        *why = _("it does not export C_GetFunctionList: no PKCS#11 module");
        return false;
    }
    CK_RV rv = get_list(&module->p11);
    if (rv != CKR_OK || !module->p11) {
        *why = rv_text(rv);
        return false;
    }
    return true;
}

CK_RV module_start(struct module *module)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    CK_RV rv = module->p11->C_Initialize(&args);
    module->is_initialized = rv == CKR_OK;
    return rv;
}

void module_fini(struct module *module)
{
    if (module->is_initialized)
        (void)module->p11->C_Finalize(NULL); /* nothing could be done about a failure */
    if (module->library)
        (void)dlclose(module->library);
    *module = (struct module){0};
}

/* The list of "PKCS 11" with that version, the module's own choice for NULL; NULL if it has none.
 */
static const void *find_list(const struct module *module, CK_VERSION *version)
{
    CK_UTF8CHAR name[] = "PKCS 11";
    CK_C_GetInterface get_interface = NULL;
    CK_INTERFACE *found = NULL;

    if (!find_function(module->library, "C_GetInterface", &get_interface, sizeof(get_interface)) ||
        get_interface(name, version, &found, 0) != CKR_OK || !found)
        return NULL;
    return found->pFunctionList;
}

bool module_has_interface(const struct module *module)
{
    const CK_VERSION *version = find_list(module, NULL);
    return version && version->major >= 3;
}

CK_C_SessionCancel module_session_cancel(const struct module *module)
{
    CK_VERSION wanted = {3, 0};
    const struct cryptoki_list_3_0 *list = find_list(module, &wanted);
    return list ? list->C_SessionCancel : NULL;
}

CK_C_AsyncComplete module_async_complete(const struct module *module)
{
    CK_VERSION wanted = {3, 2};
    const struct cryptoki_list_3_2 *list = find_list(module, &wanted);
    return list ? list->C_AsyncComplete : NULL;
}

enum cli_exit module_use(const struct cli *cli, struct module *module)
{
    AUTO(freep) char *path = NULL;
    const char *why = NULL;

    *module = (struct module){0};
    enum sca_status st = module_find(cli, &path);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st),
                           _("install the package, or give the module with --module PATH"),
                           _("the module is not there: %s"), path ? path : sca_status_name(st));
    if (!module_open(module, path, &why))
        return output_fail(cli, "module", _("smartca doctor tells more"),
                           _("the module %s cannot be loaded: %s"), path, why);
    CK_RV rv = module_start(module);
    if (rv != CKR_OK)
        return output_fail(cli, "module", _("smartca doctor tells more"),
                           _("C_Initialize of %s: %s"), path, rv_text(rv));
    return CLI_OK;
}

CK_RV module_slots(const struct module *module, CK_SLOT_ID **ret_slots, CK_ULONG *ret_count)
{
    AUTO(freep) CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;
    CK_RV rv = CKR_BUFFER_TOO_SMALL;

    /* The list may grow between the two questions. */
    while (rv == CKR_BUFFER_TOO_SMALL) {
        rv = module->p11->C_GetSlotList(CK_FALSE, NULL, &count);
        if (rv != CKR_OK)
            return rv;
        if (count > SLOTS_MAX)
            return CKR_GENERAL_ERROR;
        free(slots);
        slots = calloc(count + 1, sizeof(*slots));
        if (!slots)
            return CKR_HOST_MEMORY;
        rv = module->p11->C_GetSlotList(CK_FALSE, slots, &count);
    }
    if (rv != CKR_OK)
        return rv;
    *ret_slots = TAKE(slots);
    *ret_count = count;
    return CKR_OK;
}

CK_OBJECT_HANDLE module_find_object(const struct module *module, CK_SESSION_HANDLE session,
                                    CK_OBJECT_CLASS class, const CK_ATTRIBUTE *id)
{
    CK_ATTRIBUTE template[2] = {{CKA_CLASS, &class, sizeof(class)}};
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    CK_ULONG count = 0;

    if (id)
        template[1] = *id;
    if (module->p11->C_FindObjectsInit(session, template, id ? 2 : 1) != CKR_OK)
        return CK_INVALID_HANDLE;
    CK_RV rv = module->p11->C_FindObjects(session, &found, 1, &count);
    (void)module->p11->C_FindObjectsFinal(session);
    return rv == CKR_OK && count == 1 ? found : CK_INVALID_HANDLE;
}

const char *module_text(const CK_UTF8CHAR *padded, size_t len, char *out)
{
    while (len > 0 && padded[len - 1] == ' ')
        len--;
    memcpy(out, padded, len);
    out[len] = 0;
    return out;
}
