/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/complain.h"

#include <stdarg.h>
#include <stdio.h>

void complain(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)fprintf(stderr, "smartca-emulator: %s\n", text);
}
