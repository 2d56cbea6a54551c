/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "module/token/handlers.h"
#include "module/token/session.h"
#include "remote/base/crypto.h"

/* NSS and OpenSSL draw from every token that claims a generator, so cloud tokens claim none. */
static CK_RV check(const struct session *s, const CK_BYTE *data, CK_ULONG len)
{
    if (!s->slot->token->has_random)
        return CKR_RANDOM_NO_RNG;
    return !data && len ? CKR_ARGUMENTS_BAD : CKR_OK;
}

CK_RV random_seed(struct session *s, CK_BYTE *seed, CK_ULONG seed_len)
{
    CK_RV rv = check(s, seed, seed_len);
    return rv == CKR_OK ? CKR_RANDOM_SEED_NOT_SUPPORTED : rv;
}

CK_RV random_generate(struct session *s, CK_BYTE *data, CK_ULONG data_len)
{
    CK_RV rv = check(s, data, data_len);
    if (rv != CKR_OK || data_len == 0)
        return rv;
    (void)ERR_set_mark();
    rv = RAND_bytes_ex(crypto_libctx(), data, data_len, 0) == 1 ? CKR_OK : CKR_FUNCTION_FAILED;
    (void)ERR_pop_to_mark();
    return rv;
}
