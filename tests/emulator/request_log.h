/* SPDX-License-Identifier: Apache-2.0 */
/* Every request, in memory and in DIR/requests.jsonl. Bodies are never kept: they hold passwords.
 */
#ifndef TESTS_EMULATOR_REQUEST_LOG_H
#define TESTS_EMULATOR_REQUEST_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/emulator/fault.h"
#include "tests/emulator/transaction.h"

enum { REQUEST_LOG_MAX = 20000, REQUEST_PATH_MAX = 255 };

struct request_entry {
    unsigned long n; /* from 1 */
    enum endpoint endpoint;
    enum fault_kind fault;
    unsigned http_status; /* 0: no answer was given */
    unsigned long connection;
    uint64_t at_ms;
    uint64_t ms;  /* until the answer was decided; added delays do not count */
    bool body_ok; /* the body was what the endpoint expects */
    char method[16];
    char path[REQUEST_PATH_MAX + 1];
    char transaction_id[TRANSACTION_ID_MAX + 1];
};

/* The last REQUEST_LOG_MAX requests to the service; safe from several threads. */
struct request_log {
    pthread_mutex_t lock;
    int fd; /* -1: none */
    unsigned long count;
    struct request_entry *ring;
};

enum sca_status request_log_open(struct request_log *log, const char *dir);
void request_log_close(struct request_log *log);

/* Numbers the entry and keeps it. */
void request_log_add(struct request_log *log, struct request_entry *entry);
void request_log_clear(struct request_log *log);

/* Those that it still has with a number above after. */
cJSON *request_log_json(struct request_log *log, unsigned long after);

#endif
