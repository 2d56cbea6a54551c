/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/shelf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/wording.h"

enum { TRUST = FILE_NOT_READABLE_BY_OTHERS | FILE_NOT_A_LINK };

bool shelf_is_name(const char *name)
{
    return strlen(name) == KEYSTORE_NAME_SIZE - 1 &&
           strspn(name, "0123456789abcdef") == KEYSTORE_NAME_SIZE - 1;
}

bool shelf_name_of(const char *file, const char *extension,
                   char ret_name[static KEYSTORE_NAME_SIZE])
{
    enum { LEN = KEYSTORE_NAME_SIZE - 1 };

    if (strlen(file) < LEN || strcmp(file + LEN, extension) != 0)
        return false;
    memcpy(ret_name, file, LEN);
    ret_name[LEN] = 0;
    return shelf_is_name(ret_name);
}

char *shelf_dir(const struct keystore *keystore)
{
    return path_join(keystore->state_dir, keystore->folder ? keystore->folder : SHELF_DIR);
}

enum sca_status shelf_check_dir(const char *dir, const char **why)
{
    struct stat info;

    if (stat(dir, &info) != 0) {
        bool is_missing = errno == ENOENT || errno == ENOTDIR;
        *why = is_missing ? wording("not there") : wording("its folder cannot be examined");
        return is_missing ? SCA_NOT_FOUND : SCA_IO;
    }
    if (!S_ISDIR(info.st_mode))
        *why = wording("its folder is no folder");
    else if (info.st_uid != geteuid() && info.st_uid != 0)
        *why = wording("its folder is owned by another user");
    else if (info.st_mode & (S_IRWXG | S_IRWXO))
        *why = wording("its folder is open to others; run chmod 700 on it");
    else
        return SCA_OK;
    return SCA_IO;
}

static void put_name(char out[static SHELF_FILE_SIZE], const char *name, const char *extension)
{
    (void)snprintf(out, SHELF_FILE_SIZE, "%s%s", name, extension);
}

enum sca_status shelf_init(struct shelf *shelf, const struct keystore *keystore, const char **why)
{
    size_t len = 0;

    *shelf = (struct shelf){.dir = NULL};
    *why = wording("its name is not 32 lower-case hex digits");
    if (!shelf_is_name(keystore->name) ||
        hex_decode(keystore->name, shelf->token_id, sizeof(shelf->token_id), &len) != SCA_OK)
        return SCA_INVALID;
    *why = NULL;
    put_name(shelf->token, keystore->name, SHELF_EXTENSION);
    put_name(shelf->old, keystore->name, SHELF_EXTENSION ".old");
    put_name(shelf->pins, keystore->name, ".pins");
    put_name(shelf->lock, keystore->name, ".lock");
    put_name(shelf->login, keystore->name, ".login");
    shelf->dir = shelf_dir(keystore);
    return shelf->dir ? SCA_OK : SCA_NOMEM;
}

void shelf_fini(struct shelf *shelf)
{
    free(shelf->dir);
    *shelf = (struct shelf){.dir = NULL};
}

static enum sca_status open_token(const struct shelf *shelf, int *ret_fd, size_t *ret_len,
                                  const char **why)
{
    AUTO(freep) char *path = path_join(shelf->dir, shelf->token);
    AUTO(fd_closep) int fd = -1;
    struct stat info;

    if (!path)
        return SCA_NOMEM;
    enum sca_status st = shelf_check_dir(shelf->dir, why);
    if (st == SCA_OK)
        st = file_open_trusted(path, TRUST, &fd, why);
    if (st != SCA_OK)
        return st == SCA_INVALID ? SCA_IO : st; /* not trusted is not damaged */
    if (fstat(fd, &info) != 0) {
        *why = wording("cannot be examined");
        return SCA_IO;
    }
    if (info.st_size > TOKENFILE_MAX) {
        *why = wording("larger than any token file");
        return SCA_INVALID;
    }
    *ret_len = (size_t)info.st_size;
    *ret_fd = fd;
    fd = -1;
    return SCA_OK;
}

/* A file that is shorter meanwhile is filled up with zeros, which its digest finds. */
static enum sca_status read_bytes(int fd, void *out, size_t len, const char **why)
{
    size_t done = 0;

    memset(out, 0, len);
    while (done < len) {
        ssize_t got = pread(fd, (uint8_t *)out + done, len - done, (off_t)done);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR) {
            *why = wording("cannot be read");
            return SCA_IO;
        }
        if (got > 0)
            done += (size_t)got;
    }
    return SCA_OK;
}

enum sca_status shelf_read_head(const struct shelf *shelf, struct tokenfile_head *ret_head,
                                const char **why)
{
    AUTO(fd_closep) int fd = -1;
    struct tokenfile_head head;
    size_t len = 0;

    enum sca_status st = open_token(shelf, &fd, &len, why);
    if (st == SCA_OK)
        st = read_bytes(fd, &head, sizeof(head), why);
    if (st == SCA_OK)
        st = tokenfile_check_head(&head, shelf->token_id, len, why);
    if (st == SCA_OK)
        *ret_head = head;
    return st;
}

void shelf_file_fini(struct shelf_file *file)
{
    free(file->bytes);
    *file = (struct shelf_file){.bytes = NULL};
}

enum sca_status shelf_read(const struct shelf *shelf, struct shelf_file *ret_file, const char **why)
{
    AUTO(shelf_file_fini) struct shelf_file file = {.bytes = NULL};
    AUTO(fd_closep) int fd = -1;

    enum sca_status st = open_token(shelf, &fd, &file.len, why);
    if (st != SCA_OK)
        return st;
    file.bytes = malloc(file.len + 1);
    if (!file.bytes)
        return SCA_NOMEM;
    st = read_bytes(fd, file.bytes, file.len, why);
    if (st == SCA_OK)
        st = tokenfile_check(span_of(file.bytes, file.len), shelf->token_id, &file.file, why);
    if (st != SCA_OK)
        return st;
    *ret_file = file;
    file.bytes = NULL;
    return SCA_OK;
}

struct pins shelf_pins(const struct shelf *shelf, const struct tokenfile_head *head)
{
    return (struct pins){.dir = shelf->dir, .name = shelf->pins, .epoch = head->epoch};
}

enum sca_status shelf_fail(const struct shelf *shelf, struct call *call, enum sca_status status,
                           const char *why)
{
    if (!why || status == SCA_OK)
        return status;
    return call_fail(call, status, "token file %s: %s", shelf->token, why);
}
