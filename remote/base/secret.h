/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_BASE_SECRET_H
#define REMOTE_BASE_SECRET_H

#include <stddef.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"

/*
 * A password, PIN or key in memory of its own: outside the heap, left out of core files and of
 * forked children's view, locked where the limits allow, wiped when released. No function of this
 * project formats one.
 */
struct secret;

enum { SECRET_MAX = 4096 };

/* Copies bytes (at most SECRET_MAX, else SCA_INVALID). The caller owns and secret_free()s it. */
enum sca_status secret_new(struct span bytes, struct secret **ret_secret);

/* Wipes and releases; NULL is allowed. */
void secret_free(struct secret *secret);
void secret_freep(struct secret **secret);

/* Lends the bytes, followed by a NUL; valid until secret_free. */
struct span secret_get(const struct secret *secret);

/* Overwrites memory in a way no optimiser removes. */
void secret_wipe(void *ptr, size_t len);

/*
 * Puts asterisks in place of the secret where text repeats it, also where text was cut within it:
 * services quote what they were sent. NULL, and less than four bytes, which would hide ordinary
 * words: nothing is done.
 */
void secret_hide(char *text, const struct secret *secret);

/*
 * For secrets that went through a library that frees its buffers as they are: overwrites the blocks
 * that the allocator would hand out next to a buffer of about len bytes, which are those that were
 * freed last. As good as it can be had from outside; nothing depends on it.
 */
void secret_scrub_heap(size_t len);

#endif
