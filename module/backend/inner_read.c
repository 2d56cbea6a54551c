/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "module/backend/inner.h"
#include "remote/base/bytes.h"

CK_RV inner_slots(const struct inner *inner, CK_SLOT_ID slots[static INNER_SLOTS_MAX],
                  CK_ULONG *ret_count)
{
    CK_ULONG count = 0;

    /* 2.40 section 5.5: only a question for the length makes a module look for new slots. What it
     * answers may have changed by the second call, so that goes into a buffer for all there can be.
     */
    CK_RV rv = inner->GetSlotList(CK_TRUE, NULL, &count);
    if (rv != CKR_OK)
        return rv;
    count = INNER_SLOTS_MAX;
    rv = inner->GetSlotList(CK_TRUE, slots, &count);
    if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && count > INNER_SLOTS_MAX))
        return CKR_DEVICE_ERROR;
    if (rv == CKR_OK)
        *ret_count = count;
    return rv;
}

CK_RV inner_mechanisms(const struct inner *inner, CK_SLOT_ID slot,
                       CK_MECHANISM_TYPE types[static INNER_MECHANISMS_MAX], CK_ULONG *ret_count)
{
    CK_ULONG count = INNER_MECHANISMS_MAX;

    CK_RV rv = inner->GetMechanismList(slot, types, &count);
    if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && count > INNER_MECHANISMS_MAX))
        return CKR_DEVICE_ERROR;
    if (rv == CKR_OK)
        *ret_count = count;
    return rv;
}

void inner_text(const CK_UTF8CHAR *field, size_t size, char *out)
{
    size_t len = 0;

    for (size_t i = 0; i < size && field[i]; i++)
        if (field[i] != ' ')
            len = i + 1;
    bool is_utf8 = utf8_is_valid(span_of(field, len));
    for (size_t i = 0; i < len; i++) {
        bool is_shown = field[i] >= 0x20 && field[i] != 0x7f && (is_utf8 || field[i] < 0x80);
        out[i] = is_shown ? (char)field[i] : '?';
    }
    out[len] = 0;
}
