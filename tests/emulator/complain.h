/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EMULATOR_COMPLAIN_H
#define TESTS_EMULATOR_COMPLAIN_H

/* One line on stderr, with the program's name before and a newline after it. Never pass a secret.
 */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif
