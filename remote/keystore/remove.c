/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/keystore/shelf.h"

enum { LOCK_WAIT_MS = 5000 };

/* Not there is as good as gone. */
static bool remove_file(const struct shelf *shelf, const char *name)
{
    AUTO(freep) char *path = path_join(shelf->dir, name);
    return path && (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR);
}

/* With what a crash may have left behind. */
static bool remove_kinds(const struct shelf *shelf, const char *name)
{
    AUTO(freep) char *fresh = NULL;

    if (asprintf(&fresh, "%s.new", name) < 0) {
        fresh = NULL;
        return false;
    }
    return remove_file(shelf, name) && remove_file(shelf, fresh);
}

enum sca_status keystore_remove(const struct keystore *keystore)
{
    AUTO(shelf_fini) struct shelf shelf = {.dir = NULL};
    AUTO(fd_unlock_closep) int lock = -1;
    const char *why = NULL;

    enum sca_status st = shelf_init(&shelf, keystore, &why);
    if (st == SCA_OK)
        st = shelf_check_dir(shelf.dir, &why);
    if (st != SCA_OK)
        return st == SCA_NOT_FOUND ? SCA_OK : st;
    /* Whoever is writing puts no file back behind us. The two lock files, NAME.lock and NAME.login,
     * stay, empty: somebody who waits for one that is removed would hold what nobody else sees, and
     * write beside the next holder of its name. keystore_sweep takes them when nobody does. */
    st = file_lock(shelf.dir, shelf.lock, LOCK_WAIT_MS, &lock);
    /* The token before its counters: it never stands there with its wrong PINs forgotten. */
    const char *const files[] = {shelf.old, shelf.token, shelf.pins};
    for (size_t i = 0; st == SCA_OK && i < ARRAY_LEN(files); i++)
        if (!remove_kinds(&shelf, files[i]))
            st = SCA_IO;
    return st;
}
