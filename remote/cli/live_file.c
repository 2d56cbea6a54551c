/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/live_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/file.h"

enum { TRIES = 16 };

bool live_file_number(char out[static LIVE_FILE_DIGITS + 1])
{
    uint8_t number[LIVE_FILE_DIGITS / 2];

    if (RAND_bytes_ex(crypto_libctx(), number, sizeof(number), 0) != 1)
        return false;
    hex_encode(span_of(number, sizeof(number)), out);
    return true;
}

/* Between its making and its locking somebody may have taken it for an orphan. */
static bool is_still_there(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 && info.st_nlink > 0;
}

enum sca_status live_file_create_at(int folder, const char *name, mode_t mode, int *ret_fd)
{
    for (int i = 0; i < TRIES; i++) {
        int fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
            return errno == EEXIST ? SCA_BUSY : SCA_IO;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            (void)unlinkat(folder, name, 0); /* whoever has it found it empty */
            (void)close(fd);
            return SCA_BUSY;
        }
        /* A file system without locks: nobody can adopt it there either. */
        if (is_still_there(fd)) {
            *ret_fd = fd;
            return SCA_OK;
        }
        (void)close(fd);
    }
    errno = EAGAIN;
    return SCA_IO;
}

enum sca_status live_file_create(const char *path, mode_t mode, int *ret_fd)
{
    return live_file_create_at(AT_FDCWD, path, mode, ret_fd);
}

bool live_file_adopt(const char *path, int *ret_fd)
{
    struct stat info;
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return false;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) ||
        info.st_uid != geteuid() || info.st_nlink == 0) {
        (void)close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}
