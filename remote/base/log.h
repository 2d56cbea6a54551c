/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_BASE_LOG_H
#define REMOTE_BASE_LOG_H

#include <stdbool.h>
#include <sys/types.h>

#include "remote/base/lock.h"
#include "remote/base/status.h"

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

enum log_sink {
    LOG_SINK_NONE,
    LOG_SINK_STDERR,
    LOG_SINK_SYSLOG,
    LOG_SINK_FILE,
};

/*
 * Where lines go. One per process: the module owns it and lends it to smartca-remote.so, so that
 * both write through the same one. Never stdout.
 */
struct log {
    enum log_level level;
    enum log_sink sink;
    int fd; /* LOG_SINK_FILE, and which file that is: a host may close every descriptor */
    dev_t device;
    ino_t inode;
};

/*
 * Opens target ("stderr", "syslog" or an absolute path; the file is created with mode 0600 and
 * appended to). SCA_INVALID for another target, SCA_IO when the file cannot be opened.
 */
enum sca_status log_open(struct log *log, const char *target, enum log_level level);
void log_close(struct log *log);

/* "error", "warning", "info", "debug". */
bool log_level_parse(const char *text, enum log_level *ret_level);

/* Everything below writes to the log attached last; before that, nothing is written. */
void log_attach(const struct log *log);
const struct log *log_attached(void); /* NULL if there is none */
bool log_is_on(enum log_level level);

/*
 * One line. No secret has a formatter, so none can get here; identity numbers go through
 * log_mask first. Control characters are shown as '?'.
 */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum { LOG_MASK_SIZE = 32 };

/* A national identity or tax number with all but its last three characters hidden. */
const char *log_mask(const char *id, char out[static LOG_MASK_SIZE]);

#endif
