/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest in somebody else's process puts aside before it works in libcurl, and puts back
 * afterwards: the signal mask, the thread's default OpenSSL context and its error queue.
 */
#ifndef REMOTE_HTTP_GUEST_H
#define REMOTE_HTTP_GUEST_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

struct guest_error; /* one entry of the error queue */

/* Lives on the stack between enter and leave, on one thread; the pairs do not nest. */
struct guest {
    sigset_t signals;
    bool is_pipe_ours; /* a SIGPIPE pending at the end is of our making */
    OSSL_LIB_CTX *libctx;
    struct guest_error *errors;
    size_t error_count;
};

/* libctx becomes the thread's default; NULL leaves the default as it is. */
void guest_enter(struct guest *guest, OSSL_LIB_CTX *libctx);
void guest_leave(struct guest *guest);

/*
 * True once OpenSSL's own exit handler has run. A host may still call us then, from a handler it
 * registered earlier; nothing of TLS may be touched, and the kernel closes what is open.
 */
bool guest_is_too_late(void);

#endif
