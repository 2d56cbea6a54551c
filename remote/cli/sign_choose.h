/* SPDX-License-Identifier: Apache-2.0 */
/* Which slot is meant. */
#ifndef REMOTE_CLI_SIGN_CHOOSE_H
#define REMOTE_CLI_SIGN_CHOOSE_H

#include <p11-kit/uri.h>

#include "remote/cli/module.h"
#include "remote/cli/trouble.h"
#include "remote/config/config.h"

/* What --slot says. */
struct sign_wish {
    const char *text; /* NULL: nothing */
    P11KitUri *uri; /* without the serial number; NULL: text is a label, a serial number or a slot's
                       number */
    char *serial;   /* of a URI: the token's or the certificate's; NULL: any */
};

bool sign_wish_read(const char *text, struct sign_wish *ret_wish, struct trouble *trouble);
void sign_wish_fini(struct sign_wish *wish);

/* The one slot that is meant; else in trouble which there are. */
bool sign_choose(const struct module *module, const struct config *config,
                 const struct sign_wish *wish, CK_SLOT_ID *ret_slot, struct trouble *trouble);

/* The account that shows a slot of the cloud; NULL if there is none. False, with the trouble, when
 * the catalogue cannot be read now. */
bool sign_find_account(const struct config *config, CK_SLOT_ID slot,
                       const struct account_config **ret_account, struct trouble *trouble);

#endif
