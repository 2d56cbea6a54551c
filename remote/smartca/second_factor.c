/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/second_factor.h"

#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/base/wording.h"
#include "remote/smartca/totp.h"

enum { CLOCK_OFF_S = 25 }; /* less is within a step, or its neighbour */

bool second_factor_is_needed(const struct account_config *account)
{
    return account->confirm != CONFIRM_APP;
}

void second_factor_init(struct second_factor *factor, const struct smartca_client *client,
                        const struct remote_credentials *credentials)
{
    *factor = (struct second_factor){
        .client = client, .credentials = credentials, .password = credentials->password};
}

void second_factor_fini(struct second_factor *factor)
{
    secret_freep(&factor->fetched_password);
    secret_freep(&factor->otp);
    factor->password = NULL;
}

static struct totp_owner owner_of(const struct second_factor *factor)
{
    return (struct totp_owner){.state_dir = factor->client->state_dir,
                               .identity = config_identity(factor->client->account)};
}

static enum sca_status fetch(const struct second_factor *factor, struct call *call,
                             const struct secret_ref *ref, const char *name,
                             struct secret **ret_secret)
{
    char place[SECRET_PLACE_SIZE];
    const char *why = NULL;
    enum sca_status st = secret_ref_fetch(ref, ret_secret, &why);

    if (st != SCA_OK && st != SCA_NOMEM)
        return call_fail(call, st == SCA_NOT_FOUND ? SCA_INVALID : st, "%s of account %s: %s%s",
                         name, factor->client->account->name, why ? why : sca_status_name(st),
                         secret_ref_place(ref, place));
    return st;
}

static enum sca_status prepare_password(struct second_factor *factor, struct call *call)
{
    if (factor->password)
        return SCA_OK;
    enum sca_status st = fetch(factor, call, &factor->client->account->password, "password",
                               &factor->fetched_password);
    factor->password = factor->fetched_password;
    return st;
}

static enum sca_status read_key(const struct second_factor *factor, struct call *call,
                                struct totp_key *ret_key)
{
    const struct secret *text = factor->credentials->totp_secret;
    const struct secret_ref *ref = &factor->client->account->totp_secret;
    AUTO(secret_freep) struct secret *fetched = NULL;
    char place[SECRET_PLACE_SIZE] = "";
    const char *why = NULL;
    enum sca_status st = SCA_OK;

    if (!text)
        st = fetch(factor, call, ref, "totp_secret", &fetched);
    if (st != SCA_OK)
        return st;
    st = totp_key_read(text ? text : fetched, ret_key, &why);
    return st == SCA_OK ? st
                        : call_fail(call, st, "totp_secret of account %s: %s%s",
                                    factor->client->account->name, why,
                                    text ? "" : secret_ref_place(ref, place));
}

/* The code of factor->step. */
static enum sca_status compute(struct second_factor *factor, const struct totp_key *key)
{
    char code[TOTP_CODE_SIZE];

    secret_freep(&factor->otp);
    enum sca_status st = totp_code(key, factor->step, code);
    if (st == SCA_OK)
        st = secret_new(span_text(code), &factor->otp);
    secret_wipe(code, sizeof(code));
    return st;
}

static enum sca_status take_computed(struct second_factor *factor, struct call *call)
{
    AUTO(totp_key_fini) struct totp_key key = {.len = 0};
    const struct totp_owner owner = owner_of(factor);

    enum sca_status st = read_key(factor, call, &key);
    if (st == SCA_OK)
        st = totp_take(&owner, call, &key, &factor->step);
    return st == SCA_OK ? compute(factor, &key) : st;
}

static enum sca_status take_typed(struct second_factor *factor, struct call *call)
{
    if (!factor->credentials->otp || factor->was_typed_used)
        return call_fail(call, SCA_USER_AUTH,
                         "account %s: a one-time password is good for one signature; log in again "
                         "with a new one",
                         factor->client->account->name);
    return secret_new(secret_get(factor->credentials->otp), &factor->otp);
}

enum sca_status second_factor_prepare(struct second_factor *factor, struct call *call)
{
    enum sca_status st = prepare_password(factor, call);

    if (st != SCA_OK || factor->otp)
        return st;
    return factor->client->account->confirm == CONFIRM_TOTP ? take_computed(factor, call)
                                                            : take_typed(factor, call);
}

void second_factor_spend(struct second_factor *factor)
{
    secret_freep(&factor->otp);
    factor->was_typed_used = true;
}

bool second_factor_is_spent(const struct second_factor *factor)
{
    return factor->client->account->confirm == CONFIRM_OTP && factor->was_typed_used;
}

/* What to look at when every code is refused. */
static enum sca_status give_up(const struct second_factor *factor, struct call *call, int64_t date)
{
    const char *name = factor->client->account->name;
    long long ahead_s = (long long)(call->clock->wall_s(call->clock) - date);

    if (factor->client->account->confirm != CONFIRM_TOTP)
        return call_fail(call, SCA_USER_AUTH,
                         "account %s: the service refused the one-time password; log in again with "
                         "the one that is shown now",
                         name);
    if (date && (ahead_s > CLOCK_OFF_S || ahead_s < -CLOCK_OFF_S))
        return call_fail(call, SCA_USER_AUTH,
                         "account %s: the service refused the one-time password: this computer's "
                         "clock is %lld s %s the service's; set it",
                         name, ahead_s > 0 ? ahead_s : -ahead_s,
                         ahead_s > 0 ? wording("ahead of") : wording("behind"));
    return call_fail(call, SCA_USER_AUTH,
                     "account %s: the one-time password was refused; if another computer signs "
                     "with this account, try again in a minute; else check totp_secret: smartca "
                     "account otp %s has to show the app's code",
                     name, name);
}

enum sca_status second_factor_retry(struct second_factor *factor, struct call *call, int64_t date)
{
    AUTO(totp_key_fini) struct totp_key key = {.len = 0};
    const struct totp_owner owner = owner_of(factor);

    if (factor->client->account->confirm != CONFIRM_TOTP || factor->refused)
        return give_up(factor, call, date);
    enum sca_status st = read_key(factor, call, &key);
    factor->refused = factor->step;
    factor->knows_offset = date != 0;
    factor->offset_s = date - call->clock->wall_s(call->clock);
    factor->period_s = key.period_s;
    if (st == SCA_OK)
        st = totp_take_neighbour(&owner, call, &key, factor->refused, &factor->step);
    if (st == SCA_NOT_FOUND)
        return give_up(factor, call, date);
    if (st != SCA_OK)
        return st;
    log_line(LOG_LEVEL_INFO,
             "account %s: the one-time password was refused; that of the step %s "
             "is tried, once",
             factor->client->account->name, factor->step < factor->refused ? "before" : "after");
    return compute(factor, &key);
}

void second_factor_accepted(const struct second_factor *factor)
{
    const struct totp_owner owner = owner_of(factor);
    const struct totp_evidence evidence = {.refused = factor->refused,
                                           .accepted = factor->step,
                                           .offset_s = factor->offset_s,
                                           .period_s = factor->period_s};

    if (factor->refused && factor->knows_offset)
        totp_found_drift(&owner, &evidence);
}
