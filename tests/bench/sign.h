/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that do nothing but sign: through a module, or with OpenSSL's EVP_PKEY_sign. */
#ifndef TESTS_BENCH_SIGN_H
#define TESTS_BENCH_SIGN_H

#include <openssl/evp.h>

#include "tests/bench/subject.h"

/* What is signed, and how. */
struct signature_kind {
    const char *name;
    const char *key_file; /* in the store "keys" */
    CK_KEY_TYPE key_type;
    CK_MECHANISM_TYPE mechanism;
    CK_ULONG input_len;
    bool is_hashed;       /* SHA-256, then PKCS#1 v1.5; else ECDSA of the input */
    unsigned batch;       /* signatures between two looks at the clock */
    const char *over_hsm; /* the goal against SoftHSM2 */
};

extern const struct signature_kind signature_rsa;
extern const struct signature_kind signature_ec;

/* One who signs: a module (key NULL), logged in, or raw OpenSSL with a key of its own. */
struct signing {
    const struct signature_kind *kind;
    const struct subject *subject;
    EVP_PKEY *key;
};

struct speed {
    double per_second; /* signatures of all threads together */
    double cpu_ns;     /* CPU time of one */
    bool was_disturbed;
};

/* The key of the limit: one for all runs, because making one takes a number of system calls that
 * differs. The caller frees it. */
EVP_PKEY *sign_read_key(const struct bench *bench, const struct signature_kind *kind);

enum { SIGN_THREADS_MAX = 8 };

/* That many threads start together, each with a session or context of its own. */
struct speed sign_for_a_while(const struct signing *signing, unsigned threads);

/* Exactly so many signatures on this thread, after one that makes things ready. */
void sign_times(const struct signing *signing, unsigned long times);

#endif
