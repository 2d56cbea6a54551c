/* SPDX-License-Identifier: Apache-2.0 */
/* The secrets of an account that is being added: got, checked against the vault, written. */
#include <unistd.h>

#include <openssl/crypto.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/account_add.h"

static unsigned items_had(const struct secret *const *items, size_t count)
{
    unsigned had = 0;

    for (size_t i = 0; i < count; i++)
        if (items[i])
            had |= 1U << i;
    return had;
}

/* sp_password from a file is read by whoever sends it, as of any other account. */
static unsigned given_items(const struct addition *addition)
{
    unsigned given = account_secrets_given(addition->cli);

    if (addition->paths[VAULT_SP_PASSWORD] && !addition->cli->keeps_sp_password)
        given &= ~(1U << ITEM_SP_PASSWORD);
    return given;
}

static enum cli_exit open_vault(struct addition *addition)
{
    const char *state_dir = addition->workspace.config->state_dir;

    enum cli_exit result =
        account_secrets_read(addition->cli, 1U << ITEM_PIN, false, &addition->secrets);
    return result == CLI_OK ? vault_unlock_with(addition->cli, addition->account, state_dir,
                                                addition->secrets.items[ITEM_PIN], &addition->had)
                            : result;
}

static bool is_same(const struct secret *a, const struct secret *b)
{
    struct span left = secret_get(a);
    struct span right = secret_get(b);
    return left.len == right.len && CRYPTO_memcmp(left.ptr, right.ptr, left.len) == 0;
}

/* Another account signs with what the vault has: only who says so changes it. */
static enum cli_exit check_same(const struct addition *addition)
{
    unsigned items = vault_items_of(addition->account);

    for (size_t i = 0; i < VAULT_ITEMS; i++) {
        const struct secret *given = addition->secrets.items[i];
        const struct secret *had = addition->had.items[i];
        if ((items & 1U << i) && given && had && !is_same(given, had))
            return output_fail(addition->cli, "exists",
                               _("leave the option out, or give --reset, which asks for all "
                                 "secrets of this identity again"),
                               _("%s: the vault of this identity has another one already"),
                               account_secrets_option((enum secret_item)i));
    }
    return CLI_OK;
}

/* One identity has one vault: that of an account with the same identity is used, and stays. */
static enum cli_exit look_for_vault(struct addition *addition)
{
    const char *state_dir = addition->workspace.config->state_dir;
    const struct vault vault = vault_of_account(addition->account, state_dir);
    const struct vault_view view = vault_look(&vault);

    addition->is_vault_new = view.state == VAULT_NO_PIN;
    addition->had_vault = view.state != VAULT_NO_PIN && !addition->cli->is_reset;
    if (view.state == VAULT_UNREADABLE || (addition->had_vault && view.state == VAULT_DAMAGED))
        return vault_refuse(addition->cli, addition->account, state_dir, view.status, view.why);
    if (addition->had_vault && view.state == VAULT_LOCKED)
        return vault_refuse(addition->cli, addition->account, state_dir, SCA_PIN_LOCKED, NULL);
    if (!addition->had_vault)
        return CLI_OK;
    output_remark(addition->cli, _("this identity has a vault already: its PIN is asked for"));
    return CLI_OK;
}

/* A vault that is made anew has the secrets of all accounts of the identity, or it would take away
 * those of the others. */
static unsigned items_of_vault(const struct addition *addition)
{
    return addition->had_vault ? vault_items_of(addition->account)
                               : vault_items_of_identity(addition->draft, addition->account);
}

/* --reset takes the options for secrets that only another account of the identity has. */
static enum cli_exit check_given(const struct addition *addition)
{
    const unsigned always = 1U << ITEM_PIN | 1U << ITEM_SP_PASSWORD;

    if (!(account_secrets_given(addition->cli) & ~(items_of_vault(addition) | always)) ||
        !addition->cli->is_reset)
        return CLI_OK;
    return output_usage(addition->cli,
                        _("account %s keeps no such secret in its vault: only what its section "
                          "says is vault: can be given"),
                        addition->account->name);
}

enum cli_exit addition_take_secrets(struct addition *addition)
{
    const struct cli *cli = addition->cli;
    unsigned given = given_items(addition);
    enum cli_exit result = vault_is_needed(addition->account) ? look_for_vault(addition) : CLI_OK;

    if (result == CLI_OK)
        result = check_given(addition);
    if (result == CLI_OK)
        result = account_secrets_read(cli, given, !addition->had_vault, &addition->secrets);
    if (result == CLI_OK && addition->had_vault)
        result = open_vault(addition);
    return result == CLI_OK && addition->had_vault ? check_same(addition) : result;
}

/* What the vault will need, and neither it nor the command line has. */
static unsigned missing_items(const struct addition *addition)
{
    const struct secret *const *had = (const struct secret *const *)addition->had.items;
    const struct secret *const *got = (const struct secret *const *)addition->secrets.items;

    if (!vault_is_needed(addition->account))
        return 0;
    return ((items_of_vault(addition) & ~items_had(had, VAULT_ITEMS)) | 1U << ITEM_PIN) &
           ~items_had(got, ITEM_COUNT);
}

bool addition_will_ask(const struct addition *addition)
{
    return missing_items(addition) && isatty(STDIN_FILENO);
}

enum cli_exit addition_ask_secrets(struct addition *addition)
{
    return account_secrets_read(addition->cli, missing_items(addition), !addition->had_vault,
                                &addition->secrets);
}

/* Is something in secrets that the vault lacks? What it has is never written over. */
static bool has_news(const struct addition *addition)
{
    unsigned got = items_had((const struct secret *const *)addition->secrets.items, VAULT_ITEMS);
    unsigned had = items_had((const struct secret *const *)addition->had.items, VAULT_ITEMS);

    return !addition->had_vault || (got & items_of_vault(addition) & ~had);
}

static enum cli_exit write_vault(struct addition *addition)
{
    struct vault_contents contents = account_secrets_merge(&addition->secrets, &addition->had);
    unsigned items = items_of_vault(addition);

    /* What was given, but is kept in a file, is not for the vault. */
    for (size_t i = 0; i < VAULT_ITEMS; i++)
        if (!(items & 1U << i))
            contents.items[i] = addition->had.items[i];
    enum cli_exit result =
        vault_write(addition->cli, addition->account, addition->workspace.config->state_dir,
                    addition->secrets.items[ITEM_PIN], &contents);
    addition->was_vault_written = result == CLI_OK; /* else what is there is not ours */
    return result;
}

/* --sp-password-file -: what was read is kept beside the configuration, unless in the vault. */
static enum cli_exit write_password(struct addition *addition)
{
    const struct account_place *place = &addition->place;
    const struct secret *password = addition->secrets.items[ITEM_SP_PASSWORD];

    if (!password || addition->account->service.sp_password.kind == SECRET_VAULT)
        return CLI_OK;
    file_sweep(place->config_dir, place->password_name);
    enum sca_status st =
        file_replace(place->config_dir, place->password_name, secret_get(password));
    addition->was_password_written = st == SCA_OK;
    return st == SCA_OK ? CLI_OK
                        : output_fail(addition->cli, output_code(st), workspace_advice(st),
                                      _("%s cannot be written"), place->password_file);
}

enum cli_exit addition_write_secrets(struct addition *addition)
{
    enum cli_exit result = write_password(addition);

    if (result == CLI_OK && vault_is_needed(addition->account) && has_news(addition))
        result = write_vault(addition);
    return result;
}

void addition_take_back(const struct addition *addition)
{
    const char *state_dir = addition->workspace.config->state_dir;
    const struct account_config *account = addition->account;

    if (!account)
        return;
    if (addition->was_password_written)
        (void)unlink(addition->place.password_file); /* without the section nobody reads it */
    /* One that was there has still what it had, or, after --reset, what its accounts need. */
    const struct vault vault = vault_of_account(account, state_dir);
    if (addition->was_vault_written && addition->is_vault_new)
        (void)vault_remove(&vault);
    if (!addition->was_known)
        (void)catalogue_forget(state_dir, account->service.url, account->user_id);
}
