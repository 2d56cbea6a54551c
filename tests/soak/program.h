/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the tool smartca. */
#ifndef TESTS_SOAK_PROGRAM_H
#define TESTS_SOAK_PROGRAM_H

#include <stdint.h>

/*
 * Its arguments without argv[0], ended by NULL; what it prints goes to the file out. Its exit
 * code; -1 when it was ended by a signal, or had to be after limit_ms.
 */
int program_run(const char *const *args, const char *out, uint64_t limit_ms);

#endif
