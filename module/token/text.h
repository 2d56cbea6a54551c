/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_TOKEN_TEXT_H
#define MODULE_TOKEN_TEXT_H

#include <stddef.h>

/* Fills field with UTF-8 text cut at a character boundary and padded with blanks, without a NUL. */
void text_pad(unsigned char *field, size_t size, const char *text);

#endif
