/* SPDX-License-Identifier: Apache-2.0 */
/* smartca status: where identities stand, and the next step; --watch waits until one can sign. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/cli/meter.h"
#include "remote/cli/output.h"
#include "remote/cli/stage.h"
#include "remote/cli/vault_access.h"
#include "remote/cli/workspace.h"

enum {
    WATCH_FACTOR = 5, /* poll_interval is for a phone in the hand: here it is about hours */
    WATCH_MIN_MS = 200,
    WATCH_MAX_MS = 60000,
    TICK_MS = 200,
};

/* One account, asked once. */
struct view {
    const struct account_config *account;
    struct catalogue *catalogue; /* entry borrows from it */
    struct catalogue_entry entry;
    enum stage stage;
    struct workspace_answer answer; /* its note: why the service could not be asked, or: */
    enum sca_status unread;         /* not SCA_OK: it was, and the catalogue cannot be read */
};

static void view_fini(struct view *view)
{
    catalogue_close(view->catalogue);
    view->catalogue = NULL;
}

static void look(const struct account_config *account, const char *state_dir,
                 const struct vault_contents *opened, struct view *ret_view)
{
    const struct remote_credentials credentials = vault_credentials(opened);
    const char *why = NULL;
    struct workspace_answer *answer = &ret_view->answer;

    *ret_view = (struct view){.account = account};
    enum sca_status st = workspace_fetch(account, state_dir, &credentials, answer);
    if (st == SCA_OK) {
        st = ret_view->unread = workspace_catalogue(state_dir, &ret_view->catalogue, &why);
        if (st != SCA_OK)
            (void)snprintf(answer->note, sizeof(answer->note), "%s/catalogue: %s", state_dir, why);
    }
    ret_view->stage =
        stage_of(account, st, ret_view->catalogue, (int64_t)time(NULL), &ret_view->entry);
}

/* Only sp_password is needed to ask; asked for once, however often the service is asked. */
static enum cli_exit unlock(const struct cli *cli, const struct account_config *account,
                            const char *state_dir, struct vault_contents *ret_opened)
{
    if (account->service.sp_password.kind != SECRET_VAULT)
        return CLI_OK;
    return vault_unlock(cli, account, state_dir, ret_opened);
}

static void add_row(struct rows *rows, const struct view *view)
{
    char serial[CERTIFICATE_SERIAL_HEX];

    rows_begin(rows);
    rows_text(rows, "account", view->account->name);
    rows_text(rows, "stage", stage_code(view->stage));
    rows_text(rows, "meaning", stage_meaning(view->stage));
    rows_text(rows, "next_step", stage_next_step(view->stage));
    if (view->entry.slot_id) {
        entry_add_label(&view->entry, rows);
        rows_number(rows, "slot_id", view->entry.slot_id);
        rows_text(rows, "serial", certificate_serial_hex(view->entry.leaf.serial, serial));
    } else {
        rows_text(rows, "label", NULL);
    }
    if (view->stage == STAGE_UNKNOWN)
        rows_text(rows, "error", view->answer.note);
}

static void print_text(const struct view *view)
{
    static const char *const marks[] = {
        [STEP_DONE] = "+", [STEP_NEXT] = ">", [STEP_LATER] = " ", [STEP_UNSEEN] = "?"};

    (void)printf(_("account %s: %s\n"), view->account->name, stage_meaning(view->stage));
    for (unsigned i = 0; stage_step(i); i++)
        (void)printf("  %s %u. %s\n", marks[stage_mark(view->stage, i)], i + 1, stage_step(i));
    (void)printf(_("next step: %s\n"), stage_next_step(view->stage));
}

static enum cli_exit report(const struct cli *cli, const struct view *view, struct rows *rows)
{
    if (view->unread != SCA_OK)
        (void)output_fail(cli, output_code(view->unread), workspace_catalogue_advice(view->unread),
                          "%s", view->answer.note);
    else if (view->stage == STAGE_UNKNOWN)
        (void)output_fail(cli, "not_asked", stage_next_step(view->stage), "%s", view->answer.note);
    if (cli->is_json)
        add_row(rows, view);
    else
        print_text(view);
    return view->stage == STAGE_UNKNOWN ? CLI_FAILED : CLI_OK;
}

/* Sleeps in short pieces, so that Ctrl-C is heard. False when it was. */
static bool pause_for(const char *name, const struct view *view, unsigned wait_ms, time_t since)
{
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};

    for (unsigned slept = 0; slept < wait_ms && !meter_is_stopped(); slept += TICK_MS) {
        if (isatty(STDERR_FILENO)) {
            long seconds = (long)(time(NULL) - since);
            (void)fprintf(stderr, "\r\033[K%s: %s, %02ld:%02ld", name, stage_meaning(view->stage),
                          seconds / 60, seconds % 60);
            (void)fflush(stderr);
        }
        (void)nanosleep(&tick, NULL);
    }
    return !meter_is_stopped();
}

static unsigned first_pause_ms(const struct account_config *account)
{
    unsigned wait_ms = account->service.poll_interval_ms * WATCH_FACTOR;
    return wait_ms < WATCH_MIN_MS ? WATCH_MIN_MS : wait_ms;
}

/* Until the certificate is active. What is new is said once; a service out of reach is asked on. */
static enum cli_exit watch(const struct cli *cli, const struct account_config *account,
                           const char *state_dir, const struct vault_contents *opened,
                           struct view *view)
{
    unsigned wait_ms = first_pause_ms(account);
    enum stage told = STAGE_COUNT;
    time_t since = time(NULL);

    meter_begin();
    for (;;) {
        view_fini(view);
        look(account, state_dir, opened, view);
        if (view->stage == STAGE_ACTIVE)
            break;
        if (view->stage != told)
            output_remark(cli, _("%s: %s; next step: %s"), account->name,
                          view->stage == STAGE_UNKNOWN ? view->answer.note
                                                       : stage_meaning(view->stage),
                          stage_next_step(view->stage));
        told = view->stage;
        if (!pause_for(account->name, view, wait_ms, since))
            break;
        wait_ms = wait_ms * 3 / 2 < WATCH_MAX_MS ? wait_ms * 3 / 2 : WATCH_MAX_MS;
    }
    meter_end();
    return view->stage == STAGE_ACTIVE
               ? CLI_OK
               : output_fail(cli, "stopped", _("run it again to go on waiting"),
                             _("stopped while %s"), stage_meaning(view->stage));
}

/* The account that is to be watched: the one that is named, or the only one there is. */
static const struct account_config *choose(const struct config *config, const char *name)
{
    if (name)
        return config_find_account(config, name);
    return config->account_count == 1 ? &config->accounts[0] : NULL;
}

static enum cli_exit run_one(const struct cli *cli, const struct config *config,
                             const struct account_config *account)
{
    AUTO(rows_fini) struct rows rows;
    AUTO(view_fini) struct view view = {.account = account};
    AUTO(vault_contents_fini) struct vault_contents opened = {.items = {NULL}};

    rows_init(&rows);
    enum cli_exit result = unlock(cli, account, config->state_dir, &opened);
    if (result == CLI_OK && cli->watches)
        result = watch(cli, account, config->state_dir, &opened, &view);
    else if (result == CLI_OK)
        look(account, config->state_dir, &opened, &view);
    if (result != CLI_OK)
        return result;
    result = report(cli, &view, &rows);
    if (view.stage == STAGE_ACTIVE && cli->watches)
        output_remark(cli, _("slot %lu is there; applications that watch for it see it now"),
                      (unsigned long)view.entry.slot_id);
    enum cli_exit printed = cli->is_json ? rows_print_thing(cli, &rows) : CLI_OK;
    return result == CLI_OK ? printed : result;
}

static enum cli_exit run_all(const struct cli *cli, const struct config *config)
{
    AUTO(rows_fini) struct rows rows;
    enum cli_exit result = CLI_OK;

    rows_init(&rows);
    for (size_t i = 0; i < config->account_count; i++) {
        AUTO(view_fini) struct view view = {.account = NULL};
        AUTO(vault_contents_fini) struct vault_contents opened = {.items = {NULL}};
        if (unlock(cli, &config->accounts[i], config->state_dir, &opened) == CLI_OK) {
            look(&config->accounts[i], config->state_dir, &opened, &view);
            if (report(cli, &view, &rows) == CLI_OK)
                continue;
        }
        result = CLI_FAILED;
    }
    if (config->account_count == 0)
        output_remark(cli, _("there is no account yet; smartca account add makes one"));
    enum cli_exit printed = cli->is_json ? rows_print(cli, &rows, NULL, 0) : CLI_OK;
    return result == CLI_OK ? printed : result;
}

enum cli_exit status_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace;
    const char *name = cli->operand_count > 0 ? cli->operands[0] : NULL;

    enum cli_exit result = workspace_open(cli, &workspace);
    if (result != CLI_OK)
        return result;
    const struct account_config *account = choose(workspace.config, name);
    if (name && !account)
        return output_fail(cli, output_code(SCA_NOT_FOUND), "smartca account list",
                           _("there is no account %s"), name);
    if (cli->watches && !account)
        return output_usage(cli, _("--watch needs the NAME of one account"));
    return name || cli->watches ? run_one(cli, workspace.config, account)
                                : run_all(cli, workspace.config);
}
