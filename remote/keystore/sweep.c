/* SPDX-License-Identifier: Apache-2.0 */
/* Names are random: what is left of a token that never came to be, nobody would write over. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/keystore/shelf.h"

static const char lock_extension[] = ".lock";

static bool is_there(int dir_fd, const char *name, const char *extension)
{
    char file[SHELF_FILE_SIZE];

    (void)snprintf(file, sizeof(file), "%s%s", name, extension);
    return faccessat(dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static void remove_part(int dir_fd, const char *name, const char *extension)
{
    char file[SHELF_FILE_SIZE];

    (void)snprintf(file, sizeof(file), "%s%s", name, extension);
    (void)unlinkat(dir_fd, file, 0);
}

/* The lock goes last: as long as there is anything else, it is found again. */
static void sweep_token(int dir_fd, const char *name)
{
    static const char *const parts[] = {SHELF_EXTENSION ".new", ".pins", ".login", lock_extension};
    char file[SHELF_FILE_SIZE];

    (void)snprintf(file, sizeof(file), "%s%s", name, lock_extension);
    AUTO(fd_unlock_closep)
    int lock = openat(dir_fd, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0)
        return; /* somebody makes it right now */
    if (is_there(dir_fd, name, SHELF_EXTENSION) || is_there(dir_fd, name, SHELF_EXTENSION ".old"))
        return;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        remove_part(dir_fd, name, parts[i]);
}

void keystore_sweep(const char *state_dir)
{
    AUTO(freep) char *path = shelf_dir(&(struct keystore){.state_dir = state_dir});
    char name[KEYSTORE_NAME_SIZE];
    DIR *folder = path ? opendir(path) : NULL;
    const struct dirent *item = NULL;

    while (folder && (item = readdir(folder)))
        if (shelf_name_of(item->d_name, lock_extension, name) &&
            !is_there(dirfd(folder), name, SHELF_EXTENSION))
            sweep_token(dirfd(folder), name);
    if (folder)
        (void)closedir(folder);
}
