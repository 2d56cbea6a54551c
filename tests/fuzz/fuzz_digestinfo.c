/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the DigestInfo parser; what it accepts must be what it says. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "module/token/digestinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span digest = {0};
    bool is_length = false;
    enum crypto_hash hash = digestinfo_parse(span_of(data, size), &digest, &is_length);

    if (hash == CRYPTO_NO_HASH)
        return 0;
    /* The digest is the tail of the input, of the hash's length, and not all of it. */
    if (is_length || digest.len != crypto_hash_len(hash) || digest.len >= size ||
        digest.ptr + digest.len != data + size)
        abort();
    return 0;
}
