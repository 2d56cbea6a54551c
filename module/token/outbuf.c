/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/outbuf.h"

#include <string.h>

CK_RV outbuf_reserve(const void *out, CK_ULONG *len, CK_ULONG need, bool *ret_is_answered)
{
    CK_ULONG room = *len;

    *len = need;
    *ret_is_answered = !out || room < need;
    return out && room < need ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

CK_RV outbuf_list(CK_ULONG *out, CK_ULONG *count, const CK_ULONG *items, CK_ULONG item_count)
{
    bool is_answered = false;
    CK_RV rv = outbuf_reserve(out, count, item_count, &is_answered);
    if (!is_answered && item_count)
        memcpy(out, items, item_count * sizeof(*items));
    return rv;
}
