/* SPDX-License-Identifier: Apache-2.0 */
/* The real module, the real network half, and the emulated service over real TLS, for one test. */
#ifndef TESTS_INTEGRATION_HARNESS_H
#define TESTS_INTEGRATION_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "module/cryptoki.h"

struct world {
    char folder[64];  /* everything is in here */
    char service[64]; /* https://127.0.0.1:PORT */
    pid_t emulator;
    int life; /* the emulator ends when this is closed */
    CK_FUNCTION_LIST *p11;
    struct cryptoki_list_3_0 *p11_3;
    struct cryptoki_list_3_2 *p11_32;
};

/*
 * A folder, an emulator started with these options (ended by NULL), a configuration with one
 * account and extra lines for [smartca], the module loaded and C_Initialize done. Asserts.
 */
void world_start(struct world *world, const char *const *options, const char *smartca_lines);
void world_stop(struct world *world);

/* The same without C_Initialize, for a program that forks before. */
void world_prepare(struct world *world, const char *const *options, const char *smartca_lines);

/* Writes the configuration anew. */
void world_configure(const struct world *world, const char *smartca_lines);

/* C_Finalize and C_Initialize: what another program would see. */
void world_restart_module(struct world *world);

/* Another process of the same service, at another port: what the first one had in memory is gone.
 */
void world_restart_service(struct world *world);

/* POST json to /control/path; asserts success. */
void world_control(const struct world *world, const char *path, const char *json);

/* GET /control/path; the caller cJSON_Delete()s. */
cJSON *world_ask(const struct world *world, const char *path);

/* Requests the service saw at that endpoint ("sign", "status", "get_certificate"). */
unsigned world_requests(const struct world *world, const char *endpoint);

/* Transactions that the service accepted. */
unsigned world_transactions(const struct world *world);

/* The phone answers everything that waits now: "approve", "reject", "expire". */
void world_decide(const struct world *world, const char *action);
void world_approve(const struct world *world);

/* The only slot, or the first. */
CK_SLOT_ID world_slot(const struct world *world);
CK_SESSION_HANDLE world_session(const struct world *world, CK_NOTIFY notify, void *application);
CK_OBJECT_HANDLE world_key(const struct world *world, CK_SESSION_HANDLE session,
                           CK_OBJECT_CLASS class);

/* C_SignInit and C_Sign with CKM_SHA256_RSA_PKCS of text; signature has room for 256 bytes. */
CK_RV world_sign(const struct world *world, CK_SESSION_HANDLE session, const char *text,
                 CK_BYTE *signature);

/* Does OpenSSL, with the public key object, accept the signature? */
bool world_verifies(const struct world *world, CK_SESSION_HANDLE session, const char *text,
                    const CK_BYTE *signature);

/* Milliseconds, monotonic. */
uint64_t world_now_ms(void);

#endif
