/* SPDX-License-Identifier: Apache-2.0 */
/* The text of conf.d/account-NAME.conf under another name. Pure. */
#ifndef REMOTE_CLI_ACCOUNT_TITLE_H
#define REMOTE_CLI_ACCOUNT_TITLE_H

#include "remote/base/bytes.h"

/* What changes, and to what. Borrowed. */
struct account_title {
    const char *old_name;
    const char *new_name;
    const char *old_password_file; /* NULL: sp_password stays where it is */
    const char *new_password_file;
};

/*
 * The first line that account add writes, the heading of the section and the place of sp_password
 * are changed; everything else is kept byte for byte. The caller buf_fini()s ret_text.
 * SCA_NOT_FOUND: there is no such heading. SCA_PROTOCOL: too long. SCA_NOMEM.
 */
enum sca_status account_title_change(struct span text, const struct account_title *title,
                                     struct buf *ret_text);

#endif
