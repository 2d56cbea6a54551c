/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 v3 certificates of RFC 5280 that somebody else signs. */
#ifndef REMOTE_CLI_X509_BUILD_H
#define REMOTE_CLI_X509_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>

#include "remote/base/bytes.h"
#include "remote/cli/key_spec.h"

/* Parts of a name, in the order they are written in. NULL: left out. */
struct x509_subject {
    const char *country; /* two letters */
    const char *state;
    const char *locality;
    const char *organization;
    const char *organizational_unit;
    const char *common_name;
    const char *user_id;
};

/* What the certificate says. Everything is borrowed. */
struct x509_plan {
    struct x509_subject subject;
    EVP_PKEY *key; /* the public key of the subject */
    int64_t not_before;
    int64_t not_after;
    bool is_authority; /* may sign certificates of people, but not of further authorities */
    X509 *issuer;      /* NULL: signed with the subject's own key */
};

/* Who signs. sign gives the signature of tbs as X.509 wants it into ret_signature, which is empty.
 */
struct x509_signer {
    const struct key_spec *spec;
    EVP_PKEY *key;
    enum sca_status (*sign)(void *sign_arg, struct span tbs, struct buf *ret_signature);
    void *sign_arg;
};

/*
 * Has the certificate signed and verifies it. Serial number: 128 random bits. SCA_MISMATCH if the
 * signature does not verify, SCA_NOMEM, or what sign returned. The caller X509_free()s ret_x509.
 */
enum sca_status x509_build(const struct x509_plan *plan, const struct x509_signer *signer,
                           X509 **ret_x509);

#endif
