/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EMULATOR_UUID_H
#define TESTS_EMULATOR_UUID_H

enum { UUID_LEN = 36 };

/* A random (version 4) UUID in lower case and a NUL. */
void uuid_make(char out[UUID_LEN + 1]);

#endif
