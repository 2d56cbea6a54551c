/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/complain.h"

static void free_bio(BIO **bio)
{
    (void)BIO_free(*bio);
}

enum sca_status disk_path(char out[DISK_PATH_MAX], const char *dir, const char *name)
{
    int len = snprintf(out, DISK_PATH_MAX, "%s/%s", dir, name);
    if (len > 0 && len < DISK_PATH_MAX - 8) /* room for the suffix of a temporary file */
        return SCA_OK;
    complain("the path of the folder is too long: %s", dir);
    return SCA_INVALID;
}

static enum sca_status failed(const char *path)
{
    complain("%s: %s", path, strerror(errno));
    return SCA_IO;
}

enum sca_status disk_folder(const char *path)
{
    if (mkdir(path, 0700) == 0)
        return SCA_OK;
    struct stat info;
    if (errno == EEXIST && stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return SCA_OK;
        errno = ENOTDIR;
    }
    return failed(path);
}

static bool write_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.ptr, bytes.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes = span_of(bytes.ptr + written, bytes.len - (size_t)written);
    }
    return true;
}

enum sca_status disk_write(const char *path, struct span bytes)
{
    char temporary[DISK_PATH_MAX];
    int len = snprintf(temporary, sizeof(temporary), "%s.new", path);
    if (len < 0 || len >= (int)sizeof(temporary))
        return SCA_INVALID;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(temporary);
    bool is_written = write_all(fd, bytes);
    if (close(fd) != 0 || !is_written || rename(temporary, path) != 0)
        return failed(path);
    return SCA_OK;
}

static enum sca_status write_bio(const char *path, BIO *bio)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    return len > 0 ? disk_write(path, span_of(text, (size_t)len)) : SCA_NOMEM;
}

enum sca_status disk_write_certificate(const char *path, X509 *certificate)
{
    AUTO(free_bio) BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_X509(bio, certificate) != 1)
        return SCA_NOMEM;
    return write_bio(path, bio);
}

enum sca_status disk_write_key(const char *path, EVP_PKEY *key)
{
    AUTO(free_bio) BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return SCA_NOMEM;
    return write_bio(path, bio);
}

X509 *disk_read_certificate(const char *path)
{
    AUTO(free_bio) BIO *bio = BIO_new_file(path, "r");
    return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

EVP_PKEY *disk_read_key(const char *path)
{
    AUTO(free_bio) BIO *bio = BIO_new_file(path, "r");
    return bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
}
