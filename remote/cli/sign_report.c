/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_report.h"

#include <string.h>

#include <p11-kit/p11-kit.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/output.h"

enum { FEW = 5 };

/* What the outcomes of a signature, as smartca-pkcs11(7) lists them, mean to the person. */
static const struct {
    CK_RV rv;
    bool is_cloud; /* elsewhere the code says nothing so special */
    const char *code;
    const char *text;
    const char *next_step;
} outcomes[] = {
    {CKR_FUNCTION_REJECTED, true, "rejected", N_("rejected on the phone"),
     N_("run it again, and confirm when the codes agree")},
    {CKR_FUNCTION_FAILED, true, "unconfirmed", N_("nobody confirmed in time"),
     N_("run it again with the phone at hand")},
    {CKR_TOKEN_RESOURCE_EXCEEDED, true, "exhausted", N_("the signing package is used up"),
     N_("buy or renew it in the VNPT SmartCA app")},
    {CKR_DEVICE_ERROR, true, "network", N_("the service could not be asked, or answered nonsense"),
     N_("smartca doctor tells more, and so does the log")},
    {CKR_USER_NOT_LOGGED_IN, true, "user_auth",
     N_("the service refused password or one-time password"), N_("run it again with a new one")},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, false, "not_permitted",
     N_("the certificate is revoked, expired or not activated"),
     N_("smartca slots shows its state")},
    {CKR_FUNCTION_CANCELED, false, "cancelled", N_("cancelled, because another one failed"), ""},
    {CKR_OK, false, "unknown", N_("not tried, because another one failed"), ""},
};

static size_t ceiling(const struct sign_work *work)
{
    const struct account_config *account = work->slot->account;
    size_t most = account ? account->service.batch_max : SIGN_TOGETHER_MAX;

    return most < SIGN_TOGETHER_MAX ? most : SIGN_TOGETHER_MAX;
}

void sign_report_ahead(const struct sign_work *work)
{
    const struct sign_files *files = work->files;
    size_t most = ceiling(work);

    if (!work->slot->is_cloud)
        return;
    if (files->count > most)
        output_remark(work->cli,
                      _("%zu files are more than fit one transaction (batch_max = %zu): %zu "
                        "confirmations"),
                      files->count, most, (files->count + most - 1) / most);
    if (sign_work_has_phone(work))
        output_remark(work->cli,
                      ngettext("confirm on the phone: %zu file, control code %s",
                               "confirm on the phone: %zu files, control code %s", files->count),
                      files->count, files->items[0].code);
    for (size_t i = 0; i < files->count; i++)
        if (work->cli->is_verbose || (files->count > 1 && files->count <= FEW))
            output_remark(work->cli, "%s  %s", files->items[i].code, files->items[i].path);
}

static const struct column columns[] = {
    {"file", N_("FILE"), false},
    {"signature", N_("SIGNATURE"), false},
    {"control_code", N_("CODE"), false},
};

enum cli_exit sign_report_done(const struct sign_work *work)
{
    AUTO(rows_fini) struct rows rows;
    char serial[CERTIFICATE_SERIAL_HEX];

    rows_init(&rows);
    for (size_t i = 0; i < work->files->count; i++) {
        const struct sign_file *file = &work->files->items[i];
        if (file->state != SIGN_DONE)
            continue;
        rows_begin(&rows);
        rows_text(&rows, "file", file->path);
        rows_text(&rows, "signature", file->output);
        rows_text(&rows, "control_code", work->slot->is_cloud ? file->code : NULL);
        rows_number(&rows, "slot_id", work->slot->id);
        rows_text(&rows, "label", work->slot->label);
        rows_text(&rows, "serial", x509_serial(work->slot->signer, serial));
    }
    return rows_print(work->cli, &rows, columns, ARRAY_LEN(columns));
}

size_t sign_report_count_failed(const struct sign_files *files)
{
    size_t count = 0;

    for (size_t i = 0; i < files->count; i++)
        count += files->items[i].state != SIGN_DONE;
    return count;
}

static void explain(const struct sign_work *work, const struct sign_file *file,
                    struct trouble *ret_trouble)
{
    if (file->state == SIGN_FALSE) {
        AUTO(fd_closep) int fd = -1;
        struct trouble ignored;
        bool is_there = sign_file_open(file, &fd, &ignored);
        (void)trouble_say(ret_trouble, is_there ? "mismatch" : "gone",
                          _("do not change files while they are signed; else tell the log"), "%s",
                          is_there ? _("the signature that came is not one of this file")
                                   : _("the file was removed or replaced meanwhile"));
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
        if (outcomes[i].rv == file->rv && (work->slot->is_cloud || !outcomes[i].is_cloud)) {
            (void)trouble_say(ret_trouble, outcomes[i].code,
                              *outcomes[i].next_step ? _(outcomes[i].next_step) : "", "%s",
                              _(outcomes[i].text));
            return;
        }
    (void)trouble_module(ret_trouble, _("the token did not sign"), file->rv);
}

/* The cause goes before what only followed from it. */
static const struct sign_file *find_cause(const struct sign_files *files)
{
    const struct sign_file *cause = NULL;

    for (size_t i = 0; i < files->count; i++) {
        const struct sign_file *file = &files->items[i];
        bool is_cause = file->state == SIGN_FALSE ||
                        (file->state == SIGN_FAILED && file->rv != CKR_FUNCTION_CANCELED);
        if (is_cause)
            return file;
        if (!cause && file->state != SIGN_DONE)
            cause = file;
    }
    return cause;
}

enum cli_exit sign_report_failure(const struct sign_work *work, bool are_others_written)
{
    const struct sign_files *files = work->files;
    const struct sign_file *cause = find_cause(files);
    size_t failed = sign_report_count_failed(files);
    struct trouble trouble;

    for (size_t i = 0; failed > 1 && i < files->count; i++) {
        const struct sign_file *file = &files->items[i];
        if (file->state == SIGN_DONE || (file->state == cause->state && file->rv == cause->rv))
            continue;
        explain(work, file, &trouble);
        output_remark(work->cli, "%s: %s", file->path, trouble.text);
    }
    explain(work, cause, &trouble);
    return output_fail(
        work->cli, trouble.code, trouble.next_step,
        are_others_written
            ? ngettext("%s: %s (%zu of %zu file not signed; the others are written)",
                       "%s: %s (%zu of %zu files not signed; the others are written)", files->count)
            : ngettext("%s: %s (%zu of %zu file not signed; nothing is written)",
                       "%s: %s (%zu of %zu files not signed; nothing is written)", files->count),
        cause->path, trouble.text, failed, files->count);
}

enum cli_exit sign_report_stopped(const struct cli *cli, bool was_asked)
{
    (void)output_fail(
        cli, "stopped",
        was_asked ? _("the prompt stays on the phone until it expires: reject it there, or confirm "
                      "it and run it again to collect the signatures")
                  : "",
        "%s", _("stopped; nothing is written"));
    return CLI_STOPPED;
}
