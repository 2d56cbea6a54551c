/* SPDX-License-Identifier: Apache-2.0 */
/* smartca econtract users: the people there, and the certificate each signs with by default. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/econtract_desk.h"

enum { PAGE_SIZE = 50, PAGE_DIGITS_MAX = 6, CELL_MAX = 2048 };

static const struct column columns[] = {
    {"user_id", N_("USER"), false},
    {"code", N_("CODE"), false},
    {"name", N_("NAME"), false},
    {"email", N_("EMAIL"), false},
    {"certificates", N_("CERTIFICATES"), false},
    {"default", N_("DEFAULT"), false},
};

static enum cli_exit read_page(const struct cli *cli, unsigned *ret_page)
{
    const char *text = cli->page ? cli->page : "1";
    size_t len = strlen(text);
    unsigned page = 0;

    for (size_t i = 0; len <= PAGE_DIGITS_MAX && text[i] >= '0' && text[i] <= '9'; i++)
        page = page * 10 + (unsigned)(text[i] - '0');
    if (page == 0 || strspn(text, "0123456789") != len)
        return output_usage(cli, _("--page is a number from 1 on"));
    *ret_page = page;
    return CLI_OK;
}

/* "11 54ab (Name), 12 ..." for a table. */
static void add_cell(struct rows *rows, const struct econtract_user *user)
{
    struct buf cell;

    if (!user->certificates) {
        rows_text(rows, "certificates", "?"); /* not told is not none */
        return;
    }
    buf_init(&cell, CELL_MAX, false);
    for (size_t i = 0; i < user->certificate_count; i++) {
        const struct econtract_certificate *certificate = &user->certificates[i];
        char *text = NULL;
        if (asprintf(&text, "%s%lld %s (%s)", i ? ", " : "", (long long)certificate->id,
                     certificate->serial_number, desk_name(certificate)) < 0)
            break;
        (void)buf_append(&cell, span_text(text)); /* a table need not have all of a thousand */
        free(text);
    }
    rows_text(rows, "certificates", cell.len ? (const char *)cell.ptr : NULL);
    buf_fini(&cell);
}

static cJSON *certificate_json(const struct econtract_certificate *certificate)
{
    struct rows one;

    rows_init(&one);
    rows_begin(&one);
    rows_integer(&one, "certificate_id", certificate->id);
    rows_text(&one, "name", certificate->name);
    rows_text(&one, "common_name", certificate->common_name);
    rows_text(&one, "uid", certificate->uid);
    rows_text(&one, "serial", certificate->serial_number);
    rows_text(&one, "subject", certificate->subject_dn);
    rows_text(&one, "not_before", certificate->valid_from);
    rows_text(&one, "not_after", certificate->valid_to);
    rows_text(&one, "smartca_username", certificate->smart_ca_username);
    rows_flag(&one, "active", certificate->status == 1);
    rows_flag(&one, "valid", certificate->is_valid);
    rows_flag(&one, "business", certificate->is_business);
    cJSON *json = one.is_incomplete ? NULL : cJSON_DetachItemFromArray(one.list, 0);
    rows_fini(&one);
    return json;
}

static void add_list(struct rows *rows, const struct econtract_user *user)
{
    if (!user->certificates) { /* not told is not none */
        rows_text(rows, "certificates", NULL);
        return;
    }
    cJSON *list = cJSON_AddArrayToObject(rows->row, "certificates");
    rows->is_incomplete |= !list;
    for (size_t i = 0; list && i < user->certificate_count; i++) {
        cJSON *item = certificate_json(&user->certificates[i]);
        rows->is_incomplete |= !item || !cJSON_AddItemToArray(list, item);
    }
}

static void add_row(struct rows *rows, const struct econtract_user *user, bool is_json)
{
    rows_begin(rows);
    rows_integer(rows, "user_id", user->id);
    rows_text(rows, "code", user->code);
    rows_text(rows, "name", user->name);
    rows_text(rows, "email", user->email);
    if (is_json)
        add_list(rows, user);
    else
        add_cell(rows, user);
    if (user->default_id > 0)
        rows_integer(rows, "default", user->default_id);
    else
        rows_text(rows, "default", NULL);
    if (is_json)
        rows_text(rows, "signature_text", user->signature_text);
}

static enum cli_exit print_users(const struct cli *cli, const struct econtract_users *users,
                                 unsigned page)
{
    AUTO(rows_fini) struct rows rows;
    bool is_told = true;

    rows_init(&rows);
    for (size_t i = 0; i < users->count; i++) {
        add_row(&rows, &users->items[i], cli->is_json);
        is_told &= users->items[i].certificates != NULL;
    }
    if (!is_told)
        output_remark(cli, _("? - eContract's list does not say which certificates a user has, "
                             "only the default one; its web pages do"));
    if (users->count == 0)
        output_remark(cli,
                      page > 1 ? _("there are no users on that page") : _("there is no such user"));
    else if (users->has_next)
        output_remark(cli,
                      ngettext("%zu of %zu user; --page %u shows more",
                               "%zu of %zu users; --page %u shows more", users->total),
                      users->count, users->total, page + 1);
    return rows_print(cli, &rows, columns, ARRAY_LEN(columns));
}

enum cli_exit econtract_users_run(const struct cli *cli)
{
    AUTO(desk_fini) struct desk desk = {.workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}}};
    struct econtract_users users = {.count = 0};
    struct call call;
    unsigned page = 0;

    enum cli_exit result = read_page(cli, &page);
    if (result == CLI_OK)
        result = desk_open(cli, cli->password_file, &desk);
    if (result != CLI_OK)
        return result;
    desk_begin(&desk, &call);
    enum sca_status st =
        econtract_list_users(desk.econtract, &call, cli->search, page, PAGE_SIZE, &users);
    if (st != SCA_OK)
        return desk_fail(&desk, st, &call);
    call_fini(&call);
    result = print_users(cli, &users, page);
    econtract_users_fini(&users);
    return result;
}
