/* SPDX-License-Identifier: Apache-2.0 */
/* Many callers of one key, threads and processes, before the emulated service. All assert. */
#ifndef TESTS_INTEGRATION_BATCH_STAGE_H
#define TESTS_INTEGRATION_BATCH_STAGE_H

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/integration/harness.h"

enum { SIGNERS_MAX = 64 };

#define PATIENT "poll_interval = 0.1\nconfirm_timeout = 30\nbatch_max = 100\nreject_cooldown = 0\n"
#define WINDOW  PATIENT "batch_window = 1500\n"

extern struct world world;

/* For cmocka_run_group_tests. */
int batch_start(void **state);
int batch_stop(void **state);

/* Settings of [smartca] for one story; the phone answers only when told to. */
void batch_set_stage(const char *lines);
void batch_let_phone(const char *action);

/* Until the service has so many transactions, or was asked once more for an outcome. */
void batch_await_transactions(unsigned count);
void batch_await_poll(void);

/* A C_Sign on a thread of its own. */
struct signer {
    pthread_t thread;
    CK_SESSION_HANDLE session;
    char text[48];
    CK_BYTE signature[256];
    CK_RV rv;
};

void signers_start(struct signer *signers, size_t count, const char *name);
void signers_join(struct signer *signers, size_t count);

/* How many got a signature that is right for their document; the sessions are closed. */
size_t signers_count_signed(struct signer *signers, size_t count);
size_t signers_count_answers(const struct signer *signers, size_t count, CK_RV rv);

/* In a child: so many threads sign; the exit status is how many signatures were right. */
pid_t process_start(size_t threads, const char *name);
int process_end(pid_t child); /* its exit status; -1: a signal ended it */
void processes_start(pid_t *children, size_t count, size_t threads);

/* A session with a C_Sign under way; signature has room for 256 bytes. */
CK_SESSION_HANDLE async_begin(const char *text, CK_BYTE *signature);

/* Until it is something else than pending. */
CK_RV async_complete(CK_SESSION_HANDLE session);

#endif
