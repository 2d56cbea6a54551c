/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_TOKEN_OUTBUF_H
#define MODULE_TOKEN_OUTBUF_H

#include <stdbool.h>

#include "module/cryptoki.h"

/*
 * The convention for variable-length output (2.40 section 5.2), written once: sets *len to need.
 * ret_is_answered: the caller asked for the length only, or has too little room
 * (CKR_BUFFER_TOO_SMALL); either way the operation stays as it was and nothing is produced.
 */
CK_RV outbuf_reserve(const void *out, CK_ULONG *len, CK_ULONG need, bool *ret_is_answered);

/* The same for a list of CK_ULONG: copies it when there is room. */
CK_RV outbuf_list(CK_ULONG *out, CK_ULONG *count, const CK_ULONG *items, CK_ULONG item_count);

#endif
