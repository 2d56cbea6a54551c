/* SPDX-License-Identifier: Apache-2.0 */
/* smartca econtract update, delete: one certificate of a user there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/econtract_here.h"

/* One run. */
struct change {
    const struct cli *cli;
    int64_t certificate_id;
    int64_t user_id;
    struct desk desk;
    struct econtract_user before; /* id 0: not known */
    struct econtract_user after;  /* likewise */
};

static void change_fini(struct change *change)
{
    econtract_user_fini(&change->before);
    econtract_user_fini(&change->after);
    desk_fini(&change->desk);
}

static struct change change_of(const struct cli *cli)
{
    return (struct change){.cli = cli,
                           .desk = {.workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}}}};
}

static enum cli_exit read_ids(struct change *change)
{
    const struct cli *cli = change->cli;

    enum cli_exit result =
        desk_read_id(cli, "--certificate", cli->certificate, &change->certificate_id);
    return result == CLI_OK
               ? desk_read_id(cli, "--econtract-user", cli->econtract_user, &change->user_id)
               : result;
}

/* The answer may have left the user out: then it is looked for, as long as it costs nothing but
 * time. */
static void complete(struct change *change)
{
    if (change->after.id == 0)
        (void)desk_find_user(&change->desk, change->user_id, false, &change->after);
}

static void add_id(struct rows *rows, const char *key, int64_t id)
{
    if (id > 0)
        rows_integer(rows, key, id);
    else
        rows_text(rows, key, NULL);
}

/* certificate and account may be NULL. */
static enum cli_exit print_json(const struct change *change,
                                const struct econtract_certificate *certificate,
                                const struct account_config *account)
{
    AUTO(rows_fini) struct rows rows;

    rows_init(&rows);
    rows_begin(&rows);
    add_id(&rows, "user_id", change->user_id);
    add_id(&rows, "certificate_id", change->certificate_id);
    rows_text(&rows, "name", certificate ? desk_name(certificate) : NULL);
    rows_text(&rows, "serial", certificate ? certificate->serial_number : NULL);
    add_id(&rows, "default", change->after.default_id);
    rows_text(&rows, "account", account ? account->name : NULL);
    return rows_print_thing(change->cli, &rows);
}

/* " (Name, 54ab)" behind a certificate's number; "" where it is not known. The caller frees. */
static char *particulars(const struct econtract_certificate *certificate)
{
    char *text = NULL;

    if (!certificate)
        return strdup("");
    return asprintf(&text, " (%s, %s)", desk_name(certificate), certificate->serial_number) < 0
               ? NULL
               : text;
}

static void print_default(const struct change *change)
{
    const struct econtract_user *user = &change->after;
    AUTO(freep) char *more = particulars(desk_find_certificate(user, user->default_id));

    if (user->id == 0)
        return;
    if (user->default_id > 0)
        output_line(_("the default of user %lld is %lld%s now\n"), (long long)change->user_id,
                    (long long)user->default_id, more ? more : "");
    else
        output_line(_("user %lld has no default certificate now\n"), (long long)change->user_id);
}

/* What eContract was told holds here too, where the certificate is known. */
static void update_here(const struct change *change,
                        const struct econtract_certificate *certificate)
{
    const struct cli *cli = change->cli;
    const char *name = cli->form[FORM_NAME];
    const unsigned parts = (name ? VIEW_NAME : 0) | (cli->is_default ? VIEW_DEFAULT : 0);
    const struct catalogue_view view = {.display_name = name ? name : "", .is_default = true};

    enum sca_status st = here_set_view(&change->desk, certificate->serial_number, parts, &view);
    if (st == SCA_OK)
        output_remark(cli, _("the slot of this certificate here follows in programs started "
                             "from now on"));
    else if (st != SCA_NOT_FOUND)
        output_remark(cli, _("the slot of this certificate here stays as it was: %s"),
                      sca_status_name(st));
}

static enum cli_exit print_update(const struct change *change)
{
    const struct econtract_certificate *certificate =
        desk_find_certificate(&change->after, change->certificate_id);
    AUTO(freep) char *more = particulars(certificate);

    if (certificate)
        update_here(change, certificate);
    if (change->cli->is_json)
        return print_json(change, certificate,
                          certificate ? here_find_account(&change->desk, certificate->serial_number)
                                      : NULL);
    output_line(_("certificate %lld%s of user %lld is changed\n"),
                (long long)change->certificate_id, more ? more : "", (long long)change->user_id);
    print_default(change);
    return CLI_OK;
}

static enum cli_exit check_update(const struct cli *cli)
{
    const char *name = cli->form[FORM_NAME];

    if (!name && !cli->is_default)
        return output_usage(cli, _("nothing is to be changed: give --default or --name"));
    if (name && (!*name || strlen(name) > CATALOGUE_NAME_MAX || !utf8_is_valid(span_text(name))))
        return output_usage(cli, _("--name has 1 to %d bytes of UTF-8"), CATALOGUE_NAME_MAX);
    return CLI_OK;
}

enum cli_exit econtract_update_run(const struct cli *cli)
{
    AUTO(change_fini) struct change change = change_of(cli);
    struct call call;

    enum cli_exit result = read_ids(&change);
    if (result == CLI_OK)
        result = check_update(cli);
    if (result == CLI_OK)
        result = desk_open(cli, cli->password_file, &change.desk);
    if (result != CLI_OK)
        return result;
    desk_begin(&change.desk, &call);
    enum sca_status st =
        econtract_update(change.desk.econtract, &call, change.certificate_id, change.user_id,
                         cli->is_default, cli->form[FORM_NAME], &change.after);
    if (st != SCA_OK)
        return desk_fail(&change.desk, st, &call);
    call_fini(&call);
    complete(&change);
    return print_update(&change);
}

/* Before it is gone: what it is called, and whether it is there at all. */
static enum cli_exit look_before(struct change *change)
{
    if (!desk_find_user(&change->desk, change->user_id, true, &change->before) ||
        desk_find_certificate(&change->before, change->certificate_id))
        return CLI_OK; /* or not to be seen: the service decides */
    return output_fail(change->cli, output_code(SCA_NOT_FOUND),
                       _("smartca econtract users shows the numbers there are"),
                       _("user %lld has no certificate %lld"), (long long)change->user_id,
                       (long long)change->certificate_id);
}

static enum cli_exit print_delete(const struct change *change)
{
    const struct econtract_certificate *certificate =
        desk_find_certificate(&change->before, change->certificate_id);
    const struct account_config *account =
        certificate ? here_find_account(&change->desk, certificate->serial_number) : NULL;
    AUTO(freep) char *more = particulars(certificate);

    if (change->cli->is_json)
        return print_json(change, certificate, account);
    output_line(_("certificate %lld%s is removed from user %lld\n"),
                (long long)change->certificate_id, more ? more : "", (long long)change->user_id);
    print_default(change);
    if (account)
        output_line(_("account %s stays on this computer; smartca account remove %s removes it\n"),
                    account->name, account->name);
    else
        output_line(_("accounts on this computer stay as they are; smartca account remove NAME "
                      "removes one\n"));
    return CLI_OK;
}

enum cli_exit econtract_delete_run(const struct cli *cli)
{
    AUTO(change_fini) struct change change = change_of(cli);
    struct call call;

    enum cli_exit result = read_ids(&change);
    if (result == CLI_OK)
        result = desk_open(cli, cli->password_file, &change.desk);
    if (result == CLI_OK)
        result = look_before(&change);
    if (result != CLI_OK)
        return result;
    desk_begin(&change.desk, &call);
    enum sca_status st = econtract_delete(change.desk.econtract, &call, change.certificate_id,
                                          change.user_id, &change.after);
    if (st != SCA_OK)
        return desk_fail(&change.desk, st, &call);
    call_fini(&call);
    complete(&change);
    return print_delete(&change);
}
