/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/wording.h"

#include <stddef.h>

static const char *(*chosen)(const char *text);

const char *wording(const char *text)
{
    /* To gettext, "" is the head of the translations. */
    return chosen && *text ? chosen(text) : text;
}

void wording_use(const char *(*translate)(const char *text))
{
    chosen = translate;
}
