/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_choose.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/cli/slot_view.h"
#include "remote/cli/workspace.h"

enum { LABELS_SIZE = 300 };

/* Slots that fit, while they are looked for. */
struct search {
    const struct module *module;
    const struct sign_wish *wish;
    bool is_by_number; /* the wish is the number of a slot */
    CK_SLOT_ID number;
    CK_SLOT_ID found;
    CK_SLOT_ID preferred; /* of `account set-default`; 0: none */
    bool has_preferred;   /* and it fits */
    size_t count;
    char labels[LABELS_SIZE]; /* of those that fit, as a list */
};

/*
 * Takes "serial=..." out of a URI: p11-kit knows serial numbers of tokens only, of 16 bytes, and
 * smartca slots shows the certificate's. One with a percent sign is left to p11-kit.
 */
static bool take_serial(const char *text, char **ret_uri, char **ret_serial)
{
    static const char key[] = "serial=";
    AUTO(freep) char *uri = strdup(text);
    const char *query = strchr(text, '?');
    const char *at = strstr(text, key);

    while (at && at != text + strlen("pkcs11:") && at[-1] != ';')
        at = strstr(at + 1, key);
    size_t len = at ? strcspn(at, ";?") : 0;
    if (!at || (query && at > query) || memchr(at, '%', len)) {
        *ret_uri = TAKE(uri);
        return *ret_uri;
    }
    AUTO(freep) char *serial = strndup(at + sizeof(key) - 1, len - (sizeof(key) - 1));
    if (!uri || !serial)
        return false;
    size_t start = (size_t)(at - text);
    const char *rest = at + len + (at[len] == ';');
    memmove(uri + start, rest, strlen(rest) + 1);
    if (!*rest && start > 0 && uri[start - 1] == ';')
        uri[start - 1] = 0;
    *ret_uri = TAKE(uri);
    *ret_serial = TAKE(serial);
    return true;
}

bool sign_wish_read(const char *text, struct sign_wish *ret_wish, struct trouble *trouble)
{
    AUTO(freep) char *plain = NULL;

    *ret_wish = (struct sign_wish){.text = text};
    if (!text || strncmp(text, "pkcs11:", 7) != 0)
        return true;
    ret_wish->uri = p11_kit_uri_new();
    if (!ret_wish->uri || !take_serial(text, &plain, &ret_wish->serial))
        return trouble_no_memory(trouble);
    int code = p11_kit_uri_parse(plain, P11_KIT_URI_FOR_ANY, ret_wish->uri);
    if (code != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(ret_wish->uri))
        return trouble_say(trouble, "invalid", _("smartca slots shows label and serial"),
                           _("--slot %s is no PKCS#11 URI: %s"), text,
                           code == P11_KIT_URI_OK ? _("it has a part nobody knows")
                                                  : p11_kit_uri_message(code));
    /* What is on a command line, everybody sees. */
    if (p11_kit_uri_get_pin_value(ret_wish->uri) || p11_kit_uri_get_pin_source(ret_wish->uri))
        return trouble_say(trouble, "invalid", _("use --pin-file"), "%s",
                           _("--slot must not say what the PIN is"));
    return true;
}

void sign_wish_fini(struct sign_wish *wish)
{
    p11_kit_uri_free(wish->uri);
    free(wish->serial);
    *wish = (struct sign_wish){.text = NULL};
}

static bool fits_uri(const struct module *module, P11KitUri *uri, CK_SLOT_ID id,
                     const CK_TOKEN_INFO *token)
{
    CK_SLOT_INFO slot;
    CK_INFO info;

    return (p11_kit_uri_get_slot_id(uri) == (CK_SLOT_ID)-1 || p11_kit_uri_get_slot_id(uri) == id) &&
           p11_kit_uri_match_token_info(uri, token) == 1 &&
           module->p11->C_GetSlotInfo(id, &slot) == CKR_OK &&
           p11_kit_uri_match_slot_info(uri, &slot) == 1 &&
           module->p11->C_GetInfo(&info) == CKR_OK &&
           p11_kit_uri_match_module_info(uri, &info) == 1;
}

/* Without a wish, only what could sign now. */
static bool is_usable(const struct module *module, CK_SLOT_ID id)
{
    AUTO(slot_view_fini) struct slot_view view = {0};
    int64_t now = (int64_t)time(NULL);

    return slot_view_read(module, id, &view) == CKR_OK && view.subject && !view.is_issuer &&
           !view.is_locked && view.not_before <= now && now <= view.not_after;
}

/* The serial number that smartca slots shows, or the token's own. */
static bool has_serial(const struct module *module, CK_SLOT_ID id, const CK_TOKEN_INFO *token,
                       const char *serial)
{
    AUTO(slot_view_fini) struct slot_view view = {0};
    char own[sizeof(token->serialNumber) + 1];

    (void)module_text(token->serialNumber, sizeof(token->serialNumber), own);
    return strcasecmp(serial, own) == 0 ||
           (slot_view_read(module, id, &view) == CKR_OK && strcasecmp(serial, view.serial) == 0);
}

static bool fits(const struct search *search, CK_SLOT_ID id, const CK_TOKEN_INFO *token,
                 const char *label)
{
    const struct sign_wish *wish = search->wish;

    if (search->is_by_number)
        return id == search->number;
    if (wish->uri)
        return fits_uri(search->module, wish->uri, id, token) &&
               (!wish->serial || has_serial(search->module, id, token, wish->serial));
    if (wish->text)
        return strcmp(wish->text, label) == 0 || has_serial(search->module, id, token, wish->text);
    return is_usable(search->module, id);
}

static void consider(struct search *search, CK_SLOT_ID id)
{
    char label[SLOT_LABEL_SIZE];
    CK_TOKEN_INFO token;

    if (search->module->p11->C_GetTokenInfo(id, &token) != CKR_OK ||
        !(token.flags & CKF_TOKEN_INITIALIZED))
        return;
    (void)module_text(token.label, sizeof(token.label), label);
    if (!fits(search, id, &token, label))
        return;
    size_t len = strlen(search->labels);
    (void)snprintf(search->labels + len, sizeof(search->labels) - len, "%s%s",
                   search->count ? ", " : "", label);
    search->found = id;
    search->count++;
    search->has_preferred = search->has_preferred || (search->preferred && search->preferred == id);
}

static bool find_entry(const struct catalogue *catalogue, CK_SLOT_ID slot,
                       struct catalogue_entry *ret_entry)
{
    size_t count = catalogue ? catalogue_count(catalogue) : 0;

    for (size_t i = 0; i < count; i++)
        if (catalogue_get(catalogue, i, ret_entry) == SCA_OK &&
            (slot ? ret_entry->slot_id == slot : ret_entry->view.is_default))
            return true;
    return false;
}

/* A damaged one has nothing to say: local tokens sign without it. */
static bool open_catalogue(const struct config *config, struct catalogue **ret_catalogue,
                           struct trouble *trouble)
{
    const char *why = NULL;

    enum sca_status st = workspace_catalogue(config->state_dir, ret_catalogue, &why);
    return st == SCA_OK || st == SCA_INVALID ||
           workspace_catalogue_trouble(trouble, config->state_dir, st, why);
}

/* 0: there is none. */
static bool find_default(const struct config *config, CK_SLOT_ID *ret_slot, struct trouble *trouble)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
    struct catalogue_entry entry;

    if (!open_catalogue(config, &catalogue, trouble))
        return false;
    *ret_slot = find_entry(catalogue, 0, &entry) ? entry.slot_id : 0;
    return true;
}

bool sign_find_account(const struct config *config, CK_SLOT_ID slot,
                       const struct account_config **ret_account, struct trouble *trouble)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
    struct catalogue_entry entry;

    *ret_account = NULL;
    if (!open_catalogue(config, &catalogue, trouble))
        return false;
    if (!find_entry(catalogue, slot, &entry))
        return true;
    for (size_t i = 0; !*ret_account && i < config->account_count; i++)
        if (account_shows(&config->accounts[i], &entry))
            *ret_account = &config->accounts[i];
    return true;
}

static void consider_all(struct search *search, const CK_SLOT_ID *slots, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++)
        consider(search, slots[i]);
}

/* The number that smartca slots shows. */
static bool read_number(const char *text, CK_SLOT_ID *ret_number)
{
    if (!text || !*text || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    *ret_number = strtoul(text, NULL, 10);
    return errno == 0;
}

static bool none_fits(const struct sign_wish *wish, struct trouble *trouble)
{
    if (wish->text)
        return trouble_say(trouble, "not_found", _("smartca slots lists them"),
                           _("there is no slot %s"), wish->text);
    return trouble_say(trouble, "not_found",
                       _("smartca slots shows each slot's state; account add or selfsigned create "
                         "makes one"),
                       "%s", _("there is no slot that can sign"));
}

bool sign_choose(const struct module *module, const struct config *config,
                 const struct sign_wish *wish, CK_SLOT_ID *ret_slot, struct trouble *trouble)
{
    struct search search = {.module = module, .wish = wish};
    AUTO(freep) CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;

    if (!wish->text && !find_default(config, &search.preferred, trouble))
        return false;
    CK_RV rv = module_slots(module, &slots, &count);
    if (rv != CKR_OK)
        return trouble_module(trouble, _("the module does not list its slots"), rv);
    consider_all(&search, slots, count);
    /* Labels and serial numbers may be digits, too: they go before. */
    search.is_by_number = search.count == 0 && read_number(wish->text, &search.number);
    if (search.is_by_number)
        consider_all(&search, slots, count);
    if (search.count == 0)
        return none_fits(wish, trouble);
    if (search.count > 1 && !search.has_preferred)
        return wish->text ? trouble_say(
                                trouble, "ambiguous",
                                _("name one by 'pkcs11:serial=...'; smartca slots has the serials"),
                                _("%zu slots fit %s"), search.count, wish->text)
                          : trouble_say(trouble, "ambiguous",
                                        config->account_count > 0
                                            ? _("name one by --slot LABEL, or choose an account "
                                                "for good: smartca account set-default NAME")
                                            : _("name one by --slot LABEL"),
                                        _("there are several slots: %s"), search.labels);
    *ret_slot = search.has_preferred ? search.preferred : search.found;
    return true;
}
