/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the service for each account, and the certificates it answers with. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/cli/doctor.h"
#include "remote/cli/words.h"

enum { CHECK_SIZE = 80, NEXT_STEP_MAX = 160, SOON_S = 30 * 24 * 3600 };

static const struct state_row {
    const char *state;
    const char *next_step;
} states[] = {
    {"revoked", N_("get a new certificate at VNPT, then smartca account refresh")},
    {"expired", N_("renew the certificate at VNPT, then smartca account refresh")},
    {"not_activated", N_("activate it in the SmartCA app, then smartca account refresh")},
};

static const char *advice_for(const char *state)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (strcmp(states[i].state, state) == 0)
            return _(states[i].next_step);
    return "";
}

static bool has_ready(const struct catalogue *catalogue, const struct account_config *account)
{
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        struct catalogue_entry entry;
        if (catalogue_get(catalogue, i, &entry) == SCA_OK && account_shows(account, &entry) &&
            entry_is_ready(&entry, (int64_t)time(NULL)))
            return true;
    }
    return false;
}

/* An old certificate beside a good one is no failure. */
static void note_certificate(struct doctor *doctor, const char *check,
                             const struct catalogue_entry *entry, enum finding unusable)
{
    AUTO(freep) char *label = entry_label(entry);
    int64_t now = (int64_t)time(NULL);
    const char *state = entry_state(entry, now);
    char until[OUTPUT_TIME_SIZE];
    char serial[CERTIFICATE_SERIAL_HEX];
    enum finding finding = FINDING_OK;
    const char *next_step = advice_for(state);

    doctor->rows.is_incomplete |= !label;
    if (strcmp(state, "ready") != 0) {
        finding = unusable;
    } else if (entry->leaf.not_after - now < SOON_S) {
        finding = FINDING_WARN;
        next_step = _("it expires within 30 days; renew it at VNPT");
    }
    doctor_note(doctor, finding, check, next_step, _("%s, %s: %s, valid until %s"),
                label ? label : "", certificate_serial_hex(entry->leaf.serial, serial),
                words_find(state), output_time(entry->leaf.not_after, until));
}

/* An account for all certificates leaves those to others that those name; else it is a mistake. */
static void note_holder(struct doctor *doctor, const struct account_config *account,
                        const struct catalogue_entry *entry)
{
    const struct account_config *holder = workspace_holder(doctor->workspace->config, entry);
    char check[CHECK_SIZE];
    char serial[CERTIFICATE_SERIAL_HEX];

    if (!holder || holder == account || (holder->serial && !account->serial))
        return;
    doctor_name(doctor, check, sizeof(check), N_("account %s: slot"), account->name);
    doctor_note(doctor, FINDING_WARN, check,
                _("remove one of the two accounts, or give each its own serial"),
                _("certificate %s is account %s's slot already: %s:%u"),
                certificate_serial_hex(entry->leaf.serial, serial), holder->name, holder->file,
                holder->line);
}

static void check_certificates(struct doctor *doctor, const struct account_config *account)
{
    char check[CHECK_SIZE];
    AUTO(catalogue_closep)
    struct catalogue *catalogue = NULL;

    doctor_name(doctor, check, sizeof(check), N_("account %s: certificate"), account->name);
    if (!doctor_open_catalogue(doctor, &catalogue))
        return;
    enum finding unusable = has_ready(catalogue, account) ? FINDING_WARN : FINDING_FAIL;
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        struct catalogue_entry entry;
        if (catalogue_get(catalogue, i, &entry) != SCA_OK || !entry.has_certificate ||
            !account_shows(account, &entry))
            continue;
        note_certificate(doctor, check, &entry, unusable);
        note_holder(doctor, account, &entry);
    }
}

/* One-time passwords are made from the time: two clocks must agree to a step, or its neighbour. */
static void check_clock(struct doctor *doctor, const struct account_config *account,
                        int64_t ahead_s)
{
    enum { STEP_S = 25 };
    long long off_s = (long long)(ahead_s < 0 ? -ahead_s : ahead_s);
    bool matters = account->confirm == CONFIRM_TOTP;
    char check[CHECK_SIZE];

    if (off_s <= STEP_S)
        return;
    doctor_name(doctor, check, sizeof(check), N_("account %s: clock"), account->name);
    doctor_note(doctor, matters ? FINDING_FAIL : FINDING_WARN, check,
                _("set this computer's clock, or have it set (NTP)"),
                ahead_s > 0 ? _("it is %lld s ahead of the service's")
                            : _("it is %lld s behind the service's"),
                off_s);
}

static void check_service(struct doctor *doctor, const struct account_config *account)
{
    char check[CHECK_SIZE];
    char next_step[NEXT_STEP_MAX];
    struct workspace_answer answer;

    doctor_name(doctor, check, sizeof(check), N_("account %s: service"), account->name);
    if (account->service.sp_password.kind == SECRET_VAULT) {
        (void)snprintf(next_step, sizeof(next_step),
                       _("smartca account refresh %s asks for the PIN"), account->name);
        doctor_note(doctor, FINDING_WARN, check, next_step,
                    _("%s was not asked: sp_password is in the vault"), account->service.url);
        return;
    }
    enum sca_status st =
        workspace_fetch(account, doctor->workspace->config->state_dir,
                        &(struct remote_credentials){.sp_password = NULL}, &answer);
    (void)snprintf(next_step, sizeof(next_step), _("smartca status %s says how to go on"),
                   account->name);
    if (st == SCA_NOT_FOUND)
        doctor_note(doctor, FINDING_FAIL, check, next_step, "%s", answer.note);
    else if (st != SCA_OK)
        doctor_note(doctor, FINDING_FAIL, check, answer.next_step, "%s", answer.note);
    else if (answer.count == 0)
        doctor_note(doctor, FINDING_FAIL, check, _("check user_id and serial of the account"),
                    _("%s answers, but has no such certificate"), account->service.url);
    else
        doctor_note(doctor, FINDING_OK, check, "",
                    ngettext("%s: name, TLS and credentials are good; %zu certificate",
                             "%s: name, TLS and credentials are good; %zu certificates",
                             answer.count),
                    account->service.url, answer.count);
    check_clock(doctor, account, answer.clock_ahead_s);
}

static void check_account(struct doctor *doctor, const struct account_config *account)
{
    check_service(doctor, account);
    check_certificates(doctor, account);
}

void doctor_check_accounts(struct doctor *doctor)
{
    const struct config *config = doctor->workspace->config;

    for (size_t i = 0; i < config->account_count; i++)
        check_account(doctor, &config->accounts[i]);
}
