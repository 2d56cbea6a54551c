/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_BASE_FOLDER_H
#define REMOTE_BASE_FOLDER_H

#include <dirent.h>

#include "remote/base/status.h"

/* The next entry, until the next call. NULL: that was all, *ret_status is SCA_OK, or it was not:
 * SCA_NOMEM, SCA_IO. Otherwise *ret_status is left alone. */
const struct dirent *folder_next(DIR *folder, enum sca_status *ret_status);

/* AUTO(folder_closep) DIR *folder = opendir(path): POSIX has it closed by exec. */
void folder_closep(DIR **folder);

#endif
