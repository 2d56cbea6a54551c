/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an account without the phone (SmartCA TH, sp769 v2) proves itself with: the person's
 * password and a one-time password, typed (confirm = otp) or computed (confirm = totp). One of
 * these accompanies one call; no code in it is ever sent twice.
 */
#ifndef REMOTE_SMARTCA_SECOND_FACTOR_H
#define REMOTE_SMARTCA_SECOND_FACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/base/call.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"
#include "remote/remote.h"
#include "remote/smartca/client.h"

struct second_factor {
    const struct smartca_client *client;          /* borrowed, as the next */
    const struct remote_credentials *credentials; /* what a login opened */
    struct secret *fetched_password;              /* from where the configuration says */
    const struct secret *password;                /* the one or the other */
    struct secret *otp;                           /* for the next request; NULL: used, or none */
    int64_t step;                                 /* confirm = totp: the code's */
    int64_t refused;  /* and the step that was refused before; 0: none */
    int64_t offset_s; /* the service's clock less ours, then */
    bool knows_offset;
    unsigned period_s;
    bool was_typed_used; /* confirm = otp: the one code there is is gone */
};

/* Does the account sign with passwords rather than with the phone? */
bool second_factor_is_needed(const struct account_config *account);

void second_factor_init(struct second_factor *factor, const struct smartca_client *client,
                        const struct remote_credentials *credentials);
void second_factor_fini(struct second_factor *factor);

/*
 * Makes password and otp ready for one more request. May wait for the next time step, because no
 * code is used twice. SCA_USER_AUTH when the person has to log in (again), with a one-time password
 * where they are typed; SCA_CANCELLED; SCA_NETWORK: no step became free in time; SCA_IO,
 * SCA_INVALID with the call's note: a secret cannot be had.
 */
enum sca_status second_factor_prepare(struct second_factor *factor, struct call *call);

/* The request was sent: its code is used up. */
void second_factor_spend(struct second_factor *factor);

/* Is there no further code to send, because they are typed? */
bool second_factor_is_spent(const struct second_factor *factor);

/*
 * The service refused the code. SCA_OK: another one, of a neighbouring step, is ready; at most
 * once. SCA_USER_AUTH: that was it. date: the service's clock, 0 where it did not tell.
 */
enum sca_status second_factor_retry(struct second_factor *factor, struct call *call, int64_t date);

/* The service took the code: if it was a neighbour's, and its clock says why, that is remembered.
 */
void second_factor_accepted(const struct second_factor *factor);

#endif
