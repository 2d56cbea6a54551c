/* SPDX-License-Identifier: Apache-2.0 */
/* Files that get their names when they are finished, and leave nothing behind if they never are. */
#ifndef REMOTE_CLI_TEMPORARY_H
#define REMOTE_CLI_TEMPORARY_H

#include <stdbool.h>

/*
 * Makes a file in folder for writing, locked (live_file.h): one without a name, *ret_path stays as
 * it was; or, where the file system has no such thing, one whose name is ret_path, for the caller
 * to free. Returns its descriptor, which the caller closes, or -1 with errno.
 */
int temporary_create(const char *folder, char **ret_path);

/* Gives a file without a name one. False with errno; EEXIST: it is taken. */
bool temporary_link(int fd, const char *path);

/* A new name for a temporary file, NULL without memory. The caller frees it. */
char *temporary_name(const char *folder);

/* Removes the temporary files in folder whose makers are gone. Best effort. */
void temporary_sweep(const char *folder);

#endif
