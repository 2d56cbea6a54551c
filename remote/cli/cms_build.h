/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detached CMS signatures (RFC 5652) with the signed attributes of CAdES-B-B (EN 319 122-1), whose
 * signature value somebody else makes.
 */
#ifndef REMOTE_CLI_CMS_BUILD_H
#define REMOTE_CLI_CMS_BUILD_H

#include <stdbool.h>
#include <stdint.h>

/* cms.h has functions for PEM only where it finds this one before it. */
#include <openssl/pem.h>

#include <openssl/cms.h>

#include "remote/cli/cms_scheme.h"

/* Who signs, and when. Everything is borrowed. */
struct cms_plan {
    X509 *signer;
    STACK_OF(X509) * chain; /* issuers to go into the CMS; NULL: none */
    const struct cms_scheme *scheme;
    int64_t signing_time; /* seconds since 1970 */
};

/* A CMS without its signature value. */
struct cms_draft;

/* digest: of the document, with the scheme's hash. The caller cms_draft_free()s ret_draft. */
enum sca_status cms_draft_new(const struct cms_plan *plan, struct span digest,
                              struct cms_draft **ret_draft);
void cms_draft_free(struct cms_draft *draft);
void cms_draft_freep(struct cms_draft **draft);

/* What has to be signed: the attributes in DER. Lent until cms_draft_free. */
struct span cms_draft_attributes(const struct cms_draft *draft);

enum { CMS_SIZE_MAX = 1 << 20 };

/*
 * The whole CMS, DER or PEM. raw: what the token gave. The signature is not verified here
 * (cms_check.h does). The caller buf_fini()s ret_bytes.
 */
enum sca_status cms_draft_finish(struct cms_draft *draft, struct span raw, bool is_pem,
                                 struct buf *ret_bytes);

/* The signed attributes of a signer as they are signed (RFC 5652 section 5.4): the length, 0 if
 * there are none. The caller OPENSSL_free()s ret_der. */
size_t cms_attributes_der(const CMS_SignerInfo *signer, unsigned char **ret_der);

#endif
