/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time that only moves when somebody waits, for a whole program: it is linked with --wrap of
 * clock_gettime, time and lock_wait_for (CMakeLists.txt, smartca_frozen). One thread only.
 */
#ifndef TESTS_FUZZ_FROZEN_H
#define TESTS_FUZZ_FROZEN_H

#include <stdint.h>

/* Back to the beginning, or on by so much. */
void frozen_reset(void);
void frozen_pass(uint64_t ms);

#endif
