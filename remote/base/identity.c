/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/identity.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

bool identity_equal(struct identity a, struct identity b)
{
    return strcmp(a.user_id, b.user_id) == 0 && strcmp(a.url, b.url) == 0;
}

enum sca_status identity_name(struct identity identity, char ret_name[static IDENTITY_NAME_SIZE])
{
    AUTO(freep) char *text = NULL;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const EVP_MD *md = crypto_md(CRYPTO_SHA256);

    if (!md || asprintf(&text, "%s\n%s", identity.url, identity.user_id) < 0) {
        text = NULL;
        return SCA_NOMEM;
    }
    if (EVP_Digest(text, strlen(text), digest, &len, md, NULL) != 1)
        return SCA_NOMEM;
    hex_encode(span_of(digest, len), ret_name);
    return SCA_OK;
}
