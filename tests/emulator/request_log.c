/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/request_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/complain.h"
#include "tests/emulator/disk.h"

enum { LINE_MAX_BYTES = 2048 };

enum sca_status request_log_open(struct request_log *log, const char *dir)
{
    char path[DISK_PATH_MAX];
    *log = (struct request_log){.fd = -1};
    (void)pthread_mutex_init(&log->lock, NULL); /* cannot fail on Linux */
    log->ring = calloc(REQUEST_LOG_MAX, sizeof(*log->ring));
    if (!log->ring)
        return SCA_NOMEM;
    if (disk_path(path, dir, "requests.jsonl") != SCA_OK)
        return SCA_INVALID;
    log->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (log->fd < 0)
        complain("%s cannot be written", path);
    return log->fd < 0 ? SCA_IO : SCA_OK;
}

void request_log_close(struct request_log *log)
{
    if (!log->ring)
        return;
    if (log->fd >= 0)
        (void)close(log->fd); /* every line was written with one call; nothing is pending */
    free(log->ring);
    (void)pthread_mutex_destroy(&log->lock);
    *log = (struct request_log){.fd = -1};
}

static cJSON *entry_json(const struct request_entry *entry)
{
    cJSON *item = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(item, "n", (double)entry->n);
    (void)cJSON_AddNumberToObject(item, "at_ms", (double)entry->at_ms);
    (void)cJSON_AddStringToObject(item, "endpoint", endpoint_name(entry->endpoint));
    (void)cJSON_AddStringToObject(item, "method", entry->method);
    (void)cJSON_AddStringToObject(item, "path", entry->path);
    (void)cJSON_AddNumberToObject(item, "http_status", entry->http_status);
    (void)cJSON_AddStringToObject(item, "transaction_id", entry->transaction_id);
    if (entry->fault == FAULT_NONE)
        (void)cJSON_AddNullToObject(item, "fault");
    else
        (void)cJSON_AddStringToObject(item, "fault", fault_name(entry->fault));
    (void)cJSON_AddNumberToObject(item, "connection", (double)entry->connection);
    (void)cJSON_AddBoolToObject(item, "body_ok", entry->body_ok);
    (void)cJSON_AddNumberToObject(item, "ms", (double)entry->ms);
    return item;
}

static void write_line(int fd, const struct request_entry *entry)
{
    char line[LINE_MAX_BYTES];
    cJSON *item = entry_json(entry);
    if (item && cJSON_PrintPreallocated(item, line, sizeof(line) - 1, 0)) {
        size_t len = strlen(line);
        line[len] = '\n';
        ssize_t written = write(fd, line, len + 1);
        (void)written; /* a full disk must not stop the service; the log in memory goes on */
    }
    cJSON_Delete(item);
}

void request_log_add(struct request_log *log, struct request_entry *entry)
{
    (void)pthread_mutex_lock(&log->lock);
    entry->n = ++log->count;
    log->ring[(entry->n - 1) % REQUEST_LOG_MAX] = *entry;
    write_line(log->fd, entry);
    (void)pthread_mutex_unlock(&log->lock);
}

void request_log_clear(struct request_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    log->count = 0;
    int refused = ftruncate(log->fd, 0);
    (void)refused; /* the old lines stay: harmless */
    (void)pthread_mutex_unlock(&log->lock);
}

cJSON *request_log_json(struct request_log *log, unsigned long after)
{
    cJSON *list = cJSON_CreateArray();
    (void)pthread_mutex_lock(&log->lock);
    unsigned long first = log->count > REQUEST_LOG_MAX ? log->count - REQUEST_LOG_MAX : 0;
    for (unsigned long i = after > first ? after : first; list && i < log->count; i++)
        (void)cJSON_AddItemToArray(list, entry_json(&log->ring[i % REQUEST_LOG_MAX]));
    (void)pthread_mutex_unlock(&log->lock);
    return list;
}
