/* SPDX-License-Identifier: Apache-2.0 */
/* Where the service's documents are silent or contradict each other: each reading is a switch. */
#ifndef TESTS_EMULATOR_BEHAVIOUR_H
#define TESTS_EMULATOR_BEHAVIOUR_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "remote/base/status.h"

enum { BEHAVIOUR_TEXT_MAX = 256 };

enum errors_in { ERRORS_BOTH, ERRORS_HTTP, ERRORS_BODY };
enum status_id { STATUS_ID_BOTH, STATUS_ID_TRANSACTION, STATUS_ID_TRAN_CODE };
enum waiting_list { WAITING_NULL, WAITING_ABSENT, WAITING_EMPTY };
enum signature_form { SIGNATURE_LIST, SIGNATURE_DIRECT };
enum signature_type { SIGNATURE_PKCS1, SIGNATURE_CMS };
enum base64_form { BASE64_PLAIN, BASE64_CRLF, BASE64_SPACES, BASE64_PEM };
enum reply_id { REPLY_ID_SAME, REPLY_ID_OTHER };
enum otp_reuse { OTP_REUSE_REFUSED, OTP_REUSE_ALLOWED };
enum exists_v2 { EXISTS_ERROR, EXISTS_SAD };
enum confirm_again { CONFIRM_AGAIN_SAME, CONFIRM_AGAIN_ERROR };
enum unknown_user { UNKNOWN_USER_ERROR, UNKNOWN_USER_EMPTY };
enum econtract_errors { ECONTRACT_ERRORS_BODY, ECONTRACT_ERRORS_HTTP };

/* One value per switch, a plain struct: a request works on the copy made when it arrived. */
struct behaviour {
    int errors;             /* enum errors_in */
    int status_id;          /* enum status_id */
    int waiting_list;       /* enum waiting_list */
    int signature_form;     /* enum signature_form */
    int signature_type;     /* enum signature_type */
    int signature_base64;   /* enum base64_form, never BASE64_PEM */
    int certificate_base64; /* enum base64_form */
    int reply_id;           /* enum reply_id */
    int otp_reuse;          /* enum otp_reuse */
    int exists_v2;          /* enum exists_v2 */
    int confirm_again;      /* enum confirm_again */
    int unknown_user;       /* enum unknown_user */
    int econtract_errors;   /* enum econtract_errors */

    int has_doc_id_when_single;
    int has_expired_in_sign;
    int has_expired_in_status;
    int has_cert_status_code;
    int has_root_cert;
    int is_certificate_reduced;
    int is_waiting_409;
    int is_uppercase;
    int needs_serial;
    int needs_status_credentials;
    int allows_sha1;
    int refuses_list_when_used_up;
    int is_v2_without_sad;
    int needs_econtract_otp;

    int code_success;
    int code_exists;
    int code_unknown;
    int code_rejected;
    int code_expired;
    int code_failed;
    int code_otp_wrong;
    int lifetime_s;
    int sad_lifetime_s;
    int otp_steps;
    int otp_offset_s; /* may be negative */
    int econtract_token_s;
    int documents_max;

    char text_certificates[BEHAVIOUR_TEXT_MAX];
    char text_sign[BEHAVIOUR_TEXT_MAX];
    char text_waiting[BEHAVIOUR_TEXT_MAX];
    char text_signed[BEHAVIOUR_TEXT_MAX];
    char text_confirmed[BEHAVIOUR_TEXT_MAX];
    char text_rejected[BEHAVIOUR_TEXT_MAX];
    char text_expired[BEHAVIOUR_TEXT_MAX];
    char text_failed[BEHAVIOUR_TEXT_MAX];
    char text_exists[BEHAVIOUR_TEXT_MAX];
    char text_unknown[BEHAVIOUR_TEXT_MAX];
    char retry_after[BEHAVIOUR_TEXT_MAX];
};

/* Seconds since 1970 by the clock of the service. */
int64_t behaviour_now(const struct behaviour *behaviour);

void behaviour_init(struct behaviour *behaviour);

/* SCA_NOT_FOUND: no such switch; SCA_INVALID: not a value of it. Nothing is changed then. */
enum sca_status behaviour_set(struct behaviour *behaviour, const char *name, const char *value);

/* The same for a JSON text, number or boolean. */
enum sca_status behaviour_set_json(struct behaviour *behaviour, const cJSON *item);

/* All switches and their values, as an object the caller deletes; NULL without memory. */
cJSON *behaviour_json(const struct behaviour *behaviour);

#endif
