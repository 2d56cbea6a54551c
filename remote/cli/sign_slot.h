/* SPDX-License-Identifier: Apache-2.0 */
/* With what `smartca sign` signs: a slot, the certificate in it, its key, and how to get at it. */
#ifndef REMOTE_CLI_SIGN_SLOT_H
#define REMOTE_CLI_SIGN_SLOT_H

#include <openssl/x509.h>

#include "remote/cli/cms_scheme.h"
#include "remote/cli/holder.h"
#include "remote/cli/module.h"
#include "remote/cli/slot_view.h"
#include "remote/config/config.h"

struct sign_slot {
    const struct module *module;
    CK_SLOT_ID id;
    char label[SLOT_LABEL_SIZE];
    bool is_cloud; /* somebody confirms elsewhere: whatever is asked together costs one answer */
    bool needs_login;
    bool has_pinpad;                      /* the token asks for the PIN itself */
    const struct account_config *account; /* of a cloud slot; NULL: not known */
    struct token token;
    struct holder holder;
    X509 *signer; /* part of holder */
    STACK_OF(X509) *
        chain; /* issuers that the token shows, from the signer up; borrowed from holder */
    uint8_t key_id[TOKEN_ID_MAX];
    size_t key_id_len;
    const struct cms_scheme *scheme;
    enum cms_input input;
    CK_MECHANISM_TYPE mechanism;
    CK_OBJECT_HANDLE key;       /* after sign_slot_login */
    struct secret *each_secret; /* for a context-specific login before each signature; NULL: none */
};

/*
 * The slot of --slot, or else the only usable one, or the default. Nobody is asked for anything.
 * The caller sign_slot_fini()s ret_slot, whatever is returned.
 */
bool sign_slot_open(const struct cli *cli, const struct module *module, const struct config *config,
                    struct sign_slot *ret_slot, struct trouble *trouble);
void sign_slot_fini(struct sign_slot *slot);

/* Asks for what the slot wants, logs in and finds the key. */
bool sign_slot_login(const struct cli *cli, struct sign_slot *slot, struct trouble *trouble);

#endif
