/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys sign documents, and how: one row for each kind. */
#ifndef REMOTE_CLI_CMS_SCHEME_H
#define REMOTE_CLI_CMS_SCHEME_H

#include <openssl/types.h>
#include <p11-kit/pkcs11.h>

#include "remote/base/bytes.h"
#include "remote/base/crypto.h"

enum cms_input {
    CMS_INPUT_WHOLE,       /* the token is given the attributes as they are */
    CMS_INPUT_DIGEST,      /* their digest */
    CMS_INPUT_DIGEST_INFO, /* their digest in a DigestInfo (RFC 8017 section 9.2) */
};

struct cms_scheme {
    const char *algorithm;   /* as OpenSSL calls the key */
    const char *group;       /* NULL: any */
    enum crypto_hash digest; /* of the document and of the attributes (RFC 8419: SHA-512) */
    CK_MECHANISM_TYPE mechanism;
    enum cms_input input;
    CK_MECHANISM_TYPE plain_mechanism; /* for a token without mechanism; takes a DigestInfo */
};

#define CMS_NO_MECHANISM ((CK_MECHANISM_TYPE)-1)

/* How a key signs; NULL for one that does not sign documents here. */
const struct cms_scheme *cms_scheme_of(EVP_PKEY *key);

enum { CMS_INPUT_LIMIT = 65536 };

/* What the token is given for attributes. The caller buf_fini()s ret_input. */
enum sca_status cms_scheme_input(const struct cms_scheme *scheme, enum cms_input input,
                                 struct span attributes, struct buf *ret_input);

/* What CMS wants of what the token gave: ECDSA signatures in DER, others as they are. */
enum sca_status cms_scheme_signature(const struct cms_scheme *scheme, struct span raw,
                                     struct buf *ret_signature);

#endif
