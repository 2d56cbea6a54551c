/* SPDX-License-Identifier: Apache-2.0 */
/* smartca verify: is this a signature of that file, whose, and is the signer trusted? */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509_vfy.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/cms_check.h"
#include "remote/cli/output.h"
#include "remote/cli/verify_trust.h"
#include "remote/cli/x509_read.h"

#define SUFFIX ".p7s"

static const struct {
    const char *code;
    const char *text;
} states[] = {
    [CMS_STATE_RIGHT] = {"right", N_("the signature is right")},
    [CMS_STATE_CHANGED] = {"changed",
                           N_("the file is not the one that was signed: its content differs")},
    [CMS_STATE_WRONG] = {"wrong", N_("the signature was not made with this certificate's key")},
    [CMS_STATE_MISATTRIBUTED] = {"misattributed", N_("the signature names another certificate")},
    [CMS_STATE_ANONYMOUS] = {"anonymous", N_("the signer's certificate is not in the signature")},
};

/* A signer, with what was found out about the certificate. */
struct view {
    const struct cms_finding *finding;
    const char *distrust; /* why the chain is not trusted; NULL: it is */
    int64_t not_before;
    int64_t not_after;
    bool was_valid; /* at the signing time; now, where none is told */
};

static void store_freep(X509_STORE **store)
{
    X509_STORE_free(*store);
}

static struct view look(const struct cms_finding *finding, X509_STORE *store,
                        const struct cms_report *report)
{
    struct view view = {.finding = finding};
    time_t at = finding->signing_time ? (time_t)finding->signing_time : time(NULL);

    if (!finding->signer)
        return view;
    view.not_before = x509_time(X509_get0_notBefore(finding->signer));
    view.not_after = x509_time(X509_get0_notAfter(finding->signer));
    view.was_valid = view.not_before <= at && at <= view.not_after;
    view.distrust =
        verify_trust(store, finding->signer, report->certificates, finding->signing_time);
    return view;
}

static bool is_good(const struct view *view)
{
    return view->finding->state == CMS_STATE_RIGHT && view->was_valid && !view->distrust;
}

static void add_row(struct rows *rows, const char *file, const char *signature,
                    const struct view *view)
{
    X509 *signer = view->finding->signer;
    AUTO(freep) char *subject = signer ? x509_name_text(X509_get_subject_name(signer)) : NULL;
    AUTO(freep) char *issuer = signer ? x509_name_text(X509_get_issuer_name(signer)) : NULL;
    char serial[CERTIFICATE_SERIAL_HEX] = "";

    rows_begin(rows);
    rows_text(rows, "file", file);
    rows_text(rows, "signature", signature);
    rows_text(rows, "state", states[view->finding->state].code);
    rows_flag(rows, "is_good", is_good(view));
    rows_text(rows, "signer", subject);
    rows_text(rows, "issuer", issuer);
    rows_text(rows, "serial", signer ? x509_serial(signer, serial) : NULL);
    rows_time(rows, "signing_time", view->finding->signing_time);
    rows_time(rows, "not_before", view->not_before);
    rows_time(rows, "not_after", view->not_after);
    rows_flag(rows, "valid_at_signing_time", view->was_valid);
    rows_flag(rows, "trusted", signer && !view->distrust);
    rows_text(rows, "not_trusted_because", view->distrust);
}

static void print_text(const struct view *view)
{
    X509 *signer = view->finding->signer;
    AUTO(freep) char *subject = signer ? x509_name_text(X509_get_subject_name(signer)) : NULL;
    AUTO(freep) char *issuer = signer ? x509_name_text(X509_get_issuer_name(signer)) : NULL;
    char time[OUTPUT_TIME_SIZE];
    char end[OUTPUT_TIME_SIZE];

    (void)printf("%s\n", _(states[view->finding->state].text));
    if (!signer)
        return;
    (void)printf(_("  signer: %s\n"), subject ? subject : "-");
    (void)printf(_("  issued by: %s\n"), issuer ? issuer : "-");
    (void)printf(_("  signed, as the signer's clock had it: %s\n"),
                 view->finding->signing_time ? output_time(view->finding->signing_time, time)
                                             : "-");
    (void)printf(view->was_valid ? _("  certificate: valid then (%s to %s)\n")
                                 : _("  certificate: NOT valid then (%s to %s)\n"),
                 output_time(view->not_before, time), output_time(view->not_after, end));
    if (view->distrust)
        (void)printf(_("  chain: NOT trusted: %s\n"), view->distrust);
    else
        (void)printf(_("  chain: trusted\n"));
}

static enum cli_exit refuse(const struct cli *cli, const struct view *view)
{
    enum cms_state state = view->finding->state;

    if (state != CMS_STATE_RIGHT)
        return output_fail(cli, states[state].code, _("do not rely on it; ask the signer"),
                           "%s: %s", cli->operands[0], _(states[state].text));
    if (!view->was_valid)
        return output_fail(cli, "not_valid",
                           _("ask the signer for a signature with a certificate that is valid"),
                           _("%s: the signature is right, but the certificate was not valid then"),
                           cli->operands[0]);
    return output_fail(cli, "not_trusted", _("name the root certificate you trust by --ca-file"),
                       _("%s: the signature is right, but its signer is not trusted: %s"),
                       cli->operands[0], view->distrust);
}

static enum cli_exit report(const struct cli *cli, const char *signature, X509_STORE *store,
                            const struct cms_report *found)
{
    AUTO(rows_fini) struct rows rows;
    enum cli_exit result = CLI_OK;

    rows_init(&rows);
    for (size_t i = 0; i < found->count; i++) {
        struct view view = look(&found->items[i], store, found);
        add_row(&rows, cli->operands[0], signature, &view);
        if (!cli->is_json)
            print_text(&view);
        (void)fflush(stdout); /* what was found goes before what is wrong with it */
        if (!is_good(&view) && result == CLI_OK)
            result = refuse(cli, &view);
    }
    enum cli_exit printed = cli->is_json ? rows_print(cli, &rows, NULL, 0) : CLI_OK;
    return result == CLI_OK ? printed : result;
}

static enum cli_exit cannot_check(const struct cli *cli, const char *signature,
                                  enum sca_status status)
{
    const char *file = status == SCA_IO ? cli->operands[0] : signature;
    const char *why = status == SCA_PROTOCOL      ? _("it is no detached CMS signature")
                      : status == SCA_UNSUPPORTED ? _("its digest algorithm is not known")
                      : status == SCA_IO          ? _("it cannot be read")
                                                  : sca_status_name(status);

    return output_fail(cli, output_code(status), _("name the signature by --signature"), "%s: %s",
                       file, why);
}

static enum cli_exit check(const struct cli *cli, const char *signature)
{
    AUTO(cms_report_fini) struct cms_report found = {0};
    AUTO(store_freep) X509_STORE *store = NULL;
    AUTO(buf_fini) struct buf cms = {0};
    AUTO(fd_closep) int fd = -1;
    struct trouble trouble;
    const char *why = NULL;

    if (!verify_trust_open(cli, &store, &trouble))
        return trouble_print(cli, &trouble);
    fd = open(cli->operands[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return output_fail(cli, errno == ENOENT ? "not_found" : "io",
                           _("check the name, and that you may read it"), "%s: %s",
                           cli->operands[0], strerror(errno));
    enum sca_status st = file_read_trusted(signature, FILE_ANY, CMS_FILE_MAX, false, &cms, &why);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), _("name the signature by --signature"), "%s: %s",
                           signature, why ? why : _("there is no such file"));
    st = cms_check(buf_span(&cms), fd, &found);
    return st == SCA_OK ? report(cli, signature, store, &found) : cannot_check(cli, signature, st);
}

/* NAME.p7s was given alone, and NAME is there: the length of NAME; otherwise 0. */
static size_t document_of(const struct cli *cli, const char *beside)
{
    const char *name = cli->operands[0];
    size_t len = strlen(name) > strlen(SUFFIX) ? strlen(name) - strlen(SUFFIX) : 0;
    AUTO(freep) char *document = strndup(name, len);

    if (cli->signature || !document || strcmp(name + len, SUFFIX) != 0 ||
        access(beside, F_OK) == 0 || access(document, F_OK) != 0)
        return 0;
    return len;
}

static enum cli_exit name_the_document(const struct cli *cli, size_t len)
{
    AUTO(freep) char *next_step = NULL;

    if (asprintf(&next_step, "smartca verify %.*s", (int)len, cli->operands[0]) < 0)
        next_step = NULL;
    return output_fail(cli, "invalid", next_step ? next_step : "",
                       _("%s is a signature: name the document that it signs"), cli->operands[0]);
}

enum cli_exit verify_run(const struct cli *cli)
{
    AUTO(freep) char *beside = NULL;

    if (asprintf(&beside, "%s" SUFFIX, cli->operands[0]) < 0) {
        beside = NULL;
        return output_fail(cli, output_code(SCA_NOMEM), "", "%s", _("out of memory"));
    }
    size_t len = document_of(cli, beside);
    if (len > 0)
        return name_the_document(cli, len);
    return check(cli, cli->signature ? cli->signature : beside);
}
