/* SPDX-License-Identifier: Apache-2.0 */
/* What every verb of the tool is given, and what it answers. */
#ifndef REMOTE_CLI_CLI_H
#define REMOTE_CLI_CLI_H

#include <libintl.h>
#include <stdbool.h>
#include <stddef.h>

#include "remote/base/wording.h"

#define _(text) gettext(text)

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_STOPPED = 130, /* by Ctrl-C, as shells have it */
};

/* The fields of the form for self-signed certificates; form.h says what they may be. */
enum form_field {
    FORM_USER,
    FORM_NAME,
    FORM_ORGANIZATION,
    FORM_UNIT,
    FORM_ISSUED_BY,
    FORM_LOCALITY,
    FORM_STATE,
    FORM_COUNTRY,
    FORM_FROM,
    FORM_YEARS,
    FORM_KEY,
    FORM_PIN, /* in files only */
    FORM_FIELD_COUNT,
};

enum { CLI_CA_FILES_MAX = 16 };
enum { CLI_PIPED_MAX = 8 }; /* more options than that do not read standard input */

/* The command line after options.c read it. Texts borrow from argv. */
struct cli {
    bool is_json;
    bool wants_help;
    bool wants_version;
    bool is_business;
    const char *module;
    const char *user_id;
    const char *serial;
    const char *confirm;
    const char *url;
    const char *sp_id;
    const char *sp_password_file;
    const char *ca_file;
    const char *form[FORM_FIELD_COUNT];
    const char *csv;
    const char *pins_out;
    const char *pin_file;
    const char *so_pin_file;
    const char *issuer_pin_file;
    const char *password_file;
    const char *out_password_file;
    const char *out;
    const char *format;
    const char *expiring;
    const char *secret_key_file;
    const char *text;
    const char *mode;
    const char *image;
    const char *econtract_user;
    const char *certificate;
    const char *company;
    const char *search;
    const char *page;
    const char *since;
    const char *slot;
    const char *account;
    bool is_sure;
    const char *out_dir;
    const char *signature;
    const char *ca_files[CLI_CA_FILES_MAX]; /* all of --ca-file, the first is ca_file too */
    size_t ca_file_count;
    bool is_pem;
    bool keeps_going;
    bool is_verbose;
    bool is_default;
    bool is_reset;
    bool is_unattended;
    bool is_pending;
    bool keeps_sp_password; /* in the vault */
    bool watches;
    bool is_exportable;
    bool is_forced;
    bool wants_new_key;
    bool destroys_old_key;
    char **operands;
    size_t operand_count;
    const char *piped[CLI_PIPED_MAX]; /* options that say "-", in the order of the command line */
    size_t piped_count;
    const char *verb;        /* its name, as far as it is known; NULL */
    const char *done_before; /* by a verb that is more than one: said with a failure; NULL */
};

/* The verbs. Each has said on stderr what went wrong when it returns something but CLI_OK. */
enum cli_exit slots_run(const struct cli *cli);
enum cli_exit account_add_run(const struct cli *cli);
enum cli_exit account_list_run(const struct cli *cli);
enum cli_exit account_refresh_run(const struct cli *cli);
enum cli_exit account_remove_run(const struct cli *cli);
enum cli_exit account_pin_run(const struct cli *cli);
enum cli_exit account_otp_run(const struct cli *cli);
enum cli_exit account_rename_run(const struct cli *cli);
enum cli_exit account_set_default_run(const struct cli *cli);
enum cli_exit account_appearance_run(const struct cli *cli);
enum cli_exit econtract_login_run(const struct cli *cli);
enum cli_exit econtract_users_run(const struct cli *cli);
enum cli_exit econtract_add_run(const struct cli *cli);
enum cli_exit econtract_update_run(const struct cli *cli);
enum cli_exit econtract_delete_run(const struct cli *cli);
enum cli_exit status_run(const struct cli *cli);
enum cli_exit doctor_run(const struct cli *cli);
enum cli_exit audit_show_run(const struct cli *cli);
enum cli_exit audit_verify_run(const struct cli *cli);
enum cli_exit pending_run(const struct cli *cli);
enum cli_exit pending_forget_run(const struct cli *cli);
enum cli_exit pending_resume_run(const struct cli *cli);
enum cli_exit selfsigned_create_run(const struct cli *cli);
enum cli_exit selfsigned_reissue_run(const struct cli *cli);
enum cli_exit selfsigned_list_run(const struct cli *cli);
enum cli_exit selfsigned_export_run(const struct cli *cli);
enum cli_exit selfsigned_import_run(const struct cli *cli);
enum cli_exit sign_run(const struct cli *cli);
enum cli_exit verify_run(const struct cli *cli);

#endif
