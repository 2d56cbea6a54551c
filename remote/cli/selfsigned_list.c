/* SPDX-License-Identifier: Apache-2.0 */
/* smartca selfsigned list: what there is, without any PIN. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/objects.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/cli/holder.h"
#include "remote/cli/output.h"
#include "remote/cli/workspace.h"

enum { DAY_SECONDS = 86400, SOON_DAYS = 30, DAYS_DIGITS = 5 };

static const struct column columns[] = {
    {"user", N_("USER"), false},         {"kind", N_("KIND"), false},
    {"subject", N_("SUBJECT"), false},   {"issuer", N_("ISSUER"), false},
    {"key_type", N_("KEY"), false},      {"not_before", N_("FROM"), true},
    {"not_after", N_("UNTIL"), true},    {"status", N_("STATUS"), false},
    {"expires_soon", N_("SOON"), false}, {"serial", N_("SERIAL"), false},
};

struct listing {
    const struct cli *cli;
    int64_t now;
    int64_t soon; /* seconds */
    struct rows rows;
    struct trouble trouble; /* why certificates of a token are missing */
    bool is_partial;
};

static const char *status_of(const struct listing *listing, const struct holding *item)
{
    if (item->is_archived)
        return "archived";
    if (listing->now < x509_time(X509_get0_notBefore(item->x509)))
        return "not_yet_valid";
    return listing->now > x509_time(X509_get0_notAfter(item->x509)) ? "expired" : "active";
}

static bool ends_soon(const struct listing *listing, const struct holding *item)
{
    int64_t left = x509_time(X509_get0_notAfter(item->x509)) - listing->now;
    return !item->is_archived && left >= 0 && left <= listing->soon;
}

static void add_row(struct listing *listing, const struct token_slot *slot,
                    const struct holding *item)
{
    struct rows *rows = &listing->rows;
    char key_type[X509_KEY_TYPE_SIZE];
    X509_NAME *subject = X509_get_subject_name(item->x509);
    AUTO(freep) char *user = x509_name_part(subject, NID_userId);
    AUTO(freep) char *subject_text = x509_name_text(subject);
    AUTO(freep) char *issuer_text = x509_name_text(X509_get_issuer_name(item->x509));

    x509_key_type(X509_get0_pubkey(item->x509), key_type);
    rows_begin(rows);
    rows_text(rows, "user", user ? user : slot->label);
    rows_text(rows, "kind", item->is_authority ? "issuer" : "user");
    rows_text(rows, "label", slot->label);
    rows_text(rows, "serial", item->serial);
    rows_text(rows, "subject", subject_text);
    rows_text(rows, "issuer", issuer_text);
    rows_time(rows, "not_before", x509_time(X509_get0_notBefore(item->x509)));
    rows_time(rows, "not_after", x509_time(X509_get0_notAfter(item->x509)));
    rows_text(rows, "key_type", key_type);
    rows_text(rows, "status", status_of(listing, item));
    rows_flag(rows, "expires_soon", ends_soon(listing, item));
    rows->is_incomplete = rows->is_incomplete || !subject_text || !issuer_text;
}

/* A local issuer's certificate is shown once: where its key is, not where users have a copy. */
static bool has_its_key(struct token *token, const struct holding *item)
{
    uint8_t id[CERTIFICATE_ID_SIZE];

    return x509_key_id(item->x509, id) &&
           token_find_one(token, CKO_PUBLIC_KEY, span_of(id, sizeof(id))) != CK_INVALID_HANDLE;
}

/* An archived copy of what is still in use belongs to a reissue that has not ended yet. */
static bool is_shown(const struct listing *listing, struct token *token,
                     const struct holder *holder, const struct holding *item)
{
    if (item->is_authority && !has_its_key(token, item))
        return false;
    if (item->is_archived && holder_has(holder, item->x509, false))
        return false;
    return !listing->cli->expiring || ends_soon(listing, item);
}

static bool add_rows(struct listing *listing, const struct module *module,
                     const struct token_slot *slot, struct trouble *trouble)
{
    AUTO(token_close) struct token token = {0};
    AUTO(holder_fini) struct holder holder = {0};

    if (!token_open(module, slot->id, false, &token, trouble) ||
        !holder_read(&token, &holder, trouble))
        return false;
    for (size_t i = 0; i < holder.count; i++)
        if (is_shown(listing, &token, &holder, &holder.items[i]))
            add_row(listing, slot, &holder.items[i]);
    return !token.lacked_memory || trouble_no_memory(trouble);
}

/* A token that cannot be read is said, and the others are shown all the same. */
static void add_token(struct listing *listing, const struct module *module,
                      const struct token_slot *slot)
{
    struct trouble trouble;

    if (add_rows(listing, module, slot, &trouble))
        return;
    if (listing->is_partial)
        output_remark(listing->cli, "%s", listing->trouble.text);
    listing->is_partial = true;
    (void)trouble_say(&listing->trouble, trouble.code, trouble.next_step, "%s: %s", slot->label,
                      trouble.text);
}

static bool read_days(const char *text, int64_t *ret_seconds)
{
    size_t len = strlen(text);
    int64_t days = 0;

    if (len == 0 || len > DAYS_DIGITS || strspn(text, "0123456789") != len)
        return false;
    for (; *text; text++)
        days = days * 10 + (*text - '0');
    *ret_seconds = days * DAY_SECONDS;
    return true;
}

/* An empty list alone leaves open what it is that there is none of. */
static void tell_empty(const struct listing *listing)
{
    const struct cli *cli = listing->cli;
    unsigned long days = (unsigned long)(listing->soon / DAY_SECONDS);

    if (cJSON_GetArraySize(listing->rows.list) > 0)
        return;
    if (cli->expiring)
        output_remark(cli,
                      ngettext("no certificate ends within %lu day",
                               "no certificate ends within %lu days", days),
                      days);
    else
        output_remark(cli, _("there is no self-signed certificate yet; smartca selfsigned create "
                             "makes one"));
}

static enum cli_exit list_tokens(struct listing *listing, const struct module *module)
{
    AUTO(tokens_fini) struct tokens tokens = {0};
    const struct cli *cli = listing->cli;
    const char *user = cli->form[FORM_USER];
    char label[FORM_LABEL_SIZE] = "";
    struct trouble trouble;

    if (!tokens_read(module, &tokens, &trouble))
        return trouble_print(cli, &trouble);
    if (user)
        form_label(user, label);
    if (user && !tokens_find(&tokens, label))
        return output_fail(cli, "not_found", _("smartca selfsigned list shows the users there are"),
                           _("user %s is not known"), user);
    for (size_t i = 0; i < tokens.count; i++)
        if (!user || strcmp(tokens.items[i].label, label) == 0)
            add_token(listing, module, &tokens.items[i]);
    if (!listing->is_partial)
        tell_empty(listing);
    enum cli_exit result = rows_print(cli, &listing->rows, columns, ARRAY_LEN(columns));
    return listing->is_partial ? trouble_print(cli, &listing->trouble) : result;
}

enum cli_exit selfsigned_list_run(const struct cli *cli)
{
    AUTO(workspace_fini) struct workspace workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    AUTO(module_fini) struct module module = {0};
    struct listing listing = {
        .cli = cli, .now = (int64_t)time(NULL), .soon = (int64_t)SOON_DAYS * DAY_SECONDS};

    if (cli->expiring && !read_days(cli->expiring, &listing.soon))
        return output_usage(cli, _("--expiring is a number of days"));
    enum cli_exit result = workspace_open(cli, &workspace);
    if (result == CLI_OK)
        result = module_use(cli, &module);
    if (result != CLI_OK)
        return result;
    rows_init(&listing.rows);
    result = list_tokens(&listing, &module);
    rows_fini(&listing.rows);
    return result;
}
