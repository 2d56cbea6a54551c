/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/folder.h"

#include <errno.h>
#include <stddef.h>

#include "remote/base/file.h"

const struct dirent *folder_next(DIR *folder, enum sca_status *ret_status)
{
    errno = 0;
    const struct dirent *entry = readdir(folder);
    if (!entry)
        *ret_status = errno ? file_status_of_errno() : SCA_OK;
    return entry;
}

void folder_closep(DIR **folder)
{
    if (*folder)
        (void)closedir(*folder);
}
