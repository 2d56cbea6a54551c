/* SPDX-License-Identifier: Apache-2.0 */
/* smartca selfsigned export: a certificate for everybody, or a key with its PIN and a password. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/holder.h"
#include "remote/cli/key_file.h"
#include "remote/cli/output.h"
#include "remote/cli/pin_input.h"
#include "remote/cli/token_private.h"
#include "remote/cli/workspace.h"

enum format { FORMAT_PEM, FORMAT_DER, FORMAT_P12, FORMAT_PKCS8, FORMAT_COUNT };

static const char *const format_names[FORMAT_COUNT] = {"pem", "der", "p12", "pkcs8"};

struct export
{
    const struct cli *cli;
    enum format format;
    struct token token;
    struct holder holder;
    const struct holding *item;
};

static bool has_key(enum format format)
{
    return format == FORMAT_P12 || format == FORMAT_PKCS8;
}

static enum cli_exit check_usage(const struct cli *cli, enum format *ret_format)
{
    const char *name = cli->format ? cli->format : format_names[FORMAT_PEM];
    enum format format = FORMAT_PEM;

    if (!cli->form[FORM_USER] == !cli->form[FORM_ISSUED_BY])
        return output_usage(cli, _("give either --user, or --issued-by: a local issuer's name"));
    while (format < FORMAT_COUNT && strcmp(name, format_names[format]) != 0)
        format++;
    if (format == FORMAT_COUNT)
        return output_usage(cli, _("--format is pem, der, p12 or pkcs8"));
    if (has_key(format) && !cli->form[FORM_USER])
        return output_usage(cli, _("an issuer's key does not leave its token"));
    if (has_key(format) && !cli->out)
        return output_usage(cli, _("--out is missing: keys go to a file only"));
    if (cli->is_json && !cli->out && format != FORMAT_PEM)
        return output_usage(cli, _("--json goes with --out or --format pem"));
    if (cli->out && !cli->is_forced && access(cli->out, F_OK) == 0)
        return output_fail(cli, "exists", _("name another file, or replace it with --force"),
                           _("--out %s is there already"), cli->out);
    *ret_format = format;
    return CLI_OK;
}

/* The user, or the issuer, whose token it is. */
static const char *owner_of(const struct cli *cli)
{
    return cli->form[FORM_USER] ? cli->form[FORM_USER] : cli->form[FORM_ISSUED_BY];
}

static const struct holding *find_item(const struct export *export)
{
    const char *serial = export->cli->serial;
    bool is_authority = !export->cli->form[FORM_USER];

    if (!serial)
        return is_authority ? holder_authority(&export->holder)
                            : holder_current(&export->holder, export->cli->form[FORM_USER]);
    for (size_t i = 0; i < export->holder.count; i++)
        if (export->holder.items[i].is_authority == is_authority &&
            strcasecmp(export->holder.items[i].serial, serial) == 0)
            return &export->holder.items[i];
    return NULL;
}

static bool say_not_found(const struct export *export, bool is_known, struct trouble *trouble)
{
    const char *owner = owner_of(export->cli);

    if (!export->cli->form[FORM_USER])
        return trouble_say(trouble, "not_found", _("smartca slots shows the tokens there are"),
                           _("there is no local issuer %s with such a certificate"), owner);
    if (is_known)
        return trouble_say(trouble, "not_found",
                           _("smartca selfsigned list shows the certificates"),
                           _("user %s has no such certificate"), owner);
    return trouble_say(trouble, "not_found", _("smartca selfsigned list shows the users there are"),
                       _("user %s is not known"), owner);
}

/* From here on everything is the token's, without a login. */
static bool open_owner(struct export *export, const struct module *module, struct trouble *trouble)
{
    AUTO(tokens_fini) struct tokens tokens = {0};
    char label[FORM_LABEL_SIZE];

    form_label(owner_of(export->cli), label);
    if (!tokens_read(module, &tokens, trouble))
        return false;
    const struct token_slot *found = tokens_find(&tokens, label);
    if (!found)
        return say_not_found(export, false, trouble);
    if (!token_open(module, found->id, false, &export->token, trouble) ||
        !holder_read(&export->token, &export->holder, trouble))
        return false;
    export->item = find_item(export);
    return export->item || say_not_found(export, true, trouble);
}

/* The token shows its private key, and whether it leaves, to nobody but its user. */
static bool take_key(struct export *export, EVP_PKEY **ret_key, struct trouble *trouble)
{
    const struct pin_question question = {
        .path = export->cli->pin_file, .option = "--pin-file", .prompt = _("PIN of the user")};
    AUTO(secret_freep) struct secret *pin = NULL;
    AUTO(token_pair_fini) struct token_pair pair = {0};
    uint8_t id[CERTIFICATE_ID_SIZE];

    if (!x509_key_id(export->item->x509, id))
        return trouble_no_memory(trouble);
    return pin_ask(&question, &pin, trouble) &&
           token_login(&export->token, CKU_USER, pin, trouble) &&
           token_pair_find(&export->token, span_of(id, sizeof(id)), &pair, trouble) &&
           token_private_read(&export->token, &pair, ret_key, trouble);
}

static bool ask_password(const struct export *export, struct secret **ret_password,
                         struct trouble *trouble)
{
    const struct pin_question question = {.path = export->cli->out_password_file,
                                          .option = "--out-password-file",
                                          .prompt = _("Password of the new file"),
                                          .is_new = true,
                                          .is_password = true};

    return pin_ask(&question, ret_password, trouble);
}

/* The issuers' certificates on the token go into the file as well. */
static bool add_issuers(const struct export *export, struct key_file *file)
{
    for (size_t i = 0; i < export->holder.count; i++) {
        const struct holding *item = &export->holder.items[i];
        if (!item->is_authority || X509_NAME_cmp(X509_get_subject_name(item->x509),
                                                 X509_get_issuer_name(export->item->x509)) != 0)
            continue;
        if (!file->others)
            file->others = sk_X509_new_null();
        if (!file->others || X509_add_cert(file->others, item->x509, X509_ADD_FLAG_UP_REF) != 1)
            return false;
    }
    return true;
}

static bool make_key_file(struct export *export, struct buf *ret_bytes, struct trouble *trouble)
{
    AUTO(secret_freep) struct secret *password = NULL;
    AUTO(key_file_fini) struct key_file file = {0};

    buf_init(ret_bytes, KEY_FILE_MAX, true);
    /* Nobody thinks of a password for a key that stays where it is. */
    if (!take_key(export, &file.key, trouble) || !ask_password(export, &password, trouble))
        return false;
    if (export->format == FORMAT_PKCS8)
        return key_file_to_pkcs8(file.key, password, ret_bytes, trouble);
    if (X509_up_ref(export->item->x509) != 1)
        return trouble_no_memory(trouble);
    file.x509 = export->item->x509;
    if (!add_issuers(export, &file))
        return trouble_no_memory(trouble);
    return key_file_to_pkcs12(&file, export->cli->form[FORM_USER], password, ret_bytes, trouble);
}

/* Whole or not at all, 0600; without --force never in the place of another file. */
static bool write_file(const struct cli *cli, struct span bytes, struct trouble *trouble)
{
    AUTO(freep) char *for_dir = strdup(cli->out);
    AUTO(freep) char *for_name = strdup(cli->out);

    if (!for_dir || !for_name)
        return trouble_no_memory(trouble);
    if (!cli->is_forced) {
        AUTO(fd_closep)
        int fd = open(cli->out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return trouble_say(trouble, errno == EEXIST ? "exists" : "io",
                               _("name a file in a folder of your own"), _("--out %s: %s"),
                               cli->out, strerror(errno));
    }
    if (file_replace(dirname(for_dir), basename(for_name), bytes) == SCA_OK)
        return true;
    if (!cli->is_forced)
        (void)unlink(cli->out); /* it is empty */
    return trouble_say(trouble, "io", _("make room on the disk, or name another file"),
                       _("--out %s cannot be written"), cli->out);
}

/* pem: the certificate, where it is not in a file. */
static enum cli_exit tell(const struct export *export, const char *pem)
{
    AUTO(rows_fini) struct rows rows = {0};
    const struct cli *cli = export->cli;

    if (!cli->is_json) {
        output_remark(cli, _("written: %s"), cli->out);
        return CLI_OK;
    }
    rows_init(&rows);
    rows_begin(&rows);
    rows_text(&rows, cli->form[FORM_USER] ? "user" : "issuer", owner_of(cli));
    rows_text(&rows, "serial", export->item->serial);
    rows_text(&rows, "format", format_names[export->format]);
    rows_text(&rows, pem ? "certificate" : "file", pem ? pem : cli->out);
    return rows_print_thing(cli, &rows);
}

static enum cli_exit export_item(struct export *export, const struct holding *item)
{
    AUTO(buf_fini) struct buf bytes = {0};
    const struct cli *cli = export->cli;
    struct trouble trouble;

    bool is_made =
        has_key(export->format)
            ? make_key_file(export, &bytes, &trouble)
            : key_file_certificate(item->x509, export->format == FORMAT_PEM, &bytes, &trouble);
    if (is_made && cli->out)
        is_made = write_file(cli, buf_span(&bytes), &trouble);
    if (!is_made)
        return trouble_print(cli, &trouble);
    if (cli->out)
        return tell(export, NULL);
    if (cli->is_json)
        return tell(export, (const char *)bytes.ptr);
    return fwrite(bytes.ptr, 1, bytes.len, stdout) == bytes.len
               ? CLI_OK
               : output_fail(cli, "io", _("make room on the disk, or use --out"),
                             _("the output cannot be written"));
}

enum cli_exit selfsigned_export_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    AUTO(module_fini) struct module module = {0};
    struct export export = {.cli = cli};
    struct trouble trouble;

    enum cli_exit result = check_usage(cli, &export.format);
    if (result == CLI_OK)
        result = workspace_open(cli, &workspace);
    if (result == CLI_OK)
        result = module_use(cli, &module);
    if (result != CLI_OK)
        return result;
    bool is_found = open_owner(&export, &module, &trouble) && export.item;
    result = is_found ? export_item(&export, export.item) : trouble_print(cli, &trouble);
    holder_fini(&export.holder);
    token_close(&export.token);
    return result;
}
