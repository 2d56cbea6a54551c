/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/folder.h"
#include "remote/keystore/shelf.h"

enum sca_status keystore_each_name(const char *state_dir,
                                   enum sca_status (*each)(void *arg, const char *name), void *arg)
{
    AUTO(freep) char *path = shelf_dir(&(struct keystore){.state_dir = state_dir});
    if (!path)
        return SCA_NOMEM;
    AUTO(folder_closep) DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT || errno == ENOTDIR ? SCA_OK : file_status_of_errno();

    char name[KEYSTORE_NAME_SIZE];
    enum sca_status st = SCA_OK;
    const struct dirent *entry = NULL;
    while (st == SCA_OK && (entry = folder_next(dir, &st)))
        if (shelf_name_of(entry->d_name, SHELF_EXTENSION, name))
            st = each(arg, name);
    return st;
}
