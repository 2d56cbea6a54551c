/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/econtract_here.h"

#include <string.h>
#include <strings.h>

#include "remote/base/cleanup.h"

/* As the service writes it, or as it is in the certificate. */
static bool has_serial(const struct catalogue_entry *entry, const char *serial)
{
    char own[CERTIFICATE_SERIAL_HEX];

    return entry->has_certificate && *serial &&
           (strcasecmp(entry->service_serial, serial) == 0 ||
            strcasecmp(certificate_serial_hex(entry->leaf.serial, own), serial) == 0);
}

static bool is_of_service(const struct catalogue_entry *entry)
{
    return strcmp(entry->url, CATALOGUE_LOCAL) != 0;
}

/* The next entry from *index on; false at the end. */
static bool next(const struct catalogue *catalogue, const char *serial, size_t *index,
                 struct catalogue_entry *ret_entry)
{
    size_t count = catalogue ? catalogue_count(catalogue) : 0;

    while (*index < count)
        if (catalogue_get(catalogue, (*index)++, ret_entry) == SCA_OK && is_of_service(ret_entry) &&
            has_serial(ret_entry, serial))
            return true;
    return false;
}

const struct account_config *here_find_account(const struct desk *desk, const char *serial)
{
    const struct config *config = desk->workspace.config;
    const char *why = NULL;
    AUTO(catalogue_closep)
    struct catalogue *catalogue = NULL;
    const struct account_config *holder = NULL;
    struct catalogue_entry entry;
    size_t index = 0;

    if (workspace_catalogue(config->state_dir, &catalogue, &why) != SCA_OK)
        return NULL;
    while (!holder && next(catalogue, serial, &index, &entry))
        holder = workspace_holder(config, &entry);
    return holder;
}

enum sca_status here_set_view(const struct desk *desk, const char *serial, unsigned parts,
                              const struct catalogue_view *view)
{
    const char *state_dir = desk->workspace.config->state_dir;
    const char *why = NULL;
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
    struct catalogue_entry entry;
    size_t index = 0;

    enum sca_status st = workspace_catalogue(state_dir, &catalogue, &why);
    if (st != SCA_OK)
        return st;
    st = SCA_NOT_FOUND;
    /* What is open stays as it was while the file is replaced. */
    while ((st == SCA_OK || st == SCA_NOT_FOUND) && next(catalogue, serial, &index, &entry))
        st = catalogue_set_view(state_dir, entry.url, entry.user_id, entry.service_serial, parts,
                                view);
    return st;
}

/* The appearance that the account's first certificate has, if it has one; and how the service
 * writes the serial number of the one that the account names, if it does. */
static struct catalogue_view appearance_of(const struct catalogue *catalogue,
                                           const struct account_config *account,
                                           const char **ret_serial)
{
    size_t count = catalogue_count(catalogue);
    struct catalogue_view view = {.display_name = "", .signature_text = ""};

    *ret_serial = account->serial;
    for (size_t i = 0; i < count && !view.has_appearance; i++) {
        struct catalogue_entry entry;
        if (catalogue_get(catalogue, i, &entry) != SCA_OK || !entry.has_certificate ||
            !account_shows(account, &entry))
            continue;
        if (account->serial)
            *ret_serial = entry.service_serial;
        if (entry.view.has_appearance)
            view = entry.view;
    }
    return view;
}

enum sca_status here_take_text(const char *state_dir, const struct account_config *account,
                               const char *text)
{
    const char *why = NULL;
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
    const char *serial = NULL;

    enum sca_status st = workspace_catalogue(state_dir, &catalogue, &why);
    if (st != SCA_OK)
        return st;
    struct catalogue_view view = appearance_of(catalogue, account, &serial);
    view.has_appearance = true;
    view.signature_text = text;
    return catalogue_set_view(state_dir, account->service.url, account->user_id, serial,
                              VIEW_APPEARANCE, &view);
}
