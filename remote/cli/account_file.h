/* SPDX-License-Identifier: Apache-2.0 */
/* conf.d/account-NAME.conf, the one file of the configuration that the tool writes. */
#ifndef REMOTE_CLI_ACCOUNT_FILE_H
#define REMOTE_CLI_ACCOUNT_FILE_H

#include "remote/base/bytes.h"
#include "remote/config/config.h"

/* Where an account of that name is kept. Owns its texts. */
struct account_place {
    char *config_dir;    /* folder of the main file */
    char *conf_d;        /* config_dir/conf.d */
    char *file_name;     /* account-NAME.conf */
    char *file;          /* conf_d/file_name */
    char *password_name; /* sp-password-NAME, in config_dir */
    char *password_file;
};

/* SCA_NOMEM. The caller account_place_fini()s it in both cases. */
enum sca_status account_place_of(const char *main_file, const char *name,
                                 struct account_place *ret_place);
void account_place_fini(struct account_place *place);

/* Where a secret is: an absolute path, or this. */
#define ACCOUNT_IN_VAULT "vault:"

/* The keys of the section; NULL ones are left out. */
struct account_text {
    const char *name;
    const char *user_id;
    const char *serial;
    const char *confirm;
    const char *password;    /* where it is */
    const char *totp_secret; /* likewise */
    const char *url;
    const char *sp_id;
    const char *sp_password; /* likewise */
    const char *ca_file;
    bool notifies; /* on_confirm shows a notification */
};

/* What may run a program is never made from a value. */
#define ACCOUNT_NOTIFY_SEND "/usr/bin/notify-send"
#define ACCOUNT_NOTIFIES    "on_confirm = " ACCOUNT_NOTIFY_SEND " \"SmartCA\" \"%s\"\n"

/* The line above the section, around the account's name. */
#define ACCOUNT_REMARK     "; Written by smartca account add; smartca account remove "
#define ACCOUNT_REMARK_END " removes it."

enum { ACCOUNT_TEXT_MAX = 16384 };

/* The file as it will be. The caller buf_fini()s ret_text. SCA_NOMEM, SCA_PROTOCOL: too long,
 * SCA_INVALID: a value is not safe. */
enum sca_status account_text_make(const struct account_text *keys, struct buf *ret_text);

/* True if a value stays one value in the file: no control characters, comments, quotes. */
bool account_text_is_safe(const char *value);

/*
 * The configuration as it would be with text in place of file. Only file's problems make the
 * account missing from it (config_find_account). The caller config_free()s it. SCA_NOMEM.
 */
enum sca_status account_draft(const struct account_place *place, struct span text,
                              struct config **ret_config);

#endif
