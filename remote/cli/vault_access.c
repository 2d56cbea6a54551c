/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/vault_access.h"

#include <stdio.h>
#include <unistd.h>

#include "remote/base/call.h"
#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/pin_input.h"
#include "remote/cli/workspace.h"

enum { BUDGET_MS = 60000, PROMPT_SIZE = 128 };

static enum vault_state state_of(const struct vault_info *info)
{
    if (!info->has_pin)
        return VAULT_NO_PIN;
    if (info->wrong_pins >= KEYSTORE_PIN_TRIES)
        return VAULT_LOCKED;
    return info->wrong_pins ? VAULT_WRONG_PINS : VAULT_READY;
}

struct vault_view vault_look(const struct vault *vault)
{
    struct vault_info info = {.has_pin = false};
    struct vault_view view = {.why = NULL};

    view.status = vault_info(vault, &info, &view.why);
    view.wrong_pins = info.wrong_pins;
    if (view.status == SCA_OK) {
        view.state = state_of(&info);
        return view;
    }
    if (!view.why)
        view.why = sca_status_name(view.status);
    view.state = view.status == SCA_INVALID ? VAULT_DAMAGED : VAULT_UNREADABLE;
    return view;
}

const char *vault_state_name(enum vault_state state)
{
    static const char *const names[] = {
        [VAULT_NO_PIN] = "no_pin", [VAULT_READY] = "ready",     [VAULT_WRONG_PINS] = "wrong_pins",
        [VAULT_LOCKED] = "locked", [VAULT_DAMAGED] = "damaged", [VAULT_UNREADABLE] = "unreadable",
    };
    return names[state];
}

/* Whose vault it is, and what makes it anew: the account has no name yet while it is being added.
 */
struct vault_words {
    char whose[PROMPT_SIZE];
    char reset[PROMPT_SIZE];
};

static struct vault_words words_of(const struct account_config *account)
{
    bool is_new = access(account->file, F_OK) != 0;
    struct vault_words words;

    if (is_new) {
        (void)snprintf(words.whose, sizeof(words.whose), "%s", _("this identity"));
        (void)snprintf(words.reset, sizeof(words.reset), "%s",
                       _("the same with --reset asks for the secrets again"));
        return words;
    }
    (void)snprintf(words.whose, sizeof(words.whose), _("account %s"), account->name);
    (void)snprintf(words.reset, sizeof(words.reset),
                   _("smartca account pin %s --reset asks for the secrets again"), account->name);
    return words;
}

static enum cli_exit refuse_pin(const struct cli *cli, const struct vault_words *words,
                                unsigned wrong_pins)
{
    char next_step[2 * PROMPT_SIZE];

    (void)snprintf(next_step, sizeof(next_step),
                   _("give the right PIN; ten wrong ones lock it; forgotten: %s"), words->reset);
    return output_fail(cli, output_code(SCA_USER_AUTH), next_step,
                       _("wrong PIN of %s: %u of %d tries are used"), words->whose, wrong_pins,
                       KEYSTORE_PIN_TRIES);
}

enum cli_exit vault_refuse(const struct cli *cli, const struct account_config *account,
                           const char *state_dir, enum sca_status status, const char *note)
{
    const struct vault vault = vault_of_account(account, state_dir);
    const struct vault_words words = words_of(account);
    const struct vault_view view = vault_look(&vault);
    const char *why = note && *note ? note : view.why ? view.why : sca_status_name(status);

    if (status == SCA_NOT_FOUND)
        return output_fail(cli, output_code(status), words.reset, _("%s has no vault yet"),
                           words.whose);
    if (view.state == VAULT_LOCKED && (status == SCA_USER_AUTH || status == SCA_PIN_LOCKED))
        return output_fail(cli, output_code(SCA_PIN_LOCKED), words.reset,
                           _("the PIN of %s is locked after %d wrong tries"), words.whose,
                           KEYSTORE_PIN_TRIES);
    if (status == SCA_USER_AUTH && view.state == VAULT_UNREADABLE)
        return output_fail(cli, output_code(status), workspace_advice(view.status),
                           _("wrong PIN of %s; how many tries are used cannot be read: %s"),
                           words.whose, view.why);
    if (status == SCA_USER_AUTH)
        return refuse_pin(cli, &words, view.wrong_pins);
    if (view.state == VAULT_DAMAGED || status == SCA_INVALID)
        return output_fail(cli, output_code(SCA_INVALID), words.reset, _("the vault of %s: %s"),
                           words.whose, why);
    return output_fail(cli, output_code(status), workspace_advice(status), _("the vault of %s: %s"),
                       words.whose, why);
}

enum cli_exit vault_unlock_with(const struct cli *cli, const struct account_config *account,
                                const char *state_dir, const struct secret *pin,
                                struct vault_contents *ret_contents)
{
    const struct vault vault = vault_of_account(account, state_dir);
    struct pin_memory memory = {.is_set = false};
    struct call call;

    call_init(&call, &clock_system, BUDGET_MS);
    enum sca_status st = vault_open(&vault, &call, pin, &memory, ret_contents);
    enum cli_exit result =
        st == SCA_OK ? CLI_OK : vault_refuse(cli, account, state_dir, st, call.note);
    call_fini(&call);
    secret_wipe(&memory, sizeof(memory));
    return result;
}

enum cli_exit vault_check(const struct cli *cli, const struct account_config *account,
                          const char *state_dir)
{
    const struct vault vault = vault_of_account(account, state_dir);
    const struct vault_view view = vault_look(&vault);

    switch (view.state) {
    case VAULT_NO_PIN:
        return vault_refuse(cli, account, state_dir, SCA_NOT_FOUND, NULL);
    case VAULT_LOCKED:
        return vault_refuse(cli, account, state_dir, SCA_PIN_LOCKED, NULL);
    case VAULT_DAMAGED:
    case VAULT_UNREADABLE:
        return vault_refuse(cli, account, state_dir, view.status, view.why);
    case VAULT_READY:
    case VAULT_WRONG_PINS:
        break;
    }
    return CLI_OK;
}

enum cli_exit vault_unlock(const struct cli *cli, const struct account_config *account,
                           const char *state_dir, struct vault_contents *ret_contents)
{
    AUTO(secret_freep) struct secret *pin = NULL;
    char prompt[PROMPT_SIZE];
    const struct pin_question question = {
        .path = cli->pin_file, .option = "--pin-file", .prompt = prompt};
    struct trouble trouble;

    enum cli_exit result = vault_check(cli, account, state_dir);
    if (result != CLI_OK)
        return result;
    (void)snprintf(prompt, sizeof(prompt), _("PIN of account %s"), account->name);
    if (!pin_ask(&question, &pin, &trouble))
        return trouble_print(cli, &trouble);
    return vault_unlock_with(cli, account, state_dir, pin, ret_contents);
}

enum cli_exit vault_write(const struct cli *cli, const struct account_config *account,
                          const char *state_dir, const struct secret *pin,
                          const struct vault_contents *contents)
{
    const struct vault vault = vault_of_account(account, state_dir);
    struct call call;

    call_init(&call, &clock_system, BUDGET_MS);
    enum sca_status st = vault_create(&vault, &call, pin, contents, KEYSTORE_COST);
    enum cli_exit result = CLI_OK;
    if (st != SCA_OK)
        result =
            output_fail(cli, output_code(st), workspace_advice(st),
                        _("the vault of account %s cannot be written in %s/vault: %s"),
                        account->name, state_dir, call.note[0] ? call.note : sca_status_name(st));
    call_fini(&call);
    return result;
}

struct remote_credentials vault_credentials(const struct vault_contents *contents)
{
    return (struct remote_credentials){
        .sp_password = contents->items[VAULT_SP_PASSWORD],
        .password = contents->items[VAULT_PASSWORD],
        .totp_secret = contents->items[VAULT_TOTP_SECRET],
    };
}
