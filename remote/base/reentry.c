/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/reentry.h"

static _Thread_local unsigned depth;

void reentry_enter(void)
{
    depth++;
}

void reentry_leave(void)
{
    depth--;
}

bool reentry_is_inside(void)
{
    return depth > 0;
}
