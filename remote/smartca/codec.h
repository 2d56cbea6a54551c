/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sp769 v1 and v2 as bytes: requests are built, answers are taken apart. Pure functions; no URL, no
 * network, no policy. Everything the service may leave out is optional here; the wire is described
 * in remote/README.md.
 */
#ifndef REMOTE_SMARTCA_CODEC_H
#define REMOTE_SMARTCA_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"
#include "remote/smartca/json.h"

enum {
    CODEC_REQUEST_MAX = 256 * 1024,
    CODEC_ID_SIZE = 128,      /* transaction_id, tran_code, with NUL */
    CODEC_MESSAGE_SIZE = 256, /* message, cut at a character, with NUL */
    CODEC_DOC_ID_SIZE = 64,
    CODEC_CERTIFICATES_MAX = 256,
    CODEC_SIGNATURES_MAX = 1024,
    CODEC_NO_STATUS = -1,
};

/* Who asks, and for whom. Borrowed. */
struct codec_identity {
    const char *sp_id;
    const struct secret *sp_password;
    const char *user_id;
};

struct codec_sign_file {
    struct span digest;
    const char *doc_id;
};

struct codec_sign_request {
    const char *transaction_id;
    const char *transaction_desc;
    const char *serial_number;
    const char *time_stamp; /* yyyyMMddHHmmssZ */
    const struct codec_sign_file *files;
    size_t file_count;
    const struct secret *password; /* v2: the person's, and a one-time password; both NULL: v1 */
    const struct secret *otp;
};

/* v2: what makes a signature of an accepted request. */
struct codec_confirm_request {
    const char *transaction_id;
    const struct secret *password;
    const struct secret *sad;
};

/*
 * ret_body is initialised here, sensitive, written on success only; the caller buf_fini()s it then.
 * SCA_NOMEM; SCA_INVALID for something that is missing, no UTF-8, over a limit, or a digest that is
 * not 32, 48 or 64 bytes. In a sign request transaction_desc, serial_number and time_stamp may be
 * NULL and are left out then.
 */
enum sca_status codec_build_get_certificate(const struct codec_identity *who,
                                            const char *transaction_id, struct buf *ret_body);
enum sca_status codec_build_sign(const struct codec_identity *who,
                                 const struct codec_sign_request *request, struct buf *ret_body);
enum sca_status codec_build_confirm(const struct codec_identity *who,
                                    const struct codec_confirm_request *request,
                                    struct buf *ret_body);

/* signature_value is the base64 text as it came; it borrows from the reply it is in. */
struct codec_signature {
    const char *doc_id; /* NULL if the item had none, or for data.signature_value */
    const char *value;
};

/* The envelope and what sign and status put into data. Owns its JSON. */
struct codec_reply {
    cJSON *json;
    long status_code; /* CODEC_NO_STATUS if absent */
    char message[CODEC_MESSAGE_SIZE];
    char transaction_id[CODEC_ID_SIZE]; /* "" if absent or too long */
    char tran_code[CODEC_ID_SIZE];
    long expired_in;                    /* seconds, at most a day; 0 if absent or not positive */
    struct codec_signature *signatures; /* only items with a non-empty value */
    size_t signature_count;
    struct secret *sad; /* v2; NULL if absent. Not left in json */
};

/*
 * SCA_PROTOCOL with the reason in why (static text) when body is not an envelope (an object) or
 * over a limit; SCA_NOMEM. bytes as json_parse wants them. The caller codec_reply_fini()s
 * ret_reply.
 */
enum sca_status codec_parse_reply(struct span body, struct codec_reply *ret_reply,
                                  const char **why);
void codec_reply_fini(struct codec_reply *reply);

/* One of data.user_certificates[]. Texts borrow from the list's JSON; "" where absent. */
struct codec_certificate {
    const char *serial_number;
    const char *service_type;
    const char *status;      /* cert_status: text, or a number as text */
    const char *status_code; /* cert_status_code, likewise */
    struct buf leaf;         /* DER */
    struct buf ca;           /* empty if absent */
    struct buf root;         /* empty if absent */
};

struct codec_certificates {
    struct codec_reply reply;
    struct codec_certificate *items;
    size_t count;
};

/*
 * The answer of get_certificate. An item whose cert_data cannot be decoded is left out and counted
 * in ret_skipped. PEM armour and white space in the base64 are accepted. data null or without
 * user_certificates gives an empty list. Errors as of codec_parse_reply.
 */
enum sca_status codec_parse_certificates(struct span body, struct codec_certificates *ret_list,
                                         size_t *ret_skipped, const char **why);
void codec_certificates_fini(struct codec_certificates *list);

#endif
