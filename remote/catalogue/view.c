/* SPDX-License-Identifier: Apache-2.0 */
/* What the owner of certificates chose to see of them. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "remote/base/cleanup.h"
#include "remote/catalogue/body.h"
#include "remote/catalogue/rewrite.h"

/* One change: of which certificates, and to what. */
struct change {
    struct identity identity;
    const char *service_serial; /* NULL: all of the account */
    unsigned parts;
    const struct catalogue_view *view;
    size_t changed;
};

static bool is_meant(const struct change *change, const struct catalogue_entry *entry)
{
    if (!entry->has_certificate || !identity_equal(catalogue_identity(entry), change->identity))
        return false;
    return !change->service_serial ||
           strcasecmp(entry->service_serial, change->service_serial) == 0;
}

/* One certificate is the default at most, of whatever account. */
static void set_default(const struct change *change, bool is_meant, struct catalogue_view *view)
{
    bool is_first = is_meant && change->changed == 0;

    if (change->view->is_default)
        view->is_default = is_first;
    else if (is_meant)
        view->is_default = false;
}

static void set_view(struct change *change, struct catalogue_entry *entry)
{
    const struct catalogue_view *wanted = change->view;
    bool is_ours = is_meant(change, entry);

    if (change->parts & VIEW_DEFAULT)
        set_default(change, is_ours, &entry->view);
    if (!is_ours)
        return;
    change->changed++;
    if (change->parts & VIEW_NAME)
        entry->view.display_name = wanted->display_name;
    if (!(change->parts & VIEW_APPEARANCE))
        return;
    entry->view.has_appearance = wanted->has_appearance;
    entry->view.signature_text = wanted->has_appearance ? wanted->signature_text : "";
    entry->view.display_mode = wanted->has_appearance ? wanted->display_mode : DISPLAY_TEXT_IMAGE;
    entry->view.signature_image =
        wanted->has_appearance ? wanted->signature_image : span_of(NULL, 0);
}

static enum sca_status put_all(struct rewrite *rewrite, struct change *change)
{
    enum sca_status st = SCA_OK;
    struct catalogue_entry entry;

    for (size_t i = 0; st == SCA_OK && i < rewrite_count_old(rewrite); i++) {
        if (!rewrite_get_old(rewrite, i, &entry))
            continue;
        set_view(change, &entry);
        st = image_writer_add(&rewrite->writer, &entry);
    }
    return st;
}

enum sca_status catalogue_set_view(const char *state_dir, const char *url, const char *user_id,
                                   const char *service_serial, unsigned parts,
                                   const struct catalogue_view *view)
{
    AUTO(rewrite_fini) struct rewrite rewrite = {.lock = -1};
    struct change change = {
        .identity = {url, user_id}, .service_serial = service_serial, .parts = parts, .view = view};
    struct stat info;

    if (!body_view_is_valid(view))
        return SCA_INVALID;
    if (stat(state_dir, &info) != 0 && errno == ENOENT)
        return SCA_NOT_FOUND;
    enum sca_status st = rewrite_begin(state_dir, &rewrite);
    if (st == SCA_OK)
        st = put_all(&rewrite, &change);
    if (st != SCA_OK)
        return st;
    return change.changed ? rewrite_save(&rewrite) : SCA_NOT_FOUND;
}
