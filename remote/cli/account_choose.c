/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/account_choose.h"

#include <stdio.h>
#include <strings.h>

#include "remote/base/cleanup.h"
#include "remote/cli/account_lookup.h"

enum cli_exit choice_reload(struct choice *choice)
{
    const char *state_dir = choice->workspace.config->state_dir;
    const char *why = NULL;

    catalogue_close(choice->catalogue);
    enum sca_status st = workspace_catalogue(state_dir, &choice->catalogue, &why);
    return st == SCA_OK ? CLI_OK : workspace_refuse_catalogue(choice->cli, state_dir, st, why);
}

enum cli_exit choice_open(const struct cli *cli, struct choice *ret_choice)
{
    *ret_choice = (struct choice){.cli = cli, .workspace.log = {.sink = LOG_SINK_NONE, .fd = -1}};

    enum cli_exit result = workspace_open(cli, &ret_choice->workspace);
    if (result == CLI_OK)
        result = account_find(cli, ret_choice->workspace.config, &ret_choice->account);
    return result == CLI_OK ? choice_reload(ret_choice) : result;
}

void choice_fini(struct choice *choice)
{
    catalogue_close(choice->catalogue);
    workspace_fini(&choice->workspace);
}

static bool is_chosen(const struct choice *choice, const struct catalogue_entry *entry)
{
    const char *wanted = choice->cli->serial;
    char own[CERTIFICATE_SERIAL_HEX];

    if (!entry->has_certificate || !account_shows(choice->account, entry))
        return false;
    return !wanted || strcasecmp(wanted, entry->service_serial) == 0 ||
           strcasecmp(wanted, certificate_serial_hex(entry->leaf.serial, own)) == 0;
}

bool choice_next(const struct choice *choice, size_t *index, struct catalogue_entry *ret_entry)
{
    size_t count = catalogue_count(choice->catalogue);

    while (*index < count) {
        size_t at = (*index)++;
        if (catalogue_get(choice->catalogue, at, ret_entry) == SCA_OK &&
            is_chosen(choice, ret_entry))
            return true;
    }
    return false;
}

enum cli_exit choice_report_none(const struct choice *choice)
{
    enum { SERIALS_MAX = 600, NEXT_STEP_MAX = 160 }; /* what fits a message */
    const struct cli *cli = choice->cli;
    const char *name = choice->account->name;
    AUTO(buf_fini) struct buf serials;

    buf_init(&serials, SERIALS_MAX, false);
    for (size_t i = 0; i < catalogue_count(choice->catalogue); i++) {
        struct catalogue_entry entry;
        if (catalogue_get(choice->catalogue, i, &entry) != SCA_OK || !entry.has_certificate ||
            !account_shows(choice->account, &entry))
            continue;
        (void)buf_append(&serials, span_text(" "));
        (void)buf_append(&serials, span_text(entry.service_serial));
    }
    if (serials.len > 0)
        return output_fail(cli, output_code(SCA_NOT_FOUND), _("choose one of those"),
                           _("account %s has no certificate %s; it has:%s"), name, cli->serial,
                           (const char *)serials.ptr);
    char next_step[NEXT_STEP_MAX];
    (void)snprintf(next_step, sizeof(next_step), _("smartca account refresh, or smartca status %s"),
                   name);
    return output_fail(cli, output_code(SCA_NOT_FOUND), next_step,
                       _("no certificate of account %s is known"), name);
}

void choice_begin_row(const struct choice *choice, const struct catalogue_entry *entry,
                      struct rows *rows)
{
    char serial[CERTIFICATE_SERIAL_HEX];

    rows_begin(rows);
    rows_text(rows, "account", choice->account->name);
    rows_number(rows, "slot_id", entry->slot_id);
    entry_add_label(entry, rows);
    rows_text(rows, "serial", certificate_serial_hex(entry->leaf.serial, serial));
}
