/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/stage.h"

#include "remote/base/cleanup.h"
#include "remote/cli/workspace.h"

/* In the order of the guide for people who come from VNeID. */
static const char *const steps[] = {
    N_("certificate requested in VNeID"),
    N_("SmartCA account created in the app: phone number with OTP, e-mail, password"),
    N_("service package chosen"),
    N_("order paid, or a free package"),
    N_("service contract signed"),
    N_("application approved by VNPT"),
    N_("certificate activated in the app: PIN, SMS OTP, acceptance record signed"),
    N_("certificate visible in VNeID"),
};

enum { STEPS = ARRAY_LEN(steps), STEP_ACTIVATION = 6, STEP_VISIBLE = 7 };

/* next: the step that is to be done; what the service cannot tell before it is unseen. */
static const struct {
    const char *code;
    unsigned next;
    bool sees_before;
    const char *meaning;
    const char *next_step;
} stages[STAGE_COUNT] = {
    [STAGE_UNKNOWN] = {"unknown", 0, false, N_("the service could not be asked"),
                       N_("see the message above, then ask again")},
    [STAGE_NO_ACCOUNT] =
        {"no_account", 1, false, N_("the service does not know this identity number"),
         N_("check user_id; if it is right, open the SmartCA app (or VNeID, digital signature), "
            "register with your phone number and e-mail, and choose a password")},
    [STAGE_NO_CERTIFICATE] =
        {"no_certificate", 2, false, N_("the identity is known, a certificate was not issued yet"),
         N_("in the SmartCA app: choose a package, pay the order or take a free one, sign the "
            "service contract; then wait for VNPT's approval")},
    [STAGE_NOT_ACTIVATED] =
        {"not_activated", STEP_ACTIVATION, true, N_("the certificate is issued, but not activated"),
         N_("in the SmartCA app: open the certificate, choose activate, set a PIN, enter the OTP "
            "that comes by SMS, sign the acceptance record")},
    [STAGE_ACTIVE] = {"active", STEPS, true, N_("the certificate signs"),
                      N_("nothing: applications see its slot (smartca slots)")},
    [STAGE_EXPIRED] = {"expired", STEPS, true, N_("the certificate has expired"),
                       N_("renew it in the SmartCA app, then smartca account refresh")},
    [STAGE_REVOKED] = {"revoked", STEPS, true, N_("the certificate was revoked"),
                       N_("order a new one in the SmartCA app or VNeID")},
    [STAGE_UNUSABLE] = {"unusable", STEPS, true, N_("the service says it cannot be used"),
                        N_("open the SmartCA app and see what it says of the certificate")},
    [STAGE_PACKAGE_USED_UP] = {"package_used_up", STEPS, true,
                               N_("the package has no signatures left"),
                               N_("buy or renew a package in the SmartCA app")},
};

static enum stage stage_of_entry(const struct catalogue_entry *entry, int64_t now)
{
    static const enum stage of_state[] = {
        [CERTIFICATE_ACTIVE] = STAGE_ACTIVE,
        [CERTIFICATE_REVOKED] = STAGE_REVOKED,
        [CERTIFICATE_NOT_ACTIVATED] = STAGE_NOT_ACTIVATED,
        [CERTIFICATE_UNUSABLE] = STAGE_UNUSABLE,
    };

    if (entry->state != CERTIFICATE_REVOKED && now > entry->leaf.not_after)
        return STAGE_EXPIRED;
    return of_state[entry->state];
}

/* The more one of several certificates can do, the more the account is about that one. */
static unsigned rank_of(enum stage stage)
{
    static const enum stage best_first[] = {STAGE_ACTIVE, STAGE_NOT_ACTIVATED, STAGE_UNUSABLE,
                                            STAGE_EXPIRED, STAGE_REVOKED};
    unsigned rank = 0;

    while (rank < ARRAY_LEN(best_first) && best_first[rank] != stage)
        rank++;
    return rank;
}

static enum stage best_of(const struct account_config *account, const struct catalogue *catalogue,
                          int64_t now, struct catalogue_entry *ret_entry)
{
    size_t count = catalogue_count(catalogue);
    enum stage best = STAGE_NO_CERTIFICATE;
    struct catalogue_entry entry;

    for (size_t i = 0; i < count; i++) {
        if (catalogue_get(catalogue, i, &entry) != SCA_OK || !entry.has_certificate ||
            !account_shows(account, &entry))
            continue;
        enum stage stage = stage_of_entry(&entry, now);
        if (best == STAGE_NO_CERTIFICATE || rank_of(stage) < rank_of(best)) {
            best = stage;
            *ret_entry = entry;
        }
    }
    return best;
}

enum stage stage_of(const struct account_config *account, enum sca_status fetched,
                    const struct catalogue *catalogue, int64_t now,
                    struct catalogue_entry *ret_entry)
{
    *ret_entry = (struct catalogue_entry){.slot_id = 0};
    if (fetched == SCA_NOT_FOUND)
        return STAGE_NO_ACCOUNT;
    if (fetched == SCA_EXHAUSTED)
        return STAGE_PACKAGE_USED_UP;
    if (fetched != SCA_OK)
        return STAGE_UNKNOWN;
    return best_of(account, catalogue, now, ret_entry);
}

const char *stage_code(enum stage stage)
{
    return stages[stage].code;
}

const char *stage_meaning(enum stage stage)
{
    return _(stages[stage].meaning);
}

const char *stage_next_step(enum stage stage)
{
    return _(stages[stage].next_step);
}

const char *stage_step(unsigned number)
{
    return number < STEPS ? _(steps[number]) : NULL;
}

enum step_mark stage_mark(enum stage stage, unsigned number)
{
    if (stage == STAGE_UNKNOWN)
        return STEP_UNSEEN;
    if (number == STEP_VISIBLE && stages[stage].next == STEPS)
        return STEP_UNSEEN; /* what VNeID shows, the service does not know */
    if (number < stages[stage].next)
        return stages[stage].sees_before ? STEP_DONE : STEP_UNSEEN;
    if (number == stages[stage].next)
        return STEP_NEXT;
    /* Without a certificate, any of the steps up to the approval may be the next one. */
    return !stages[stage].sees_before && number < STEP_ACTIVATION ? STEP_UNSEEN : STEP_LATER;
}
