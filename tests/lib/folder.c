/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/folder.h"

#include <ftw.h>
#include <stdio.h>

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

int folder_remove(const char *path)
{
    enum { DESCRIPTORS = 16 };
    return nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}
