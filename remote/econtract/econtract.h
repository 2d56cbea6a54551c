/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The eContract service: users and the SmartCA certificates they sign with. Every answer is {data,
 * success, code, messages}; what it says is reported as it comes.
 */
#ifndef REMOTE_ECONTRACT_ECONTRACT_H
#define REMOTE_ECONTRACT_ECONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/call.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"
#include "remote/config/config.h"
#include "remote/http/http.h"

enum {
    ECONTRACT_OK = 0,
    ECONTRACT_OTP_NEEDED = 100, /* "OTP confirmation required" */
    ECONTRACT_MESSAGE_SIZE = 512,
};

/* What the envelope said, of the last answer. */
struct econtract_verdict {
    long http_status;
    bool success;
    long code;
    char messages[ECONTRACT_MESSAGE_SIZE]; /* joined with "; ", UTF-8 */
};

struct econtract;

/*
 * config is borrowed; state_dir is where the token is kept (vault/econtract, sealed under the
 * password: no password, no token). transport NULL: HTTPS by config.
 */
enum sca_status econtract_new(const struct econtract_config *config, const char *state_dir,
                              struct transport *transport, struct econtract **ret_econtract);
void econtract_free(struct econtract *econtract);

/* In the place of the password that config says. */
void econtract_use_password(struct econtract *econtract, struct secret *take_password);
void econtract_freep(struct econtract **econtract);

/* Of the last call. */
const struct econtract_verdict *econtract_verdict(const struct econtract *econtract);

/* A company to choose from, when the user belongs to several. */
struct econtract_company {
    char *id;
    char *name;
};

struct econtract_companies {
    struct econtract_company *items;
    size_t count;
};
void econtract_companies_fini(struct econtract_companies *companies);

/*
 * Logs in and keeps the Bearer token for its 24 hours; the calls below do this by themselves when
 * there is no token, or the service does not take it any more (401), once. otp may be NULL.
 * SCA_OK with companies of a count above 0: nothing is decided, call again with company_id.
 * SCA_USER_AUTH; SCA_NOT_FOUND: an OTP is needed (ECONTRACT_OTP_NEEDED).
 */
enum sca_status econtract_login(struct econtract *econtract, struct call *call,
                                const char *company_id, const struct secret *otp,
                                struct econtract_companies *ret_companies);

/* One of userCertificates. Texts are never NULL. */
struct econtract_certificate {
    int64_t id;
    char *name;
    char *common_name;
    char *uid;
    char *serial_number;
    char *subject_dn;
    char *valid_from; /* as the service wrote them */
    char *valid_to;
    char *smart_ca_username;
    long status;
    bool is_valid;
    bool is_business;
};

struct econtract_user {
    int64_t id;
    char *code;
    char *name;
    char *email;
    char *signature_text;
    int64_t default_id; /* of defaultSmartCa, or smartCaId; 0: none */
    struct econtract_certificate
        *certificates; /* NULL: the answer does not tell, as lists do not */
    size_t certificate_count;
};
void econtract_user_fini(struct econtract_user *user);

struct econtract_users {
    struct econtract_user *items;
    size_t count;
    size_t total; /* over all pages */
    bool has_next;
};
void econtract_users_fini(struct econtract_users *users);

/* GET /api/users: one page (from 1). search may be NULL. */
enum sca_status econtract_list_users(struct econtract *econtract, struct call *call,
                                     const char *search, unsigned page, unsigned page_size,
                                     struct econtract_users *ret_users);

/* POST /api/users/smart-ca/add. serial NULL: every certificate of user_name, the SmartCA uid. */
enum sca_status econtract_add(struct econtract *econtract, struct call *call, int64_t user_id,
                              const char *user_name, const char *serial,
                              struct econtract_user *ret_user);

/* POST /api/users/smart-ca/update. name NULL: as it is. ret_user may get nothing: zeros. */
enum sca_status econtract_update(struct econtract *econtract, struct call *call,
                                 int64_t certificate_id, int64_t user_id, bool is_default,
                                 const char *name, struct econtract_user *ret_user);

/* POST /api/users/smart-ca/delete. */
enum sca_status econtract_delete(struct econtract *econtract, struct call *call,
                                 int64_t certificate_id, int64_t user_id,
                                 struct econtract_user *ret_user);

#endif
