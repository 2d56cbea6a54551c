/* SPDX-License-Identifier: Apache-2.0 */
/* How far a long run is, and whether somebody wants it to end. */
#ifndef REMOTE_CLI_METER_H
#define REMOTE_CLI_METER_H

#include <stdbool.h>
#include <stddef.h>

/* From now on Ctrl-C and SIGTERM only set a flag; meter_end() lets them through again. */
void meter_begin(void);
bool meter_is_stopped(void);

/* A bar on standard error where that is a terminal; nothing elsewhere. */
void meter_show(size_t done, size_t total);

/* One line of text instead of the bar. */
void meter_say(const char *text);
void meter_end(void);

#endif
