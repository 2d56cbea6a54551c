/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_BASE_STATUS_H
#define REMOTE_BASE_STATUS_H

/*
 * What went wrong, told apart by what a caller can do about it. The details are in the note of
 * the call (call.h). One table in module/token/failure.c turns these into the codes of PKCS#11.
 */
enum sca_status {
    SCA_OK,
    SCA_NOMEM,         /* out of memory, or of another resource of this process */
    SCA_INVALID,       /* an argument, a configuration value or a file is not acceptable */
    SCA_NOT_FOUND,     /* no such thing */
    SCA_IO,            /* the local file system refused */
    SCA_NETWORK,       /* no usable answer: refused, no route, TLS, time-out, 5xx */
    SCA_PROTOCOL,      /* an answer that cannot be understood, or is over a limit */
    SCA_SERVICE_AUTH,  /* the service refused sp_id/sp_password, or the user, on a v1 call */
    SCA_USER_AUTH,     /* the service refused the user's password or OTP */
    SCA_REJECTED,      /* the person said no */
    SCA_CANCELLED,     /* the application gave up waiting */
    SCA_UNCONFIRMED,   /* nobody confirmed before the deadline */
    SCA_NOT_PERMITTED, /* certificate revoked, expired or not activated */
    SCA_EXHAUSTED,     /* the signing package is used up */
    SCA_MISMATCH,      /* the signature does not verify: wrong key, wrong document, corruption */
    SCA_UNSUPPORTED,   /* not with this kind of slot */
    SCA_PIN_LOCKED,    /* too many wrong PINs */
    SCA_NO_SPACE,      /* the disk, or the quota, is full */
    SCA_GONE,          /* replaced by another process meanwhile */
    SCA_BUSY,          /* others have it now: try again in a moment */
    SCA_DEVICE,        /* another module's token says no; call->device_error is its Cryptoki code */
    SCA_PENDING,       /* not decided yet, and the call does not wait for it */
    SCA_STATUS_COUNT
};

/* The name of a status, for logs and people (wording.h): a static string, never NULL. */
const char *sca_status_name(enum sca_status status);

#endif
