/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far an identity has come on the way from the request in VNeID to a certificate that signs.
 * The service shows only a part of it; the rest happens on the phone.
 */
#ifndef REMOTE_CLI_STAGE_H
#define REMOTE_CLI_STAGE_H

#include <stdint.h>

#include "remote/base/status.h"
#include "remote/catalogue/catalogue.h"
#include "remote/config/config.h"

enum stage {
    STAGE_UNKNOWN,        /* the service could not be asked */
    STAGE_NO_ACCOUNT,     /* the service does not know the identity */
    STAGE_NO_CERTIFICATE, /* it does, and there is no certificate yet */
    STAGE_NOT_ACTIVATED,  /* issued; to be activated in the app */
    STAGE_ACTIVE,         /* signs */
    STAGE_EXPIRED,
    STAGE_REVOKED,
    STAGE_UNUSABLE,        /* in words of the service that nobody documents */
    STAGE_PACKAGE_USED_UP, /* active, without signatures left */
    STAGE_COUNT
};

/* What the service's answer, and the catalogue after it, say of an account. catalogue may be NULL,
 * unless fetched is SCA_OK.
 * ret_entry: the certificate that the stage is about; slot_id 0 if there is none. */
enum stage stage_of(const struct account_config *account, enum sca_status fetched,
                    const struct catalogue *catalogue, int64_t now,
                    struct catalogue_entry *ret_entry);

/* For JSON: no_account, no_certificate ... */
const char *stage_code(enum stage stage);

/* For people, in their language: what it means, and what to do next. */
const char *stage_meaning(enum stage stage);
const char *stage_next_step(enum stage stage);

/* The steps of the way, from 0; NULL after the last. */
const char *stage_step(unsigned number);

enum step_mark {
    STEP_DONE,
    STEP_NEXT,
    STEP_LATER,
    STEP_UNSEEN, /* done or not: the service does not show it */
};
enum step_mark stage_mark(enum stage stage, unsigned number);

#endif
