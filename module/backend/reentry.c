/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/backend.h"

static _Thread_local unsigned depth;

void backends_enter(void)
{
    depth++;
}

void backends_leave(void)
{
    depth--;
}

bool backends_is_reentered(void)
{
    return depth > 0;
}
