/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer of the service means. The service documents neither whether its codes arrive as
 * HTTP status or in the body, nor the texts of rejection and expiry: what is made of both is
 * decided here and nowhere else. remote/README.md has what is open.
 */
#ifndef REMOTE_SMARTCA_VERDICT_H
#define REMOTE_SMARTCA_VERDICT_H

#include <stdbool.h>

#include "remote/catalogue/catalogue.h"
#include "remote/smartca/codec.h"

enum verdict {
    VERDICT_SIGNED,   /* signatures are in the reply */
    VERDICT_ACCEPTED, /* sign: the person is being asked */
    VERDICT_WAITING,
    VERDICT_REJECTED,
    VERDICT_EXPIRED,
    VERDICT_UNKNOWN_ID, /* the service does not know this transaction */
    VERDICT_EXISTS,     /* sign: the service knows this transaction already (64002 and the like) */
    VERDICT_SERVICE_AUTH,  /* 401: sp_id/sp_password or the user refused; see verdict_blames_user */
    VERDICT_USER_AUTH,     /* v2: the person's password refused */
    VERDICT_OTP_REFUSED,   /* v2: the one-time password refused */
    VERDICT_NOT_PERMITTED, /* 403: certificate revoked, expired, not activated */
    VERDICT_EXHAUSTED,     /* 65000: package used up */
    VERDICT_BUSY,          /* 429: ask again later */
    VERDICT_TROUBLE,       /* 5xx: outcome unknown, ask again */
    VERDICT_FAILED,        /* a definite no, in words we do not know */
};

/*
 * http_status as it came; reply NULL when the body was no envelope. For a 200 whose body cannot be
 * understood the answer is VERDICT_TROUBLE: the outcome is unknown.
 */
enum verdict verdict_of_sign(long http_status, const struct codec_reply *reply);
enum verdict verdict_of_status(long http_status, const struct codec_reply *reply);

/* The same for v2, where a 401 is the person's unless it names the service provider, and a
 * permission to sign (sad) that ran out is VERDICT_EXPIRED. */
enum verdict verdict_of_sign2(long http_status, const struct codec_reply *reply);
enum verdict verdict_of_confirm(long http_status, const struct codec_reply *reply);

/*
 * VERDICT_ACCEPTED: the list in the reply is the identity's, an empty one too (also for a 404 of
 * the service). VERDICT_UNKNOWN_ID: a 404 that is not the service's, the URL is wrong.
 */
enum verdict verdict_of_certificates(long http_status, const struct codec_reply *reply);

/* For VERDICT_SERVICE_AUTH: does the message speak of the user rather than the service provider? */
bool verdict_blames_user(const struct codec_reply *reply);

/*
 * cert_status and cert_status_code, in Vietnamese, English or numbers, as a state. Neither: active.
 * An unknown code is CERTIFICATE_UNUSABLE, an unknown text alone is CERTIFICATE_ACTIVE: the 403 at
 * signing is the authority. "expired" is CERTIFICATE_UNUSABLE; the dates in the DER are read
 * elsewhere. NULL is like "".
 */
enum certificate_state verdict_of_certificate(const char *status, const char *status_code);

#endif
