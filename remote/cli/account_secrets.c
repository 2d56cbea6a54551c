/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/account_secrets.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/pin_input.h"
#include "remote/smartca/totp.h"

enum { KEY_TRIES = 3 };

static const struct {
    const char *option;
    size_t offset; /* of its const char * in struct cli */
    const char *prompt;
    const char *rule;
} rows[ITEM_COUNT] = {
    [ITEM_PASSWORD] = {"--password-file", offsetof(struct cli, password_file),
                       N_("Password of the SmartCA account"),
                       N_("--confirm otp, --confirm totp and --business need the password of the "
                          "SmartCA account")},
    [ITEM_TOTP_SECRET] = {"--secret-key-file", offsetof(struct cli, secret_key_file),
                          N_("Secret key of the one-time passwords"),
                          N_("--confirm totp and --business need the secret key of the one-time "
                             "passwords")},
    [ITEM_SP_PASSWORD] = {"--sp-password-file", offsetof(struct cli, sp_password_file),
                          N_("Password of the service provider"),
                          N_("the password of the service provider is kept in this vault")},
    [ITEM_PIN] = {"--pin-file", offsetof(struct cli, pin_file), N_("PIN of the account"),
                  N_("the secrets are kept under a PIN of 6 to 64 bytes")},
};

void account_secrets_fini(struct account_secrets *secrets)
{
    for (size_t i = 0; i < ITEM_COUNT; i++)
        secret_freep(&secrets->items[i]);
}

static const char *path_of(const struct cli *cli, size_t item)
{
    return *(const char *const *)(const void *)((const char *)cli + rows[item].offset);
}

const char *account_secrets_option(enum secret_item item)
{
    return rows[item].option;
}

unsigned account_secrets_given(const struct cli *cli)
{
    unsigned given = 0;

    for (size_t i = 0; i < ITEM_COUNT; i++)
        if (path_of(cli, i))
            given |= 1U << i;
    return given;
}

/* Is there somebody who can type it? */
static bool is_typed(const char *path)
{
    return (!path || strcmp(path, "-") == 0) && isatty(STDIN_FILENO);
}

static enum cli_exit ask(const struct cli *cli, size_t item, const struct pin_question *question,
                         struct account_secrets *secrets)
{
    struct trouble trouble;

    if (pin_ask(question, &secrets->items[item], &trouble))
        return CLI_OK;
    return output_fail(cli, trouble.code, question->path ? trouble.next_step : _(rows[item].rule),
                       "%s", trouble.text);
}

/*
 * Before anything is written: a key that is cut off would only be noticed at the first signature.
 * Who types it is asked again, as for a PIN, and no option is blamed.
 */
static enum cli_exit ask_key(const struct cli *cli, const struct pin_question *question,
                             struct account_secrets *secrets)
{
    struct secret **text = &secrets->items[ITEM_TOTP_SECRET];
    bool can_retry = is_typed(question->path);
    enum sca_status st = SCA_INVALID;
    const char *why = NULL;

    for (int tries = can_retry ? KEY_TRIES : 1; st != SCA_OK && tries > 0; tries--) {
        struct totp_key key;
        if (why)
            (void)fprintf(stderr, "%s\n", why);
        secret_freep(text);
        enum cli_exit result = ask(cli, ITEM_TOTP_SECRET, question, secrets);
        if (result != CLI_OK)
            return result;
        st = totp_key_read(*text, &key, &why);
        if (st == SCA_OK)
            totp_key_fini(&key);
    }
    if (st != SCA_OK)
        return output_fail(cli, output_code(st),
                           _("copy the key from the SmartCA site or app as a whole"), "%s: %s",
                           can_retry ? question->prompt : question->option, why);
    if (totp_key_is_doubtful(*text))
        output_remark(cli, _("the secret key is taken as base64, but looks like base32: if it is, "
                             "write base32: before it; smartca account otp has to show the app's "
                             "code"));
    return CLI_OK;
}

static enum cli_exit read_one(const struct cli *cli, size_t item, bool is_new_pin,
                              struct account_secrets *secrets)
{
    bool is_new = item == ITEM_PIN && is_new_pin;
    const struct pin_question question = {
        .path = path_of(cli, item),
        .option = rows[item].option,
        .prompt = is_new ? _("New PIN of the account, 6 to 64 bytes") : _(rows[item].prompt),
        .is_new = is_new,
        .is_password = item != ITEM_PIN,
    };

    return item == ITEM_TOTP_SECRET ? ask_key(cli, &question, secrets)
                                    : ask(cli, item, &question, secrets);
}

static size_t find_item(const char *option)
{
    size_t item = 0;

    while (item < ITEM_COUNT && strcmp(rows[item].option + strlen("--"), option) != 0)
        item++;
    return item;
}

enum cli_exit account_secrets_read(const struct cli *cli, unsigned wanted, bool is_new_pin,
                                   struct account_secrets *secrets)
{
    size_t order[CLI_PIPED_MAX + ITEM_COUNT];
    size_t count = 0;
    enum cli_exit result = CLI_OK;

    for (size_t i = 0; i < cli->piped_count; i++)
        order[count++] = find_item(cli->piped[i]);
    for (size_t i = 0; i < ITEM_COUNT; i++)
        order[count++] = i;
    for (size_t i = 0; i < count && result == CLI_OK; i++)
        if (order[i] < ITEM_COUNT && (wanted & 1U << order[i]) && !secrets->items[order[i]])
            result = read_one(cli, order[i], is_new_pin, secrets);
    return result;
}

struct vault_contents account_secrets_merge(const struct account_secrets *given,
                                            const struct vault_contents *had)
{
    struct vault_contents merged = {.items = {NULL}};

    for (size_t i = 0; i < VAULT_ITEMS; i++)
        merged.items[i] = given->items[i] || !had ? given->items[i] : had->items[i];
    return merged;
}
