/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/econtract_desk.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/pin_input.h"

enum { REQUESTS_MAX = 4, ID_DIGITS_MAX = 18, PAGE_SIZE = 100, PAGES_MAX = 20 };

enum cli_exit desk_read_id(const struct cli *cli, const char *option, const char *text,
                           int64_t *ret_id)
{
    size_t len = text ? strlen(text) : 0;
    int64_t id = 0;

    if (!text)
        return output_usage(cli, _("%s is missing"), option);
    for (const char *at = text; len <= ID_DIGITS_MAX && *at >= '0' && *at <= '9'; at++)
        id = id * 10 + (*at - '0');
    if (id == 0 || strspn(text, "0123456789") != len)
        return output_usage(cli, _("%s is a number that smartca econtract users shows"), option);
    *ret_id = id;
    return CLI_OK;
}

/* NULL: the one that the configuration says, which can be had. */
static enum cli_exit get_password(const struct desk *desk, const char *password_file,
                                  struct secret **ret_password)
{
    AUTO(secret_freep) struct secret *password = NULL;
    const struct pin_question question = {
        .path = password_file,
        .option = "--password-file",
        .prompt = _("Password of the eContract user"),
        .is_password = true,
    };
    struct trouble trouble;

    if (!password_file && desk->config.password.kind != SECRET_NONE) {
        /* Found wrong here, and not in the middle of something. */
        char place[SECRET_PLACE_SIZE];
        const char *why = NULL;
        enum sca_status st = secret_ref_fetch(&desk->config.password, &password, &why);
        return st == SCA_OK ? CLI_OK
                            : output_fail(desk->cli, output_code(st), _("correct that key"),
                                          _("password in [econtract]: %s%s"), why,
                                          secret_ref_place(&desk->config.password, place));
    }
    if (!pin_ask(&question, &password, &trouble))
        return output_fail(desk->cli, trouble.code,
                           _("write password = file:PATH into [econtract], or give "
                             "--password-file"),
                           "%s", trouble.text);
    *ret_password = TAKE(password);
    return CLI_OK;
}

enum cli_exit desk_open(const struct cli *cli, const char *password_file, struct desk *ret_desk)
{
    AUTO(secret_freep) struct secret *password = NULL;

    *ret_desk = (struct desk){.cli = cli};
    enum cli_exit result = workspace_open(cli, &ret_desk->workspace);
    if (result != CLI_OK)
        return result;
    ret_desk->config = ret_desk->workspace.config->econtract;
    if (!ret_desk->config.url)
        return output_fail(cli, output_code(SCA_NOT_FOUND),
                           _("write [econtract] with url and username into the configuration "
                             "file; smartca doctor shows where it is"),
                           _("the configuration has no usable [econtract]"));
    result = get_password(ret_desk, password_file, &password);
    if (result != CLI_OK)
        return result;
    enum sca_status st = econtract_new(&ret_desk->config, ret_desk->workspace.config->state_dir,
                                       NULL, &ret_desk->econtract);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), _("correct [econtract]"),
                           _("eContract cannot be used: %s"), sca_status_name(st));
    if (password)
        econtract_use_password(ret_desk->econtract, TAKE(password));
    return CLI_OK;
}

void desk_fini(struct desk *desk)
{
    econtract_free(desk->econtract);
    workspace_fini(&desk->workspace);
}

void desk_begin(const struct desk *desk, struct call *call)
{
    call_init(call, &clock_system,
              REQUESTS_MAX *
                  ((uint64_t)desk->config.connect_timeout_ms + desk->config.request_timeout_ms));
}

static const char *advice(enum sca_status status)
{
    static const char *const rows[SCA_STATUS_COUNT] = {
        [SCA_INVALID] = N_("correct the value, or [econtract]"),
        [SCA_NOT_FOUND] = N_("smartca econtract users shows the numbers there are"),
        [SCA_IO] = N_("check owner, permissions and free space of the folder or file"),
        [SCA_NO_SPACE] = N_("free some space on the disk or in the quota"),
        [SCA_NETWORK] = N_("check url, ca_file and proxy of [econtract], and the network"),
        [SCA_PROTOCOL] = N_("check url: this does not answer like eContract"),
        [SCA_USER_AUTH] = N_("check username and password of [econtract]"),
        [SCA_NOT_PERMITTED] = N_("ask an administrator of eContract for the right"),
    };
    const char *text = status < SCA_STATUS_COUNT ? rows[status] : NULL;
    return text ? _(text) : _("try again");
}

enum cli_exit desk_fail(const struct desk *desk, enum sca_status status, struct call *call)
{
    bool wants_otp = econtract_verdict(desk->econtract)->code == ECONTRACT_OTP_NEEDED;
    enum cli_exit result = output_fail(desk->cli, wants_otp ? "otp_needed" : output_code(status),
                                       wants_otp ? "smartca econtract login" : advice(status), "%s",
                                       call->note[0] ? call->note : sca_status_name(status));
    call_fini(call);
    return result;
}

/* Takes the user out of a page, if it is there. */
static bool take_user(struct econtract_users *users, int64_t user_id,
                      struct econtract_user *ret_user)
{
    for (size_t i = 0; i < users->count; i++) {
        if (users->items[i].id != user_id)
            continue;
        *ret_user = users->items[i];
        users->items[i] = (struct econtract_user){.id = 0};
        return true;
    }
    return false;
}

static bool tells_certificates(const struct econtract_users *users)
{
    for (size_t i = 0; i < users->count; i++)
        if (users->items[i].certificates)
            return true;
    return false;
}

bool desk_find_user(const struct desk *desk, int64_t user_id, bool wants_certificates,
                    struct econtract_user *ret_user)
{
    bool is_found = false;
    bool has_next = true;

    for (unsigned page = 1; !is_found && has_next && page <= PAGES_MAX; page++) {
        struct econtract_users users = {.count = 0};
        struct call call;
        desk_begin(desk, &call);
        enum sca_status st =
            econtract_list_users(desk->econtract, &call, NULL, page, PAGE_SIZE, &users);
        call_fini(&call);
        bool is_of_use = st == SCA_OK && (!wants_certificates || tells_certificates(&users));
        is_found = is_of_use && take_user(&users, user_id, ret_user);
        has_next = is_of_use && users.has_next;
        econtract_users_fini(&users);
    }
    return is_found;
}

const struct econtract_certificate *desk_find_certificate(const struct econtract_user *user,
                                                          int64_t id)
{
    for (size_t i = 0; i < user->certificate_count; i++)
        if (user->certificates[i].id == id)
            return &user->certificates[i];
    return NULL;
}

const char *desk_name(const struct econtract_certificate *certificate)
{
    return certificate->name[0] ? certificate->name : certificate->common_name;
}
