/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that work: two with the module, one that runs the tool. */
#ifndef TESTS_SOAK_WORKER_H
#define TESTS_SOAK_WORKER_H

#include <stdatomic.h>

#include <openssl/evp.h>

#include "tests/integration/harness.h"
#include "tests/soak/post.h"

#define SOAK_USER  "012345678901" /* signs in the worker processes */
#define TOOL_USER  "012345678902" /* signs with the tool */
#define LOCAL_USER "soak.local"   /* has the self-signed token */
#define LOCAL_PIN  "12345678"

struct job {
    const struct world *world;
    struct office *office;
    uint64_t seed;
    unsigned number; /* of the process, from 0 */
};

/*
 * Runs a worker process; these return its exit code. Descriptors 1 and 2 are a file that stays
 * empty: neither the module nor a sanitizer has anything to say.
 */
int worker_run(const struct job *job);
int tool_run(const struct job *job);

/* A thread of a worker process, the self-signed slot's; arg is its struct job. */
void *local_run(void *arg);

/* The token of that model ("SmartCA") whose label begins so; false when there is none. */
bool slot_find(const struct world *world, const char *model, const char *label,
               CK_SLOT_ID *ret_slot);

/* The key in the service's file of that user's certificate; NULL. The caller frees it. */
EVP_PKEY *certificate_key(const struct world *world, const char *user_id);

/* Does OpenSSL accept the PKCS#1 signature of the text, with SHA-256? */
bool signature_is_right(EVP_PKEY *key, const void *text, size_t len, const uint8_t *signature);

#endif
