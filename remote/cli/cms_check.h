/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a detached CMS signature belongs to a document, and who made it. Trust is another thing:
 * cms_trust.h. */
#ifndef REMOTE_CLI_CMS_CHECK_H
#define REMOTE_CLI_CMS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "remote/base/bytes.h"

enum cms_state {
    CMS_STATE_RIGHT,
    CMS_STATE_CHANGED,       /* made with that key, for another content */
    CMS_STATE_WRONG,         /* not made with that key */
    CMS_STATE_MISATTRIBUTED, /* its signed attributes name another certificate */
    CMS_STATE_ANONYMOUS,     /* the signer's certificate is not inside */
};

/* One signer. */
struct cms_finding {
    enum cms_state state;
    X509 *signer;         /* NULL: CMS_STATE_ANONYMOUS */
    int64_t signing_time; /* as the signer says; 0: it says none */
};

struct cms_report {
    struct cms_finding *items;
    size_t count;                  /* at least one */
    STACK_OF(X509) * certificates; /* all that are inside; NULL: none */
};

enum { CMS_FILE_MAX = 16 << 20 };

/*
 * Checks cms, DER or PEM, for the content that fd gives from its present position on; in constant
 * memory, whatever its length. SCA_OK with a finding for each signer; SCA_PROTOCOL: it is no
 * detached CMS signature; SCA_UNSUPPORTED: digest not known; SCA_IO: fd cannot be read; SCA_NOMEM.
 * The caller cms_report_fini()s ret_report, whatever is returned.
 */
enum sca_status cms_check(struct span cms, int fd, struct cms_report *ret_report);
void cms_report_fini(struct cms_report *report);

#endif
