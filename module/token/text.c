/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/text.h"

#include <string.h>

#include "remote/base/bytes.h"

void text_pad(unsigned char *field, size_t size, const char *text)
{
    size_t len = utf8_cut(text, size);
    memset(field, ' ', size);
    memcpy(field, text, len);
}
