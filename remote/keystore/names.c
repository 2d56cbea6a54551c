/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/keystore/shelf.h"

static void dir_closep(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

enum sca_status keystore_each_name(const char *state_dir,
                                   enum sca_status (*each)(void *arg, const char *name), void *arg)
{
    AUTO(freep) char *path = shelf_dir(&(struct keystore){.state_dir = state_dir});
    if (!path)
        return SCA_NOMEM;
    AUTO(dir_closep) DIR *dir = opendir(path); /* close-on-exec by POSIX */
    if (!dir)
        return errno == ENOENT || errno == ENOTDIR ? SCA_OK : SCA_IO;

    char name[KEYSTORE_NAME_SIZE];
    enum sca_status st = SCA_OK;
    while (st == SCA_OK) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno ? SCA_IO : SCA_OK;
        if (shelf_name_of(entry->d_name, SHELF_EXTENSION, name))
            st = each(arg, name);
    }
    return st;
}
