/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another vendor's module that answers from an input: lengths, counts, codes, texts. It writes only
 * where it may, as what it writes elsewhere nobody can survive. p11-kit, which would load it, is
 * replaced: link with --wrap of dlopen and dlsym (CMakeLists.txt).
 */
#ifndef TESTS_FUZZ_INNER_FAKE_H
#define TESTS_FUZZ_INNER_FAKE_H

#include "tests/fuzz/feed.h"

enum { INNER_FAKE_KINDS = 4 };

/* What it answers from now on. Lent. */
void inner_fake_feed(struct feed *feed);

/* The signature it gave last; empty if there was none since inner_fake_feed. */
struct span inner_fake_signed(void);

#endif
