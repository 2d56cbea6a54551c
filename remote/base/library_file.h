/* SPDX-License-Identifier: Apache-2.0 */
/* A library that is about to be loaded into the host runs with its rights: who could have put it
 * there is looked at first. */
#ifndef REMOTE_BASE_LIBRARY_FILE_H
#define REMOTE_BASE_LIBRARY_FILE_H

#include <sys/types.h>

#include "remote/base/status.h"

struct library_file {
    char *path; /* absolute, without symbolic links; malloced */
    dev_t device;
    ino_t inode;
};

/*
 * The file, and each folder on the way to it, with and without symbolic links, belongs to this user
 * or to root and can be changed by nobody else (a folder with the sticky bit counts as such). With
 * raised privileges (AT_SECURE) all of it has to be root's. SCA_NOT_FOUND; SCA_INVALID, SCA_IO or
 * SCA_NOMEM with the reason in why (a static text for a person). The caller library_file_fini()s.
 */
enum sca_status library_file_check(const char *path, struct library_file *ret_file,
                                   const char **why);
void library_file_fini(struct library_file *file);

#endif
