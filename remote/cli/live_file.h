/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that belong to a run of the tool: it holds a lock (flock) on each as long as it lives, so
 * that what a run that was killed left behind can be told from what another one is at work with.
 */
#ifndef REMOTE_CLI_LIVE_FILE_H
#define REMOTE_CLI_LIVE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "remote/base/status.h"

enum { LIVE_FILE_DIGITS = 16 };

/* A name for one that nobody else has: random hexadecimal digits. False: there is no randomness. */
bool live_file_number(char out[static LIVE_FILE_DIGITS + 1]);

/*
 * Makes a file that was not there, open for writing; name is below the open folder. SCA_BUSY: it
 * was, or somebody took it for an orphan: another name is wanted. SCA_IO with errno. The caller
 * closes ret_fd, and with it lets go of the file.
 */
enum sca_status live_file_create_at(int folder, const char *name, mode_t mode, int *ret_fd);
enum sca_status live_file_create(const char *path, mode_t mode, int *ret_fd);

/* Takes one of this user's over whose run is gone, open to be added to. False: it lives, or cannot
 * be told. */
bool live_file_adopt(const char *path, int *ret_fd);

#endif
