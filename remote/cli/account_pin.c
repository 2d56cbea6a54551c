/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account pin: another PIN for the vault, or, with --reset, the secrets entered anew. */
#include <string.h>

#include "remote/base/call.h"
#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/account_lookup.h"
#include "remote/cli/account_secrets.h"
#include "remote/cli/output.h"
#include "remote/cli/pin_input.h"
#include "remote/cli/vault_access.h"
#include "remote/cli/workspace.h"

enum { BUDGET_MS = 60000, PIN_FILE_MAX = 2 * (KEYSTORE_PIN_MAX + 2) };

struct pins {
    struct secret *old_pin;
    struct secret *new_pin;
};

static void pins_fini(struct pins *pins)
{
    secret_free(pins->old_pin);
    secret_free(pins->new_pin);
}

/* The next line of text, without its end; NULL without memory or without a line. */
static struct secret *take_line(struct span *text)
{
    struct secret *line = NULL;
    const uint8_t *end = text->len ? memchr(text->ptr, '\n', text->len) : NULL;
    size_t len = end ? (size_t)(end - text->ptr) : text->len;
    size_t used = end ? len + 1 : len;

    if (len > 0 && text->ptr[len - 1] == '\r')
        len--;
    if (len > 0 && secret_new(span_of(text->ptr, len), &line) != SCA_OK)
        line = NULL;
    *text = span_of(text->ptr + used, text->len - used);
    return line;
}

static enum cli_exit read_pin_file(const struct cli *cli, struct pins *pins)
{
    const unsigned trust = FILE_NOT_WRITABLE_BY_OTHERS | FILE_NOT_READABLE_BY_OTHERS;
    AUTO(buf_fini) struct buf bytes;
    const char *why = NULL;

    enum sca_status st = file_read_trusted(cli->pin_file, trust, PIN_FILE_MAX, true, &bytes, &why);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), "", "--pin-file %s: %s", cli->pin_file,
                           why ? why : sca_status_name(st));
    struct span rest = buf_span(&bytes);
    pins->old_pin = take_line(&rest);
    pins->new_pin = take_line(&rest);
    if (!pins->old_pin || !pins->new_pin || rest.len > 0)
        return output_fail(cli, output_code(SCA_INVALID), "",
                           _("--pin-file %s: it has to have two lines, the old and the new PIN"),
                           cli->pin_file);
    return CLI_OK;
}

static enum cli_exit ask_pins(const struct cli *cli, struct pins *pins)
{
    const struct pin_question questions[] = {
        {.path = cli->pin_file, .option = "--pin-file", .prompt = _("PIN so far")},
        {.path = cli->pin_file, .option = "--pin-file", .prompt = _("New PIN"), .is_new = true},
    };
    struct trouble trouble;

    if (!pin_ask(&questions[0], &pins->old_pin, &trouble) ||
        !pin_ask(&questions[1], &pins->new_pin, &trouble))
        return trouble_print(cli, &trouble);
    return CLI_OK;
}

static enum cli_exit get_pins(const struct cli *cli, struct pins *pins)
{
    bool is_file = cli->pin_file && strcmp(cli->pin_file, "-") != 0;

    enum cli_exit result = is_file ? read_pin_file(cli, pins) : ask_pins(cli, pins);
    if (result != CLI_OK)
        return result;
    size_t len = secret_get(pins->new_pin).len;
    if (len < KEYSTORE_PIN_MIN || len > KEYSTORE_PIN_MAX)
        return output_fail(cli, output_code(SCA_INVALID), "",
                           _("--pin-file: a PIN must have %d to %d bytes"), KEYSTORE_PIN_MIN,
                           KEYSTORE_PIN_MAX);
    return CLI_OK;
}

static enum cli_exit change(const struct cli *cli, const struct account_config *account,
                            const char *state_dir)
{
    AUTO(pins_fini) struct pins pins = {.old_pin = NULL};
    const struct vault vault = vault_of_account(account, state_dir);
    struct pin_memory memory = {.is_set = false};
    struct call call;

    enum cli_exit result = vault_check(cli, account, state_dir);
    if (result == CLI_OK)
        result = get_pins(cli, &pins);
    if (result != CLI_OK)
        return result;
    call_init(&call, &clock_system, BUDGET_MS);
    enum sca_status st =
        vault_set_pin(&vault, &call, pins.old_pin, pins.new_pin, &memory, KEYSTORE_COST);
    if (st != SCA_OK)
        result = vault_refuse(cli, account, state_dir, st, call.note);
    call_fini(&call);
    secret_wipe(&memory, sizeof(memory));
    return result;
}

static enum cli_exit reset(const struct cli *cli, const struct config *config,
                           const struct account_config *account)
{
    AUTO(account_secrets_fini) struct account_secrets secrets = {.items = {NULL}};
    /* Accounts of one identity share the vault: what any of them has in it is asked for. */
    unsigned items = vault_items_of_identity(config, account);
    unsigned foreign = account_secrets_given(cli) & ~(items | 1U << ITEM_PIN);

    if (foreign)
        return output_usage(cli,
                            _("account %s keeps no such secret in its vault: only what its section "
                              "says is vault: can be given"),
                            account->name);
    enum cli_exit result = account_secrets_read(cli, items | 1U << ITEM_PIN, true, &secrets);
    if (result != CLI_OK)
        return result;
    const struct vault_contents contents = account_secrets_merge(&secrets, NULL);
    return vault_write(cli, account, config->state_dir, secrets.items[ITEM_PIN], &contents);
}

static enum cli_exit say_done(const struct cli *cli, const struct account_config *account)
{
    AUTO(rows_fini) struct rows rows;

    rows_init(&rows);
    output_remark(cli,
                  cli->is_reset ? _("account %s has new secrets and a new PIN")
                                : _("account %s has a new PIN"),
                  account->name);
    if (!cli->is_json)
        return CLI_OK;
    rows_begin(&rows);
    rows_text(&rows, "account", account->name);
    rows_flag(&rows, "changed", true);
    rows_flag(&rows, "reset", cli->is_reset);
    return rows_print_thing(cli, &rows);
}

enum cli_exit account_pin_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    const struct account_config *account = NULL;

    if (!cli->is_reset && (account_secrets_given(cli) & ~(1U << ITEM_PIN)))
        return output_usage(cli, _("secrets are given with --reset only"));
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result == CLI_OK)
        result = account_find(cli, workspace.config, &account);
    if (result == CLI_OK && !vault_is_needed(account))
        result =
            output_fail(cli, output_code(SCA_UNSUPPORTED),
                        _("for a PIN, write pin = required into its section"),
                        _("account %s has no PIN: nothing of it is in a vault"), account->name);
    if (result != CLI_OK)
        return result;
    result = cli->is_reset ? reset(cli, workspace.config, account)
                           : change(cli, account, workspace.config->state_dir);
    return result == CLI_OK ? say_done(cli, account) : result;
}
