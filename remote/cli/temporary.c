/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/temporary.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/live_file.h"

enum {
    TRIES = 16,
    FD_PATH_SIZE = 64,
    OUTPUT_MODE = 0666, /* what others may do with a signature is up to the umask */
};

#define PREFIX ".smartca-"
#define SUFFIX ".p7s"

/* A short name of its own, so that the longest file name has one too. */
char *temporary_name(const char *folder)
{
    char hex[LIVE_FILE_DIGITS + 1];
    char *path = NULL;

    if (!live_file_number(hex))
        return NULL;
    return asprintf(&path, "%s/" PREFIX "%s" SUFFIX, folder, hex) < 0 ? NULL : path;
}

static bool is_temporary_name(const char *name)
{
    size_t len = strlen(PREFIX);

    return strncmp(name, PREFIX, len) == 0 &&
           strspn(name + len, "0123456789abcdef") == LIVE_FILE_DIGITS &&
           strcmp(name + len + LIVE_FILE_DIGITS, SUFFIX) == 0;
}

/* What runs left that were killed. */
void temporary_sweep(const char *folder)
{
    DIR *all = opendir(folder);
    const struct dirent *item = NULL;

    while (all && (item = readdir(all))) {
        AUTO(fd_closep) int fd = -1;
        AUTO(freep)
        char *path = is_temporary_name(item->d_name) ? path_join(folder, item->d_name) : NULL;
        if (path && live_file_adopt(path, &fd))
            (void)unlink(path);
    }
    if (all)
        (void)closedir(all);
}

/* How to get at a file that has no name. */
static void path_of_fd(int fd, char out[static FD_PATH_SIZE])
{
    (void)snprintf(out, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
}

/* Without a name nothing is left by who is killed. -1: this folder or computer cannot. */
static int create_nameless(const char *folder)
{
    char path[FD_PATH_SIZE];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, OUTPUT_MODE);

    if (fd < 0)
        return -1;
    path_of_fd(fd, path);
    if (access(path, F_OK) == 0) {
        (void)flock(fd, LOCK_EX); /* for the moment in which it has a temporary name */
        return fd;
    }
    (void)close(fd);
    return -1;
}

int temporary_create(const char *folder, char **ret_path)
{
    int fd = create_nameless(folder);

    for (int i = 0; fd < 0 && i < TRIES; i++) {
        AUTO(freep) char *path = temporary_name(folder);
        enum sca_status st = path ? live_file_create(path, OUTPUT_MODE, &fd) : SCA_NOMEM;
        if (st == SCA_OK)
            *ret_path = TAKE(path);
        else if (st != SCA_BUSY)
            return -1;
    }
    return fd;
}

bool temporary_link(int fd, const char *path)
{
    char from[FD_PATH_SIZE];

    path_of_fd(fd, from);
    return linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}
