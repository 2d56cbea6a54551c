/* SPDX-License-Identifier: Apache-2.0 */
/* How far a long run is, and whether somebody wants it to end. */
#ifndef REMOTE_CLI_PROGRESS_H
#define REMOTE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/* From now on Ctrl-C and SIGTERM only set a flag; progress_end() lets them through again. */
void progress_begin(void);
bool progress_is_stopped(void);

/* A bar on standard error where that is a terminal; nothing elsewhere. */
void progress_show(size_t done, size_t total);

/* One line of text instead of the bar. */
void progress_say(const char *text);
void progress_end(void);

#endif
