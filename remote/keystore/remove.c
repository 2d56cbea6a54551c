/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/keystore/shelf.h"

/* Not there is as good as gone. */
static bool remove_file(const struct shelf *shelf, const char *name)
{
    AUTO(freep) char *path = path_join(shelf->dir, name);
    return path && (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR);
}

enum sca_status keystore_remove(const struct keystore *keystore)
{
    AUTO(shelf_fini) struct shelf shelf = {.dir = NULL};
    const char *why = NULL;

    enum sca_status st = shelf_init(&shelf, keystore, &why);
    if (st != SCA_OK)
        return st;
    /* The token before its counters: it never stands there with its wrong PINs forgotten. */
    const char *const files[] = {shelf.old, shelf.token, shelf.pins, shelf.login, shelf.lock};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (!remove_file(&shelf, files[i]))
            return SCA_IO;
    return SCA_OK;
}
