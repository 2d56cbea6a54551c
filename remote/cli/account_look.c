/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/account_look.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/cli.h"

static const char *const modes[] = {
    [DISPLAY_TEXT_IMAGE] = "text-image", [DISPLAY_TEXT] = "text", [DISPLAY_IMAGE] = "image"};

static const struct {
    const char *type;
    const char *magic;
} images[] = {
    {"png", "\x89PNG\r\n\x1a\n"},
    {"jpeg", "\xff\xd8\xff"},
};

const char *account_look_mode_name(enum display_mode mode)
{
    return modes[mode];
}

bool account_look_read_mode(const char *name, enum display_mode *ret_mode)
{
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (strcmp(modes[i], name) == 0) {
            *ret_mode = (enum display_mode)i;
            return true;
        }
    return false;
}

const char *account_look_image_type(struct span image)
{
    for (size_t i = 0; i < ARRAY_LEN(images); i++) {
        size_t len = strlen(images[i].magic);
        if (image.len > len && memcmp(image.ptr, images[i].magic, len) == 0)
            return images[i].type;
    }
    return NULL;
}

static bool is_place(struct span name)
{
    static const char *const places[] = {CATALOGUE_PLACES};

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (span_equal(name, span_text(places[i])))
            return true;
    return false;
}

struct span account_look_unknown_place(const char *text)
{
    for (const char *at = strstr(text, "{{"); at; at = strstr(at + 1, "{{")) {
        const char *end = strstr(at, "}}");
        struct span name = span_of(at + 2, end ? (size_t)(end - at - 2) : 0);
        /* Of "{{ {{SubjectDN.CN}}" the second is meant, and nothing is meant by "{{}}". */
        if (name.len && !memchr(name.ptr, '{', name.len) && !is_place(name))
            return name;
    }
    return span_of(text, 0);
}

static const char *check(const struct catalogue_view *view)
{
    bool has_text = view->signature_text[0] != 0;

    if (view->display_mode == DISPLAY_TEXT && !has_text)
        return _("--mode text shows the text: there is none, give --text");
    if (view->display_mode == DISPLAY_IMAGE && view->signature_image.len == 0)
        return _("--mode image shows the image: there is none, give --image");
    return NULL;
}

bool account_look_apply(const struct account_look *look, struct catalogue_view *view,
                        const char **why)
{
    struct catalogue_view changed = *view;

    if (look->text)
        changed.signature_text = look->text;
    if (look->image)
        changed.signature_image = *look->image;
    if (look->mode)
        changed.display_mode = *look->mode;
    changed.has_appearance = changed.signature_text[0] || changed.signature_image.len > 0;
    if (!changed.has_appearance && !look->mode)
        changed.display_mode = DISPLAY_TEXT_IMAGE;
    *why = check(&changed);
    if (*why)
        return false;
    if (!changed.has_appearance)
        changed.display_mode = DISPLAY_TEXT_IMAGE;
    *view = changed;
    return true;
}
