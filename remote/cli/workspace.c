/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/workspace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "remote/base/call.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/cli/output.h"
#include "remote/cli/store.h"
#include "remote/config/locate.h"
#include "remote/smartca/client.h"

enum cli_exit workspace_open_quietly(const struct cli *cli, struct workspace *ret_workspace)
{
    *ret_workspace = (struct workspace){.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    struct config *config = NULL;

    enum sca_status st = config_load(&config);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), "", _("the configuration cannot be loaded: %s"),
                           sca_status_name(st));
    ret_workspace->config = config;
    (void)log_open(&ret_workspace->log, config->log_target, config->log_level);
    const struct remote_host host = {.log = &ret_workspace->log, .libctx = crypto_libctx()};
    if (!host.libctx)
        return output_fail(cli, output_code(SCA_NOMEM), "",
                           _("OpenSSL cannot make a library context"));
    smartca_remote.attach(&host);
    return CLI_OK;
}

/* A problem of a whole file has no line. */
static void remark(const struct cli *cli, const struct config_problem *problem)
{
    if (problem->line > 0)
        output_remark(cli, "%s:%u: %s", problem->file, problem->line, problem->reason);
    else
        output_remark(cli, "%s: %s", problem->file, problem->reason);
}

enum cli_exit workspace_open(const struct cli *cli, struct workspace *ret_workspace)
{
    enum cli_exit result = workspace_open_quietly(cli, ret_workspace);
    const struct config *config = ret_workspace->config;

    for (size_t i = 0; result == CLI_OK && i < config->problem_count; i++)
        remark(cli, &config->problems[i]);
    return result;
}

void workspace_fini(struct workspace *workspace)
{
    log_attach(NULL);
    log_close(&workspace->log);
    config_free(workspace->config);
}

/* The password is fetched for each request: a file that cannot be used has its own next step. */
static void advise(const struct secret_ref *password, enum sca_status status,
                   char out[static WORKSPACE_NEXT_SIZE])
{
    AUTO(secret_freep) struct secret *secret = NULL;
    const char *why = NULL;
    bool is_unusable = (status == SCA_INVALID || status == SCA_IO) && password &&
                       secret_ref_fetch(password, &secret, &why) != SCA_OK;
    bool is_in_file = is_unusable && password->kind == SECRET_FILE;
    struct stat info = {.st_mode = 0};

    if (is_in_file && stat(password->text, &info) != 0 && errno == ENOENT)
        (void)snprintf(out, WORKSPACE_NEXT_SIZE, _("write %s, or correct sp_password"),
                       password->text);
    else if (is_in_file && (info.st_mode & (S_IRWXG | S_IRWXO)))
        (void)snprintf(out, WORKSPACE_NEXT_SIZE, "chmod 600 %s", password->text);
    else if (is_in_file)
        (void)snprintf(out, WORKSPACE_NEXT_SIZE,
                       _("see to %s: one line, owned by this user or root"), password->text);
    else if (is_unusable && password->kind == SECRET_ENV)
        (void)snprintf(out, WORKSPACE_NEXT_SIZE, _("set the variable %s, or correct sp_password"),
                       password->text);
    else
        (void)snprintf(out, WORKSPACE_NEXT_SIZE, "%s", workspace_advice(status));
}

enum sca_status workspace_fetch(const struct account_config *account, const char *state_dir,
                                const struct remote_credentials *credentials,
                                struct workspace_answer *ret_answer)
{
    const struct service_config *service = &account->service;
    struct smartca_client *client = NULL;
    struct call call;

    *ret_answer = (struct workspace_answer){.count = 0};
    enum sca_status st = smartca_remote.client_new(account, state_dir, &client);
    if (st != SCA_OK) {
        (void)snprintf(ret_answer->note, sizeof(ret_answer->note),
                       _("account %s cannot be used with %s: %s"), account->name, state_dir,
                       sca_status_name(st));
        advise(NULL, st, ret_answer->next_step);
        return st;
    }
    call_init(&call, &clock_system,
              (uint64_t)service->connect_timeout_ms + service->request_timeout_ms);
    st = smartca_remote.fetch(client, &call, credentials, &ret_answer->count);
    if (st != SCA_OK) {
        (void)snprintf(ret_answer->note, sizeof(ret_answer->note), "%s",
                       call.note[0] ? call.note : sca_status_name(st));
        advise(credentials->sp_password ? NULL : &account->service.sp_password, st,
               ret_answer->next_step);
    }
    ret_answer->clock_ahead_s = atomic_load(&client->clock_ahead_s);
    call_fini(&call);
    smartca_remote.client_free(client);
    return st;
}

const char *workspace_advice(enum sca_status status)
{
    static const char *const advice[SCA_STATUS_COUNT] = {
        [SCA_INVALID] = N_("correct the configuration; smartca doctor shows where"),
        [SCA_NOT_FOUND] = N_("check user_id: the service does not know it"),
        [SCA_IO] = N_("check owner, permissions and free space of the folder or file"),
        [SCA_NO_SPACE] = N_("free some space on the disk or in the quota"),
        [SCA_NETWORK] = N_("check url, ca_file, proxy, network and the computer's clock"),
        [SCA_PROTOCOL] = N_("check url: this does not answer like SmartCA's sp769 service"),
        [SCA_SERVICE_AUTH] =
            N_("check user_id, sp_id and sp_password, and that they are this gateway's"),
        [SCA_USER_AUTH] = N_("check user_id and password"),
        [SCA_NOT_PERMITTED] = N_("see the state of the identity in the SmartCA app"),
    };
    const char *text = status < SCA_STATUS_COUNT ? advice[status] : NULL;
    if (status == SCA_IO && !locate_has_home())
        text = STORE_NO_HOME_CURE;
    return text ? _(text) : _("try again; smartca doctor tells more");
}

enum sca_status workspace_catalogue(const char *state_dir, struct catalogue **ret_catalogue,
                                    const char **why)
{
    *why = NULL;
    *ret_catalogue = NULL;
    enum sca_status st = catalogue_open(state_dir, ret_catalogue, why);
    if (st != SCA_OK && !*why)
        *why = sca_status_name(st);
    return st;
}

const char *workspace_catalogue_advice(enum sca_status status)
{
    return status == SCA_INVALID ? _("smartca account refresh makes it anew")
                                 : workspace_advice(status);
}

bool workspace_catalogue_trouble(struct trouble *trouble, const char *state_dir,
                                 enum sca_status status, const char *why)
{
    return trouble_say(trouble, output_code(status), workspace_catalogue_advice(status),
                       "%s/catalogue: %s", state_dir, why);
}

enum cli_exit workspace_refuse_catalogue(const struct cli *cli, const char *state_dir,
                                         enum sca_status status, const char *why)
{
    struct trouble trouble;

    (void)workspace_catalogue_trouble(&trouble, state_dir, status, why);
    return trouble_print(cli, &trouble);
}

bool account_owns(const struct account_config *account, const struct catalogue_entry *entry)
{
    return identity_equal(catalogue_identity(entry), config_identity(account));
}

bool account_shows(const struct account_config *account, const struct catalogue_entry *entry)
{
    char own[CERTIFICATE_SERIAL_HEX];

    return account_owns(account, entry) &&
           (!account->serial || !entry->has_certificate ||
            strcasecmp(entry->service_serial, account->serial) == 0 ||
            strcasecmp(certificate_serial_hex(entry->leaf.serial, own), account->serial) == 0);
}

const struct account_config *workspace_holder(const struct config *config,
                                              const struct catalogue_entry *entry)
{
    const struct account_config *holder = NULL;

    for (size_t i = 0; i < config->account_count; i++) {
        const struct account_config *account = &config->accounts[i];
        if (account_shows(account, entry) && (!holder || (!holder->serial && account->serial)))
            holder = account;
    }
    return holder;
}

static bool is_twin(const struct account_config *other, const struct account_config *account)
{
    return strcmp(other->name, account->name) != 0 &&
           identity_equal(config_identity(other), config_identity(account));
}

const struct account_config *workspace_rival(const struct config *config,
                                             const struct account_config *account)
{
    for (size_t i = 0; i < config->account_count; i++) {
        const struct account_config *other = &config->accounts[i];
        bool has_same =
            !other->serial || (account->serial && strcasecmp(other->serial, account->serial) == 0);
        if (has_same && is_twin(other, account))
            return other;
    }
    return NULL;
}

const struct account_config *workspace_twin(const struct config *config,
                                            const struct account_config *account)
{
    for (size_t i = 0; i < config->account_count; i++)
        if (is_twin(&config->accounts[i], account))
            return &config->accounts[i];
    return NULL;
}

/* The service's word first: a revoked certificate stays revoked when it has expired as well. */
const char *entry_state(const struct catalogue_entry *entry, int64_t now)
{
    if (!entry->has_certificate)
        return "not_present";
    if (entry->state == CERTIFICATE_REVOKED)
        return "revoked";
    if (entry->state == CERTIFICATE_NOT_ACTIVATED)
        return "not_activated";
    if (now > entry->leaf.not_after)
        return "expired";
    /* The service calls it unusable in other words: nothing it signs would hold. */
    if (entry->state == CERTIFICATE_UNUSABLE)
        return "revoked";
    return now < entry->leaf.not_before ? "not_activated" : "ready";
}

bool entry_is_ready(const struct catalogue_entry *entry, int64_t now)
{
    return strcmp(entry_state(entry, now), "ready") == 0;
}

char *entry_label(const struct catalogue_entry *entry)
{
    const struct span name = entry->leaf.common_name;

    if (!entry->has_certificate)
        return strdup("");
    return entry->view.display_name[0] ? strdup(entry->view.display_name)
                                       : strndup((const char *)name.ptr, name.len);
}

void entry_add_label(const struct catalogue_entry *entry, struct rows *rows)
{
    AUTO(freep) char *label = entry_label(entry);

    rows->is_incomplete |= !label;
    rows_text(rows, "label", label);
}
