/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to begin with, as `smartca help` shows them. */
#ifndef REMOTE_CLI_EXAMPLES_H
#define REMOTE_CLI_EXAMPLES_H

#include <stddef.h>

/* The command line, without "smartca ", of the verb's example of that number; "" for the tool as a
 * whole. NULL: there are no more. */
const char *example_get(const char *verb, size_t number);

/* All of them, on standard output; nothing where there are none. */
void examples_print(const char *verb);

#endif
