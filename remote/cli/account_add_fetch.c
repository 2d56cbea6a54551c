/* SPDX-License-Identifier: Apache-2.0 */
/* The identity's certificates, and which of them the account is about. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/cli/account_add.h"

enum { MESSAGE_MAX = 512 };

static bool is_wanted(const struct addition *addition, const struct catalogue_entry *entry)
{
    const char *wanted = addition->cli->serial;
    char own[CERTIFICATE_SERIAL_HEX];

    return !wanted || strcasecmp(wanted, entry->service_serial) == 0 ||
           strcasecmp(wanted, certificate_serial_hex(entry->leaf.serial, own)) == 0;
}

static void add_row(struct addition *addition, const struct catalogue_entry *entry)
{
    char serial[CERTIFICATE_SERIAL_HEX];
    struct rows *rows = &addition->rows;

    rows_begin(rows);
    rows_text(rows, "account", addition->account->name);
    entry_add_label(entry, rows);
    rows_text(rows, "serial", certificate_serial_hex(entry->leaf.serial, serial));
    rows_time(rows, "not_before", entry->leaf.not_before);
    rows_time(rows, "not_after", entry->leaf.not_after);
    rows_text(rows, "state", entry_state(entry, (int64_t)time(NULL)));
}

/* The certificate's, never the service's text: it is written into the configuration. */
static char *own_serial(const struct catalogue_entry *entry)
{
    char serial[CERTIFICATE_SERIAL_HEX];

    return strdup(certificate_serial_hex(entry->leaf.serial, serial));
}

/* One that is wanted: the account's, or another one's, which keeps it. False: not the account's. */
static bool take(struct addition *addition, const struct catalogue_entry *entry)
{
    const struct account_config *holder = workspace_holder(addition->workspace.config, entry);

    if (!holder) {
        add_row(addition, entry);
        return true;
    }
    addition->holder = holder;
    (void)certificate_serial_hex(entry->leaf.serial, addition->held);
    if (!addition->is_trial)
        output_remark(addition->cli, _("certificate %s stays account %s's slot"), addition->held,
                      holder->name);
    return false;
}

/* Goes through the identity's certificates; others: the serial numbers that are not wanted. */
static enum cli_exit pick_certificates(struct addition *addition, size_t *ret_count,
                                       struct buf *others)
{
    const char *why = NULL;
    AUTO(catalogue_closep)
    struct catalogue *catalogue = NULL;
    size_t wanted = 0;

    enum sca_status st =
        workspace_catalogue(addition->workspace.config->state_dir, &catalogue, &why);
    if (st != SCA_OK)
        return workspace_refuse_catalogue(addition->cli, addition->workspace.config->state_dir, st,
                                          why);
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        struct catalogue_entry entry;
        if (catalogue_get(catalogue, i, &entry) != SCA_OK || !entry.has_certificate ||
            !account_owns(addition->account, &entry))
            continue;
        if (is_wanted(addition, &entry)) {
            wanted += take(addition, &entry);
            if (addition->cli->serial && !addition->serial)
                addition->serial = own_serial(&entry);
        } else {
            (void)buf_append(others, span_text(" "));
            (void)buf_append(others, span_text(entry.service_serial));
        }
    }
    *ret_count = wanted;
    return CLI_OK;
}

static enum cli_exit report_none(const struct addition *addition)
{
    const char *url = addition->account->service.url;
    char next_step[MESSAGE_MAX];

    (void)snprintf(next_step, sizeof(next_step),
                   _("check --user-id and url (%s); if the certificate is on its way: the same "
                     "with --pending, then smartca status %s --watch"),
                   url, addition->account->name);
    return output_fail(addition->cli, output_code(SCA_NOT_FOUND), next_step,
                       _("%s has no certificate at %s"), addition->cli->user_id, url);
}

/* Signing without a person has to name its certificate: the form of eContract says the same. */
static enum cli_exit report_several(const struct addition *addition)
{
    enum { SERIALS_MAX = 600 }; /* what fits a message */
    AUTO(buf_fini) struct buf serials;
    const cJSON *row = NULL;

    buf_init(&serials, SERIALS_MAX, false);
    cJSON_ArrayForEach(row, addition->rows.list)
    {
        const char *serial = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "serial"));
        (void)buf_append(&serials, span_text(" "));
        (void)buf_append(&serials, span_text(serial));
    }
    return output_fail(addition->cli, output_code(SCA_INVALID), _("choose one of those"),
                       _("--business needs --serial when the number has several certificates; %s "
                         "has:%s"),
                       addition->cli->user_id, serials.ptr ? (const char *)serials.ptr : "");
}

static enum cli_exit choose_certificates(struct addition *addition)
{
    enum { OTHERS_MAX = 600 }; /* what fits a message */
    const struct cli *cli = addition->cli;
    struct buf others;
    size_t count = 0;

    buf_init(&others, OTHERS_MAX, false);
    enum cli_exit result = pick_certificates(addition, &count, &others);
    if (result == CLI_OK && count == 0 && others.len > 0)
        result = output_fail(cli, output_code(SCA_NOT_FOUND),
                             _("choose one of those, or leave --serial out for all"),
                             _("%s has no certificate %s; it has:%s"), cli->user_id, cli->serial,
                             (const char *)others.ptr);
    else if (result == CLI_OK && count == 0 && addition->holder)
        result = addition_report_held(addition, addition->holder, addition->held);
    else if (result == CLI_OK && count == 0 && !cli->is_pending)
        result = report_none(addition);
    else if (result == CLI_OK && count + (addition->holder != NULL) > 1 && cli->is_business &&
             !cli->serial)
        result = report_several(addition);
    buf_fini(&others);
    return result;
}

/* True also when nobody can tell now: what is known of the identity must not be forgotten then. A
 * damaged catalogue knows nothing. */
static bool is_in_catalogue(const struct addition *addition)
{
    const char *why = NULL;
    AUTO(catalogue_closep)
    struct catalogue *catalogue = NULL;

    enum sca_status st =
        workspace_catalogue(addition->workspace.config->state_dir, &catalogue, &why);
    if (st != SCA_OK)
        return st != SCA_INVALID;
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        struct catalogue_entry entry;
        if (catalogue_get(catalogue, i, &entry) == SCA_OK &&
            account_owns(addition->account, &entry))
            return true;
    }
    return false;
}

static enum cli_exit ask(struct addition *addition)
{
    const struct vault_contents contents =
        account_secrets_merge(&addition->secrets, &addition->had);
    const struct remote_credentials credentials = vault_credentials(&contents);
    struct workspace_answer answer;

    addition->was_known = is_in_catalogue(addition);
    enum sca_status st = workspace_fetch(addition->account, addition->workspace.config->state_dir,
                                         &credentials, &answer);
    if (st == SCA_NOT_FOUND && !addition->cli->is_pending) /* it does not know the identity */
        return report_none(addition);
    if (st == SCA_NOT_FOUND) {
        if (!addition->is_trial)
            output_remark(addition->cli, _("%s does not know %s yet: check both if that is wrong"),
                          addition->account->service.url, addition->cli->user_id);
        return CLI_OK;
    }
    return st == SCA_OK
               ? CLI_OK
               : output_fail(addition->cli, output_code(st), answer.next_step, "%s", answer.note);
}

enum cli_exit addition_fetch(struct addition *addition)
{
    enum cli_exit result = addition_check_rival(addition);
    if (result == CLI_OK)
        result = ask(addition);
    if (result != CLI_OK)
        return result;
    result = choose_certificates(addition);
    if (result != CLI_OK)
        addition_take_back(addition);
    return result;
}
