/* SPDX-License-Identifier: Apache-2.0 */
/* What an application can learn of one slot without signing anything. */
#ifndef REMOTE_CLI_SLOT_VIEW_H
#define REMOTE_CLI_SLOT_VIEW_H

#include <stdint.h>

#include "remote/cli/module.h"
#include "remote/cli/workspace.h"
#include "remote/cli/x509_read.h"

enum { SLOT_LABEL_SIZE = 33, SLOT_CURE_SIZE = 512 };

/* Empty texts and zero times where the slot has none. */
struct slot_view {
    CK_SLOT_ID id;
    const char *kind; /* smartca, selfsigned, token */
    bool is_present;
    bool is_initialized;
    bool needs_login;
    bool is_locked;    /* the user's PIN, by too many wrong ones */
    bool is_so_locked; /* nor does the SO PIN unlock it */
    bool is_issuer;    /* the certificate is a local issuer's: it signs no documents */
    const char *pin;   /* ok, wrong_pins, final_try, locked, not_set; NULL: none is asked for */
    char label[SLOT_LABEL_SIZE];
    char serial[CERTIFICATE_SERIAL_HEX]; /* of the certificate; of the token where it has none */
    char key_type[X509_KEY_TYPE_SIZE];
    char *subject; /* RFC 2253 with UTF-8 as it is; NULL: no certificate */
    int64_t not_before;
    int64_t not_after;
};

/* The caller slot_view_fini()s it, whatever is returned. */
CK_RV slot_view_read(const struct module *module, CK_SLOT_ID id, struct slot_view *ret_view);

/* What unlocks its PIN, translated. account: of a slot in the cloud; NULL: not known. module: the
 * path of the module that shows the slot. */
void slot_view_cure(const struct slot_view *view, const char *account, const char *module,
                    char out[static SLOT_CURE_SIZE]);

/* True for a self-signed token without a certificate and its key; out: what makes them, translated.
 */
bool slot_view_lacks_key(const struct slot_view *view, char out[static SLOT_CURE_SIZE]);
void slot_view_fini(struct slot_view *view);

#endif
