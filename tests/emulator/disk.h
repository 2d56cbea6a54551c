/* SPDX-License-Identifier: Apache-2.0 */
/* The folder given with --dir. Everything in it is test data that may be thrown away. */
#ifndef TESTS_EMULATOR_DISK_H
#define TESTS_EMULATOR_DISK_H

#include <openssl/types.h>

#include "remote/base/bytes.h"

enum { DISK_PATH_MAX = 1024 };

/* dir "/" name. SCA_INVALID, with a complaint, when that is too long. */
enum sca_status disk_path(char out[DISK_PATH_MAX], const char *dir, const char *name);

/* Makes the folder (not its parents) unless it is there. Complains and SCA_IO. */
enum sca_status disk_folder(const char *path);

/* Replaces the file (mode 0600) in one step: a reader finds the old or the new one, never a part.
 */
enum sca_status disk_write(const char *path, struct span bytes);

/* PEM files. A reader gets NULL when the file is not there or is not what it should be. */
enum sca_status disk_write_certificate(const char *path, X509 *certificate);
enum sca_status disk_write_key(const char *path, EVP_PKEY *key);
X509 *disk_read_certificate(const char *path);
EVP_PKEY *disk_read_key(const char *path);

#endif
