/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_QUIET_H
#define TESTS_FUZZ_QUIET_H

/*
 * A configuration of our own, made at the first call and removed at the end, so that a target that
 * initialises the module touches nothing of this machine. Everything is traced, to /dev/null.
 */
void quiet_configuration(void);

#endif
