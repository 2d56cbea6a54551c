/* SPDX-License-Identifier: Apache-2.0 */
/* What the service says of an account, put into the catalogue. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "remote/base/cleanup.h"
#include "remote/catalogue/rewrite.h"

/* The account that a rewriting is about. */
struct account {
    struct rewrite rewrite;
    struct identity identity;
    struct catalogue_view inherited; /* what a new certificate of the account starts with */
};

static void account_fini(struct account *account)
{
    rewrite_fini(&account->rewrite);
}

static bool is_of_account(const struct account *account, const struct catalogue_entry *entry)
{
    return identity_equal(catalogue_identity(entry), account->identity);
}

/* The appearance is the account's, name and precedence are one certificate's. */
static void inherit(struct account *account, const struct catalogue_view *view)
{
    if (account->inherited.has_appearance || !view->has_appearance)
        return;
    account->inherited = *view;
    account->inherited.display_name = "";
    account->inherited.is_default = false;
}

/* Does the old file know the account? Notes what new certificates inherit. */
static bool is_known(struct account *account)
{
    struct catalogue_entry entry;
    bool is_known = false;

    for (size_t i = 0; i < rewrite_count_old(&account->rewrite); i++) {
        if (!rewrite_get_old(&account->rewrite, i, &entry) || !is_of_account(account, &entry))
            continue;
        is_known = true;
        inherit(account, &entry.view);
    }
    return is_known;
}

/* The certificates that the account has now. */
struct news {
    int64_t fetched_at;
    const struct fetched_certificate *items;
    size_t count;
    bool *is_done;   /* written, or the same as one that is */
    size_t expected; /* where the next known one most likely is: answers keep their order */
};

static struct catalogue_entry describe(const struct account *account, const struct news *news,
                                       uint32_t slot_id, const struct catalogue_view *view,
                                       const struct fetched_certificate *item)
{
    struct catalogue_entry entry = {
        .slot_id = slot_id,
        .url = account->identity.url,
        .user_id = account->identity.user_id,
        .fetched_at = news->fetched_at,
        .view = *view,
    };
    if (!item)
        return entry;
    entry.has_certificate = true;
    entry.service_serial = item->service_serial;
    entry.service_status = item->service_status;
    entry.state = item->state;
    entry.leaf = *item->leaf;
    entry.chain_len = item->chain_len < CATALOGUE_CHAIN_MAX ? item->chain_len : CATALOGUE_CHAIN_MAX;
    for (size_t i = 0; i < entry.chain_len; i++)
        entry.chain[i] = *item->chain[i];
    return entry;
}

/*
 * A serial number is its issuer's, and a slot has one key for ever: another key under a known
 * number is another certificate, with a slot of its own.
 */
static bool is_same(const struct certificate *a, const struct certificate *b)
{
    return span_equal(a->serial, b->serial) && span_equal(a->issuer, b->issuer) &&
           span_equal(a->spki, b->spki);
}

static const struct fetched_certificate *find_news(struct news *news,
                                                   const struct certificate *leaf)
{
    for (size_t i = 0; i < news->count; i++) {
        size_t at = (news->expected + i) % news->count;
        if (news->is_done[at] || !is_same(news->items[at].leaf, leaf))
            continue;
        news->is_done[at] = true;
        news->expected = at + 1;
        return &news->items[at];
    }
    return NULL;
}

/* Those known before, with their slot ids; ret_spare_id is the placeholder's, 0 without one. */
static enum sca_status put_known(struct account *account, struct news *news, size_t *ret_count,
                                 uint32_t *ret_spare_id)
{
    enum sca_status st = SCA_OK;
    struct catalogue_entry old;

    for (size_t i = 0; st == SCA_OK && i < rewrite_count_old(&account->rewrite); i++) {
        if (!rewrite_get_old(&account->rewrite, i, &old) || !is_of_account(account, &old))
            continue;
        if (!old.has_certificate) {
            *ret_spare_id = old.slot_id;
            continue;
        }
        const struct fetched_certificate *item = find_news(news, &old.leaf);
        if (!item)
            continue;
        struct catalogue_entry entry = describe(account, news, old.slot_id, &old.view, item);
        st = image_writer_add(&account->rewrite.writer, &entry);
        ++*ret_count;
    }
    return st;
}

static enum sca_status put_new(struct account *account, const struct news *news,
                               const struct fetched_certificate *item, uint32_t *spare_id)
{
    uint32_t slot_id = *spare_id;
    enum sca_status st = slot_id ? SCA_OK : image_writer_new_id(&account->rewrite.writer, &slot_id);
    if (st != SCA_OK)
        return st;
    *spare_id = 0;
    struct catalogue_entry entry = describe(account, news, slot_id, &account->inherited, item);
    return image_writer_add(&account->rewrite.writer, &entry);
}

static bool is_written(const struct news *news, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_same(news->items[i].leaf, news->items[index].leaf))
            return true;
    return news->is_done[index];
}

static enum sca_status put_account(struct account *account, struct news *news)
{
    size_t count = 0;
    uint32_t spare_id = 0;

    enum sca_status st = put_known(account, news, &count, &spare_id);
    for (size_t i = 0; st == SCA_OK && i < news->count; i++) {
        if (is_written(news, i))
            continue;
        st = put_new(account, news, &news->items[i], &spare_id);
        count++;
    }
    if (st == SCA_OK && count == 0)
        st = put_new(account, news, NULL, &spare_id);
    return st;
}

/* The old entries in their order, the account's own place taken by news; NULL: by nothing. */
static enum sca_status put_all(struct account *account, struct news *news)
{
    enum sca_status st = SCA_OK;
    bool is_put = !news;
    struct catalogue_entry entry;

    for (size_t i = 0; st == SCA_OK && i < rewrite_count_old(&account->rewrite); i++) {
        if (!rewrite_get_old(&account->rewrite, i, &entry))
            continue;
        bool is_own = is_of_account(account, &entry);
        if (!is_own)
            st = image_writer_add(&account->rewrite.writer, &entry);
        else if (!is_put)
            st = put_account(account, news);
        is_put |= is_own;
    }
    return st == SCA_OK && !is_put ? put_account(account, news) : st;
}

enum sca_status catalogue_store(const char *state_dir, const char *url, const char *user_id,
                                int64_t fetched_at, const struct fetched_certificate *certificates,
                                size_t count)
{
    AUTO(account_fini)
    struct account account = {.rewrite = {.lock = -1}, .identity = {url, user_id}};
    AUTO(freep) bool *is_done = calloc(count + 1, sizeof(*is_done));
    struct news news = {
        .fetched_at = fetched_at, .items = certificates, .count = count, .is_done = is_done};

    if (!is_done)
        return SCA_NOMEM;
    enum sca_status st = rewrite_begin(state_dir, &account.rewrite);
    if (st != SCA_OK)
        return st;
    if (is_known(&account) && fetched_at == 0 && count == 0)
        return SCA_OK;
    st = put_all(&account, &news);
    return st == SCA_OK ? rewrite_save(&account.rewrite) : st;
}

enum sca_status catalogue_forget(const char *state_dir, const char *url, const char *user_id)
{
    AUTO(account_fini)
    struct account account = {.rewrite = {.lock = -1}, .identity = {url, user_id}};
    struct stat info;

    if (stat(state_dir, &info) != 0 && errno == ENOENT)
        return SCA_OK;
    enum sca_status st = rewrite_begin(state_dir, &account.rewrite);
    if (st != SCA_OK)
        return st;
    if (!is_known(&account))
        return SCA_OK;
    st = put_all(&account, NULL);
    return st == SCA_OK ? rewrite_save(&account.rewrite) : st;
}
