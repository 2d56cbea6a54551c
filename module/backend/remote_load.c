/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/remote_load.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

#define REMOTE_FILE "smartca-remote.so"

/* Published without a lock: loading twice at once is harmless, the system counts. */
static _Atomic(const struct remote_ops *) loaded;
static atomic_bool is_attached;

/* The folder this module was loaded from, with its last slash; false if it cannot be told. */
static bool own_folder(char *out, size_t size)
{
    Dl_info info;
    if (!dladdr(&loaded, &info) || !info.dli_fname)
        return false;
    const char *slash = strrchr(info.dli_fname, '/');
    int len =
        slash ? snprintf(out, size, "%.*s", (int)(slash - info.dli_fname) + 1, info.dli_fname) : -1;
    return len > 0 && (size_t)len < size && out[0] == '/';
}

static void *open_file(void)
{
    char path[1024];
    size_t len = own_folder(path, sizeof(path)) ? strlen(path) : 0;
    if (len > 0 && len + sizeof(REMOTE_FILE) <= sizeof(path)) {
        memcpy(path + len, REMOTE_FILE, sizeof(REMOTE_FILE));
        if (access(path, F_OK) == 0)
            return dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    return dlopen(SMARTCA_REMOTE_DIR "/" REMOTE_FILE, RTLD_NOW | RTLD_LOCAL);
}

static enum sca_status load(struct call *call, const struct remote_ops **ret_ops)
{
    void *library = open_file();
    if (!library) {
        const char *why = dlerror();
        return call_fail(call, SCA_IO, "cannot load the network half: %s", why ? why : REMOTE_FILE);
    }
    const struct remote_ops *ops = dlsym(library, REMOTE_SYMBOL);
    if (!ops || ops->abi != REMOTE_ABI)
        return call_fail(call, SCA_IO,
                         "%s is of another version; restart the program, or reinstall the package",
                         REMOTE_FILE);
    *ret_ops = ops;
    return SCA_OK;
}

enum sca_status remote_load(struct call *call, const struct remote_ops **ret_ops)
{
    const struct remote_ops *ops = atomic_load(&loaded);
    if (!ops) {
        enum sca_status st = load(call, &ops);
        if (st != SCA_OK)
            return st;
        atomic_store(&loaded, ops);
    }
    if (!atomic_load(&is_attached)) {
        const struct remote_host host = {.log = log_attached(), .libctx = crypto_libctx()};
        if (!host.libctx)
            return call_fail(call, SCA_NOMEM, "OpenSSL cannot make a library context");
        ops->attach(&host);
        atomic_store(&is_attached, true);
    }
    *ret_ops = ops;
    return SCA_OK;
}

void remote_close_idle(void)
{
    const struct remote_ops *ops = atomic_load(&loaded);
    if (ops)
        ops->close_idle();
}

void remote_abandon(void)
{
    const struct remote_ops *ops = atomic_load(&loaded);
    if (ops)
        ops->abandon();
    atomic_store(&is_attached, false);
}
