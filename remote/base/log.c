/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/bytes.h"
#include "remote/base/size_limit.h"

enum { LINE_MAX_BYTES = 1024 };

static _Atomic(const struct log *) attached;

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

bool log_level_parse(const char *text, enum log_level *ret_level)
{
    for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++)
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    return false;
}

enum sca_status log_open(struct log *log, const char *target, enum log_level level)
{
    *log = (struct log){.level = level, .sink = LOG_SINK_NONE, .fd = -1};

    if (strcmp(target, "stderr") == 0) {
        log->sink = LOG_SINK_STDERR;
    } else if (strcmp(target, "syslog") == 0) {
        log->sink = LOG_SINK_SYSLOG;
    } else if (target[0] == '/') {
        /* Not to wait for whoever should read a pipe: the host does not hang for a line of log. */
        log->fd = open(
            target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
            0600);
        struct stat info;
        if (log->fd < 0)
            return SCA_IO;
        if (fstat(log->fd, &info) != 0) {
            (void)close(log->fd);
            return SCA_IO;
        }
        log->device = info.st_dev;
        log->inode = info.st_ino;
        log->sink = LOG_SINK_FILE;
    } else {
        return SCA_INVALID;
    }
    return SCA_OK;
}

/* Is the descriptor still our file, and not one the host has opened under the same number? */
static bool is_ours(const struct log *log)
{
    struct stat info;
    return fstat(log->fd, &info) == 0 && info.st_dev == log->device && info.st_ino == log->inode;
}

void log_close(struct log *log)
{
    if (log->sink == LOG_SINK_FILE && is_ours(log))
        (void)close(log->fd);
    log->sink = LOG_SINK_NONE;
}

void log_attach(const struct log *log)
{
    atomic_store(&attached, log);
}

const struct log *log_attached(void)
{
    return atomic_load(&attached);
}

static bool takes(const struct log *log, enum log_level level)
{
    return log && log->sink != LOG_SINK_NONE && level <= log->level;
}

bool log_is_on(enum log_level level)
{
    return takes(atomic_load(&attached), level);
}

/* A reader of the log's pipe may have gone: the host must not die of our SIGPIPE. */
static void write_quietly(int fd, const char *line, size_t len)
{
    sigset_t pipe_only;
    sigset_t before;
    sigset_t pending;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    ssize_t written = limited_write(fd, line, len);
    if (written < 0 && !sigismember(&pending, SIGPIPE)) {
        const struct timespec now = {0};
        (void)sigtimedwait(&pipe_only, NULL, &now); /* drains ours, if there is one */
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void write_line(const struct log *log, enum log_level level, const char *text)
{
    if (log->sink == LOG_SINK_SYSLOG) {
        syslog(LOG_USER | priorities[level], "smartca-pkcs11: %s", text);
        return;
    }

    char line[LINE_MAX_BYTES + 80];
    char stamp[32] = "";
    struct tm utc;
    time_t now = time(NULL);
    if (gmtime_r(&now, &utc))
        (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &utc);
    int len = snprintf(line, sizeof(line), "%s smartca-pkcs11[%ld] %s: %s\n", stamp, (long)getpid(),
                       level_names[level], text);
    if (len > 0 && (log->sink != LOG_SINK_FILE || is_ours(log)))
        write_quietly(log->sink == LOG_SINK_FILE ? log->fd : STDERR_FILENO, line, (size_t)len);
}

void log_line(enum log_level level, const char *format, ...)
{
    const struct log *log = atomic_load(&attached); /* once: C_Finalize may detach it meanwhile */
    if (!takes(log, level))
        return;

    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0)
        return;
    text_make_printable(text);
    write_line(log, level, text);
}

const char *log_mask(const char *id, char out[static LOG_MASK_SIZE])
{
    enum { SHOWN = 3 };
    size_t len = strnlen(id, LOG_MASK_SIZE - 1);

    memset(out, '*', len);
    if (len > 2 * SHOWN)
        memcpy(out + len - SHOWN, id + len - SHOWN, SHOWN);
    out[len] = 0;
    return out;
}
