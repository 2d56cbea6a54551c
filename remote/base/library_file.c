/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/library_file.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"

static bool is_owner_trusted(uid_t owner)
{
    return owner == 0 || (getauxval(AT_SECURE) == 0 && owner == geteuid());
}

static const char *folder_fault(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return wording("a folder on the way to it cannot be examined");
    if (!S_ISDIR(info.st_mode))
        return wording("a folder on the way to it is none");
    if (!is_owner_trusted(info.st_uid))
        return wording("a folder on the way to it belongs to another user");
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) && !(info.st_mode & S_ISVTX))
        return wording("a folder on the way to it is writable by its group or by others");
    return NULL;
}

/* Of every folder above the last part of an absolute path. */
static const char *folders_fault(const char *path)
{
    char folder[PATH_MAX];
    size_t len = strlen(path);

    if (len >= sizeof(folder))
        return wording("its path is too long");
    memcpy(folder, path, len + 1);
    const char *why = folder_fault("/");
    for (char *slash = strchr(folder + 1, '/'); !why && slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        why = folder_fault(folder);
        *slash = '/';
    }
    return why;
}

static const char *file_fault(const struct stat *info)
{
    if (!S_ISREG(info->st_mode))
        return wording("not a regular file");
    if (!is_owner_trusted(info->st_uid))
        return getauxval(AT_SECURE)
                   ? wording("not root's, in a program with raised privileges")
                   : wording("owned by another user; only your own or root's is loaded");
    if (info->st_mode & (S_IWGRP | S_IWOTH))
        return wording("writable by its group or by others; run chmod go-w on it");
    return NULL;
}

enum sca_status library_file_check(const char *path, struct library_file *ret_file,
                                   const char **why)
{
    struct stat info;

    *why = wording("not an absolute path");
    if (path[0] != '/')
        return SCA_INVALID;
    AUTO(freep) char *real = realpath(path, NULL);
    if (!real) {
        *why = errno == ENOENT || errno == ENOTDIR ? wording("not there")
                                                   : wording("cannot be examined");
        return errno == ENOENT || errno == ENOTDIR ? SCA_NOT_FOUND : SCA_IO;
    }
    *why = stat(real, &info) == 0 ? file_fault(&info) : wording("cannot be examined");
    if (!*why)
        *why = folders_fault(path);
    if (!*why)
        *why = folders_fault(real);
    if (*why)
        return SCA_INVALID;
    *ret_file =
        (struct library_file){.path = TAKE(real), .device = info.st_dev, .inode = info.st_ino};
    return SCA_OK;
}

void library_file_fini(struct library_file *file)
{
    free(file->path);
    file->path = NULL;
}
