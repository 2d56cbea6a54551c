/* SPDX-License-Identifier: Apache-2.0 */
/* What signs without the phone: vaults and their PINs, secrets in files, eContract's password. */
#include <stdio.h>

#include "remote/base/cleanup.h"
#include "remote/cli/doctor.h"
#include "remote/cli/vault_access.h"
#include "remote/smartca/totp.h"

enum { CHECK_SIZE = 80, NEXT_STEP_MAX = 256, WHY_SIZE = 128 + SECRET_PLACE_SIZE };

static const struct {
    enum finding finding;
    bool needs_reset;
    const char *next_step;
} vaults[] = {
    [VAULT_NO_PIN] = {FINDING_FAIL, true, NULL},
    [VAULT_READY] = {FINDING_OK, false, NULL},
    [VAULT_WRONG_PINS] = {FINDING_WARN, false, DOCTOR_WRONG_PINS},
    [VAULT_LOCKED] = {FINDING_FAIL, true, NULL},
    [VAULT_DAMAGED] = {FINDING_FAIL, true, NULL},
    [VAULT_UNREADABLE] = {FINDING_FAIL, false, NULL},
};

static void check_vault(struct doctor *doctor, const struct account_config *account)
{
    const struct vault vault = vault_of_account(account, doctor->workspace->config->state_dir);
    char check[CHECK_SIZE];
    const struct vault_view view = vault_look(&vault);
    const enum vault_state state = view.state;
    char next_step[NEXT_STEP_MAX] = "";

    doctor_name(doctor, check, sizeof(check), N_("account %s: vault"), account->name);
    if (vaults[state].needs_reset)
        (void)snprintf(next_step, sizeof(next_step),
                       _("smartca account pin %s --reset asks for the secrets and a new PIN"),
                       account->name);
    else if (vaults[state].next_step)
        (void)snprintf(next_step, sizeof(next_step), "%s", _(vaults[state].next_step));
    else if (state == VAULT_UNREADABLE)
        (void)snprintf(next_step, sizeof(next_step), "%s", workspace_advice(view.status));
    if (state == VAULT_NO_PIN)
        doctor_note(doctor, vaults[state].finding, check, next_step,
                    _("its section wants a PIN, and there is none yet"));
    else if (view.why)
        doctor_note(doctor, vaults[state].finding, check, next_step, "%s", view.why);
    else
        doctor_note(doctor, vaults[state].finding, check, next_step,
                    _("%u of %d tries of the PIN are used"), view.wrong_pins, KEYSTORE_PIN_TRIES);
}

/* True: good, or in the vault, where nobody can look without the PIN. */
static bool can_read(const struct secret_ref *ref, bool is_totp_key, char why[static WHY_SIZE])
{
    AUTO(secret_freep) struct secret *secret = NULL;
    struct totp_key key;
    char place[SECRET_PLACE_SIZE];
    const char *reason = NULL;

    if (ref->kind == SECRET_VAULT)
        return true;
    enum sca_status st = secret_ref_fetch(ref, &secret, &reason);
    if (st == SCA_OK && is_totp_key) {
        st = totp_key_read(secret, &key, &reason);
        if (st == SCA_OK)
            totp_key_fini(&key);
    }
    if (st != SCA_OK)
        (void)snprintf(why, WHY_SIZE, "%s%s", reason ? reason : sca_status_name(st),
                       secret_ref_place(ref, place));
    return st == SCA_OK;
}

static void check_secrets(struct doctor *doctor, const struct account_config *account)
{
    const struct {
        const char *key;
        const struct secret_ref *ref;
        bool is_wanted;
    } secrets[] = {
        {"password", &account->password, account->confirm != CONFIRM_APP},
        {"totp_secret", &account->totp_secret, account->confirm == CONFIRM_TOTP},
    };
    char check[CHECK_SIZE];
    char why[WHY_SIZE];
    bool is_good = true;

    doctor_name(doctor, check, sizeof(check), N_("account %s: secrets"), account->name);
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        if (!secrets[i].is_wanted || can_read(secrets[i].ref, i == 1, why))
            continue;
        is_good = false;
        doctor_note(doctor, FINDING_FAIL, check,
                    _("correct the file or the variable; chmod 600, owned by this user or root"),
                    "%s: %s", secrets[i].key, why);
    }
    if (is_good && account->confirm != CONFIRM_APP)
        doctor_note(doctor, FINDING_OK, check, "",
                    _("what signing without the phone needs is there"));
}

void doctor_check_secrets(struct doctor *doctor)
{
    const struct config *config = doctor->workspace->config;

    for (size_t i = 0; i < config->account_count; i++) {
        const struct account_config *account = &config->accounts[i];
        if (vault_is_needed(account))
            check_vault(doctor, account);
        check_secrets(doctor, account);
    }
}

void doctor_check_econtract(struct doctor *doctor)
{
    static const char check[] = N_("econtract");
    const struct econtract_config *econtract = &doctor->workspace->config->econtract;
    char why[WHY_SIZE];

    if (!econtract->url)
        return;
    if (econtract->password.kind == SECRET_NONE)
        doctor_note(doctor, FINDING_WARN, check,
                    _("add password = file:PATH to [econtract], or give --password-file"),
                    _("%s: no password is configured"), econtract->url);
    else if (!can_read(&econtract->password, false, why))
        doctor_note(doctor, FINDING_FAIL, check, _("correct the file; chmod 600"),
                    _("%s: password: %s"), econtract->url, why);
    else
        doctor_note(doctor, FINDING_OK, check, "", _("%s as %s; smartca econtract login asks it"),
                    econtract->url, econtract->username);
}
