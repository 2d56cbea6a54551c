/* SPDX-License-Identifier: Apache-2.0 */
/* smartca account appearance: how a signature is to look; applications read it as data objects. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/account_choose.h"
#include "remote/cli/account_look.h"

static const struct column columns[] = {
    {"label", N_("LABEL"), false}, {"serial", N_("SERIAL"), false},
    {"text", N_("TEXT"), false},   {"mode", N_("MODE"), false},
    {"image", N_("IMAGE"), false}, {"image_bytes", N_("BYTES"), false},
};

/* What the options say. Owns the image. */
struct wish {
    struct account_look look;
    enum display_mode mode;
    struct buf bytes;
    struct span image;
};

static void wish_fini(struct wish *wish)
{
    buf_fini(&wish->bytes);
}

static enum cli_exit read_image(const struct cli *cli, struct wish *wish)
{
    const char *why = NULL;

    wish->look.image = &wish->image;
    if (!*cli->image)
        return CLI_OK;
    enum sca_status st =
        file_read_trusted(cli->image, FILE_ANY, CATALOGUE_IMAGE_MAX, false, &wish->bytes, &why);
    if (st == SCA_INVALID)
        return output_fail(cli, output_code(st), _("make it smaller"),
                           _("--image %s: it has to be a file of at most %d KiB"), cli->image,
                           CATALOGUE_IMAGE_MAX / 1024);
    if (st != SCA_OK)
        return output_fail(cli, output_code(st), "", "--image %s: %s", cli->image,
                           why ? why : sca_status_name(st));
    wish->image = buf_span(&wish->bytes);
    if (!account_look_image_type(wish->image))
        return output_fail(cli, output_code(SCA_INVALID), _("save it as PNG or JPEG"),
                           _("--image %s: it is neither PNG nor JPEG"), cli->image);
    return CLI_OK;
}

/* A slip in a place would be seen by who gets the document, and by nobody before. */
static enum cli_exit refuse_place(const struct cli *cli, struct span unknown)
{
    enum { SHOWN_MAX = 40, LIST_MAX = 256 };
    static const char *const places[] = {CATALOGUE_PLACES};
    char list[LIST_MAX] = "";
    size_t len = 0;

    for (size_t i = 0; i < ARRAY_LEN(places) && len < sizeof(list); i++)
        len += (size_t)snprintf(list + len, sizeof(list) - len, " {{%s}}", places[i]);
    size_t shown = utf8_cut((const char *)unknown.ptr, SHOWN_MAX);
    return output_usage(cli, _("--text: {{%.*s}} stands for nothing; there are%s"),
                        (int)(shown < unknown.len ? shown : unknown.len), (const char *)unknown.ptr,
                        list);
}

static enum cli_exit read_wish(const struct cli *cli, struct wish *wish)
{
    if (cli->text &&
        (strlen(cli->text) > CATALOGUE_TEXT_MAX || !utf8_is_valid(span_text(cli->text))))
        return output_usage(cli, _("--text has to be UTF-8 of at most %d bytes"),
                            CATALOGUE_TEXT_MAX);
    struct span unknown = account_look_unknown_place(cli->text ? cli->text : "");
    if (unknown.len)
        return refuse_place(cli, unknown);
    wish->look.text = cli->text;
    if (cli->mode && !account_look_read_mode(cli->mode, &wish->mode))
        return output_usage(cli, _("--mode is text-image, text or image"));
    if (cli->mode)
        wish->look.mode = &wish->mode;
    return cli->image ? read_image(cli, wish) : CLI_OK;
}

/* Checked for every certificate before the first one is changed. */
static enum cli_exit check_all(const struct choice *choice, const struct wish *wish)
{
    struct catalogue_entry entry;
    const char *why = NULL;
    size_t index = 0;

    while (choice_next(choice, &index, &entry))
        if (!account_look_apply(&wish->look, &entry.view, &why))
            return output_fail(choice->cli, output_code(SCA_INVALID), "", "%s", why);
    return CLI_OK;
}

static enum cli_exit set_all(const struct choice *choice, const struct wish *wish)
{
    const char *state_dir = choice->workspace.config->state_dir;
    enum sca_status st = SCA_OK;
    struct catalogue_entry entry;
    const char *why = NULL;
    size_t index = 0;

    while (st == SCA_OK && choice_next(choice, &index, &entry)) {
        (void)account_look_apply(&wish->look, &entry.view, &why); /* check_all saw that it can */
        st = catalogue_set_view(state_dir, entry.url, entry.user_id, entry.service_serial,
                                VIEW_APPEARANCE, &entry.view);
    }
    return st == SCA_OK ? CLI_OK
                        : output_fail(choice->cli, output_code(st), workspace_advice(SCA_IO),
                                      _("%s/catalogue cannot be changed"), state_dir);
}

static void add_row(const struct choice *choice, const struct catalogue_entry *entry,
                    struct rows *rows)
{
    const struct catalogue_view *view = &entry->view;
    bool is_set = view->has_appearance;

    choice_begin_row(choice, entry, rows);
    rows_text(rows, "text", is_set ? view->signature_text : NULL);
    rows_text(rows, "mode", is_set ? account_look_mode_name(view->display_mode) : NULL);
    rows_text(rows, "image", is_set ? account_look_image_type(view->signature_image) : NULL);
    rows_number(rows, "image_bytes", is_set ? view->signature_image.len : 0);
}

static enum cli_exit show(const struct choice *choice)
{
    AUTO(rows_fini) struct rows rows;
    struct catalogue_entry entry;
    size_t index = 0;

    rows_init(&rows);
    while (choice_next(choice, &index, &entry))
        add_row(choice, &entry, &rows);
    return rows_print(choice->cli, &rows, columns, ARRAY_LEN(columns));
}

enum cli_exit account_appearance_run(const struct cli *cli)
{
    AUTO(choice_fini)
    struct choice choice = {.workspace.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    AUTO(wish_fini) struct wish wish = {.mode = DISPLAY_TEXT_IMAGE};
    struct catalogue_entry first;
    size_t index = 0;

    enum cli_exit result = read_wish(cli, &wish);
    if (result == CLI_OK)
        result = choice_open(cli, &choice);
    if (result != CLI_OK)
        return result;
    if (!choice_next(&choice, &index, &first))
        return choice_report_none(&choice);
    if (!cli->text && !cli->mode && !cli->image)
        return show(&choice);
    result = check_all(&choice, &wish);
    if (result == CLI_OK)
        result = set_all(&choice, &wish);
    if (result == CLI_OK)
        result = choice_reload(&choice);
    return result == CLI_OK ? show(&choice) : result;
}
