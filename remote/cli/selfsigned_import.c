/* SPDX-License-Identifier: Apache-2.0 */
/* smartca selfsigned import: a key and its certificate from elsewhere, into the user's token. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/key_file.h"
#include "remote/cli/office.h"
#include "remote/cli/output.h"
#include "remote/cli/token_private.h"
#include "remote/cli/workspace.h"

static bool load(const struct cli *cli, struct key_file *ret_file, struct trouble *trouble)
{
    AUTO(buf_fini) struct buf bytes;
    AUTO(secret_freep) struct secret *password = NULL;
    const char *path = cli->form[FORM_FROM];
    const char *why = NULL;
    const struct pin_question question = {.path = cli->password_file,
                                          .option = "--password-file",
                                          .prompt = _("Password of the file"),
                                          .is_password = true};

    enum sca_status st = file_read_trusted(path, FILE_ANY, KEY_FILE_MAX, true, &bytes, &why);
    if (st != SCA_OK)
        return trouble_say(trouble, output_code(st), _("name a file that this user may read"),
                           _("--from %s: %s"), path, why ? why : sca_status_name(st));
    if (key_file_wants_password(buf_span(&bytes)) && !pin_ask(&question, &password, trouble))
        return false;
    return key_file_parse(buf_span(&bytes), password, ret_file, trouble);
}

/*
 * A certificate that names no user has to be at least of the person that the token's certificate
 * is of: a user's name mistyped would put somebody's key under another person's PIN.
 */
static bool check_person(const struct office *office, struct task *task,
                         const struct holder *holder, const struct key_file *file)
{
    const struct holding *current = holder_current(holder, task->order.text[FORM_USER]);
    X509_NAME *subject = X509_get_subject_name(file->x509);
    AUTO(freep) char *user = x509_name_part(subject, NID_userId);
    AUTO(freep) char *name = x509_name_part(subject, NID_commonName);

    if (office->cli->is_forced || !current || user)
        return true;
    AUTO(freep)
    char *wanted = x509_name_part(X509_get_subject_name(current->x509), NID_commonName);
    return strcmp(name ? name : "", wanted ? wanted : "") == 0 ||
           trouble_say(&task->trouble, "exists",
                       _("import it for another user, or all the same with --force"),
                       _("user: the token %s is of %s, the certificate is of %s"),
                       task->order.label, wanted ? wanted : "-", name ? name : "-");
}

/* The token of the user, if there is one: not with this very certificate, nor anybody else's. */
static bool look(struct office *office, struct task *task, const struct key_file *file)
{
    AUTO(token_close) struct token token = {0};
    AUTO(holder_fini) struct holder holder = {0};
    const char *user = task->order.text[FORM_USER];

    const struct token_slot *found = tokens_find(&office->tokens, task->order.label);
    if (!found)
        return office->tokens.has_spare ||
               trouble_say(&task->trouble, "exhausted",
                           _("initialise one with the program of its vendor"), "%s",
                           _("the module has no empty slot"));
    task->slot = *found;
    task->has_slot = true;
    if (!token_open(office->module, found->id, false, &token, &task->trouble) ||
        !holder_read(&token, &holder, &task->trouble))
        return false;
    if (!holder_is_of(&holder, found->label, user) || office_is_issuers_own(&token, &holder))
        return trouble_say(&task->trouble, "exists", _("choose another user name"),
                           _("user: there is a token of somebody else with the label %s"),
                           found->label);
    if (holder_has(&holder, file->x509, false))
        return trouble_say(&task->trouble, "exists", _("smartca selfsigned list shows it"),
                           _("user %s has this certificate already"), user);
    return check_person(office, task, &holder, file);
}

/* A user name cannot be changed, not by an import either. A certificate may do without one. */
static bool check_user(struct task *task, const struct key_file *file)
{
    const char *user = task->order.text[FORM_USER];
    AUTO(freep) char *named = x509_name_part(X509_get_subject_name(file->x509), NID_userId);

    return !named || strcmp(named, user) == 0 ||
           trouble_say(&task->trouble, "invalid", _("import it for that user"),
                       _("user: the certificate is of user %s"), named);
}

static bool store_others(struct task *task, struct token *token, const struct key_file *file)
{
    AUTO(holder_fini) struct holder holder = {0};

    if (!holder_read(token, &holder, &task->trouble))
        return false;
    for (int i = 0; i < sk_X509_num(file->others); i++) {
        X509 *x509 = sk_X509_value(file->others, i);
        uint8_t id[CERTIFICATE_ID_SIZE];
        AUTO(freep) char *name = x509_name_part(X509_get_subject_name(x509), NID_commonName);
        if (!x509_is_authority(x509) || holder_has(&holder, x509, false) || !x509_key_id(x509, id))
            continue;
        if (!token_store_certificate(token, x509, span_of(id, sizeof(id)), name ? name : "", true,
                                     &task->trouble))
            return false;
    }
    return true;
}

static bool import(struct office *office, struct task *task, const struct key_file *file)
{
    AUTO(token_close) struct token token = {0};
    const struct key_spec *spec = key_spec_of(file->key);

    if (!spec)
        return trouble_say(&task->trouble, "unsupported",
                           _("smartca selfsigned create makes a new key and certificate"),
                           _("the key is none of %s"), key_spec_names);
    if (!check_user(task, file) || !look(office, task, file))
        return false;
    bool lacks_pin = !task->has_slot || !task->slot.has_pin;
    return (!lacks_pin || office_ask_so_pin(office, &task->trouble)) &&
           office_ask_pin(office, lacks_pin, &task->trouble) && office_seat(office, task, &token) &&
           token_private_store(&token, file->key, spec, task->order.label,
                               office->cli->is_exportable, &task->trouble) &&
           store_others(task, &token, file) && office_store(office, task, &token, file->x509);
}

static enum cli_exit tell(const struct cli *cli, const struct task *task)
{
    AUTO(rows_fini) struct rows rows = {0};
    static const struct column columns[] = {{"user", N_("USER"), false},
                                            {"result", N_("RESULT"), false},
                                            {"serial", N_("SERIAL"), false},
                                            {"not_after", N_("UNTIL"), true}};

    rows_init(&rows);
    rows_begin(&rows);
    rows_text(&rows, "user", task->order.text[FORM_USER]);
    rows_text(&rows, "result", "imported");
    rows_text(&rows, "serial", task->serial);
    rows_time(&rows, "not_before", task->not_before);
    rows_time(&rows, "not_after", task->not_after);
    return cli->is_json ? rows_print_thing(cli, &rows)
                        : rows_print(cli, &rows, columns, ARRAY_LEN(columns));
}

static enum cli_exit import_file(const struct cli *cli, const struct module *module,
                                 const char *state_dir, struct task *task,
                                 const struct key_file *file)
{
    AUTO(office_fini) struct office office;

    office_init(&office, cli, module);
    return office_read_tokens(&office, state_dir, &task->trouble) && import(&office, task, file)
               ? tell(cli, task)
               : trouble_print(cli, &task->trouble);
}

enum cli_exit selfsigned_import_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    AUTO(key_file_fini) struct key_file file = {0};
    AUTO(module_fini) struct module module = {0};
    struct task task = {.form.text[FORM_USER] = cli->form[FORM_USER]};

    if (!cli->form[FORM_USER] || !cli->form[FORM_FROM])
        return output_usage(cli, _("--user or --from is missing"));
    if (!form_check_user(&task.form, 0, &task.order, &task.trouble))
        return trouble_print(cli, &task.trouble);
    task.order.is_self_issued = true; /* nothing is issued here */
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result != CLI_OK)
        return result;
    if (!load(cli, &file, &task.trouble))
        return trouble_print(cli, &task.trouble);
    result = module_use(cli, &module);
    return result == CLI_OK ? import_file(cli, &module, workspace.config->state_dir, &task, &file)
                            : result;
}
