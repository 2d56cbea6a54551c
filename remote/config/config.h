/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: where it is, what it may say (smartca-pkcs11.conf(5)), and what is wrong. */
#ifndef REMOTE_CONFIG_CONFIG_H
#define REMOTE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "remote/base/identity.h"
#include "remote/base/log.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"

enum confirm_mode {
    CONFIRM_APP,
    CONFIRM_OTP,
    CONFIRM_TOTP,
};

/* As the configuration and the tool spell them, by enum confirm_mode; NULL at the end. */
extern const char *const confirm_names[];

enum audit_mode {
    AUDIT_ALL,
    AUDIT_REMOTE, /* signatures of identities at a service only */
    AUDIT_NONE,
};

enum secret_kind {
    SECRET_NONE,
    SECRET_LITERAL,
    SECRET_FILE,
    SECRET_ENV,
    SECRET_VAULT,
};

/* Where a secret is. text is the literal, the path or the name of the variable; NULL otherwise. */
struct secret_ref {
    enum secret_kind kind;
    char *text;
};

/* The keys of [smartca], as they hold for one account. Strings are NULL where nothing was said. */
struct service_config {
    char *url; /* without a slash at the end */
    char *sp_id;
    struct secret_ref sp_password;
    char *ca_file;
    char *pinned_public_key;
    char *proxy;
    char *on_confirm;
    unsigned connect_timeout_ms;
    unsigned request_timeout_ms;
    unsigned confirm_timeout_ms;
    unsigned poll_interval_ms;
    unsigned batch_window_ms;
    unsigned batch_max;
    unsigned max_prompts;        /* open confirmations of the account at a time */
    unsigned reject_cooldown_ms; /* a rejection answers for the same digest this long */
};

/* One [account NAME]. */
struct account_config {
    char *name;
    struct service_config service; /* [smartca] with what the account repeats */
    char *user_id;
    char *serial; /* NULL: every certificate of user_id */
    enum confirm_mode confirm;
    struct secret_ref password;
    struct secret_ref totp_secret;
    bool otp_login_context;
    bool pin_required;
    bool protected_path;
    bool extra_hashes;
    bool shows_async; /* CKF_ASYNC_SESSION_SUPPORTED among the token flags */
    char *file;       /* where the section is */
    unsigned line;
};

/* Whose certificates they are; borrows from account. */
struct identity config_identity(const struct account_config *account);

/* One [token NAME]: another PKCS#11 module whose tokens are passed through. */
struct token_config {
    char *name;
    char *module;  /* absolute path */
    char *slots;   /* "all", or the label of a token; never NULL */
    bool releases; /* the module is finalised while nobody is logged in to its tokens */
    char *file;    /* where the section is */
    unsigned line;
};

/* [selfsigned]: what the form "Generate self-signed certificate" starts from. NULL, 0: not said. */
struct selfsigned_config {
    char *organization;
    char *organizational_unit;
    char *issued_by;
    char *locality;
    char *state;
    char *country; /* two letters, upper case */
    unsigned years;
};

/* [econtract]. NULL, 0: not said. */
struct econtract_config {
    char *url; /* without a slash at the end */
    char *username;
    struct secret_ref password;
    char *company_id;
    char *ca_file;
    char *pinned_public_key;
    char *proxy;
    unsigned connect_timeout_ms;
    unsigned request_timeout_ms;
};

/* One thing that is wrong. line is 0 where the whole file is meant. */
struct config_problem {
    char *file;
    unsigned line;
    char *reason; /* what is wrong and what to do, one sentence */
};

/*
 * The whole configuration: immutable after loading, owned by whoever loaded it. A section with a
 * problem is not in accounts or tokens; a problem in [smartca] takes every account that depends on
 * it away.
 */
struct config {
    char *log_target; /* never NULL */
    enum log_level log_level;
    char *state_dir; /* never NULL */
    enum audit_mode audit;
    unsigned audit_max_mib; /* a file of the audit log is closed above it */
    unsigned audit_keep;    /* closed ones that are kept; 0: all */
    char *main_file;        /* the file that was read, or the one that would be; never NULL */
    struct account_config *accounts; /* in the order of the files, name order in conf.d */
    size_t account_count;
    struct token_config *tokens; /* in the same order */
    size_t token_count;
    struct selfsigned_config selfsigned;
    struct econtract_config econtract; /* url NULL: there is none, or it has a problem */
    struct config_problem *problems;
    size_t problem_count;
};

/*
 * Finds and reads the main file and conf.d/ *.conf beside it, in name order. Returns SCA_OK also
 * when files are missing or parts are wrong: see problems. SCA_NOMEM otherwise. Environment only
 * through secure_getenv; under AT_SECURE only /etc counts.
 */
enum sca_status config_load(struct config **ret_config);

/*
 * Reads the same main file and its conf.d/ again, for who has to notice new sections while a
 * program runs: without a look at the environment, which belongs to the host's threads then.
 * state_dir is known's.
 */
enum sca_status config_load_again(const struct config *known, struct config **ret_config);
void config_free(struct config *config);
void config_freep(struct config **config);

/* The account of that name, or NULL. */
const struct account_config *config_find_account(const struct config *config, const char *name);

/*
 * Fetches a secret from where it is: SCA_NOT_FOUND for SECRET_NONE, SCA_USER_AUTH for
 * SECRET_VAULT, which only a login opens, SCA_INVALID or SCA_IO with the reason in why (static
 * text). One newline at the end of a file is not part of it; a secret is one line. The caller owns
 * ret_secret.
 */
enum sca_status secret_ref_fetch(const struct secret_ref *ref, struct secret **ret_secret,
                                 const char **why);

enum { SECRET_PLACE_SIZE = 128 };

/* " (/path)" or " (variable NAME)", to follow the reason why a secret cannot be had; "" for others.
 * A path too long for a message is cut at its beginning. Returns out. */
const char *secret_ref_place(const struct secret_ref *ref, char out[static SECRET_PLACE_SIZE]);

#endif
