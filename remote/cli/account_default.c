/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account set-default: the certificate that applications see first. */
#include "remote/base/cleanup.h"
#include "remote/cli/account_choose.h"

static enum cli_exit set(const struct choice *choice, const struct catalogue_entry *entry)
{
    const struct catalogue_view view = {
        .display_name = "", .is_default = true, .signature_text = ""};
    const char *state_dir = choice->workspace.config->state_dir;

    enum sca_status st = catalogue_set_view(state_dir, entry->url, entry->user_id,
                                            entry->service_serial, VIEW_DEFAULT, &view);
    return st == SCA_OK ? CLI_OK
                        : output_fail(choice->cli, output_code(st), workspace_advice(SCA_IO),
                                      _("%s/catalogue cannot be changed"), state_dir);
}

static enum cli_exit say_set(const struct choice *choice, const struct catalogue_entry *entry)
{
    AUTO(rows_fini) struct rows rows;
    AUTO(freep) char *label = entry_label(entry);

    rows_init(&rows);
    output_remark(choice->cli,
                  _("%s of account %s is the default; programs started from now "
                    "on see it first"),
                  label ? label : "", choice->account->name);
    if (!choice->cli->is_json)
        return CLI_OK;
    choice_begin_row(choice, entry, &rows);
    rows_flag(&rows, "default", true);
    return rows_print_thing(choice->cli, &rows);
}

enum cli_exit account_set_default_run(const struct cli *cli)
{
    AUTO(choice_fini) struct choice choice;
    struct catalogue_entry entry;
    size_t index = 0;

    enum cli_exit result = choice_open(cli, &choice);
    if (result != CLI_OK)
        return result;
    if (!choice_next(&choice, &index, &entry))
        return choice_report_none(&choice);
    result = set(&choice, &entry);
    return result == CLI_OK ? say_set(&choice, &entry) : result;
}
