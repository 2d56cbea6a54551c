/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/catalogue/catalogue.h"
#include "remote/catalogue/image.h"
#include "remote/catalogue/image_writer.h"
#include "remote/catalogue/mapping.h"

enum { LOCK_WAIT_MS = 5000 };

/* One rewriting of the file: what there was, what is to be, and who is concerned. */
struct rewrite {
    const char *state_dir;
    const char *url;
    const char *user_id;
    struct catalogue *old; /* NULL: there was none that can be read */
    struct image_writer writer;
    bool is_damaged;  /* the old file is to be kept as catalogue.damaged */
    bool has_account; /* the old file knows the account */
};

/* Another name for the damaged file first, so that there is one at any time. */
static enum sca_status set_aside(const char *state_dir)
{
    AUTO(freep) char *path = path_join(state_dir, CATALOGUE_FILE);
    AUTO(freep) char *aside = path_join(state_dir, CATALOGUE_FILE ".damaged");

    if (!path || !aside)
        return SCA_NOMEM;
    (void)unlink(aside); /* not there, most of the time */
    if (link(path, aside) == 0 || rename(path, aside) == 0)
        return SCA_OK;
    return SCA_IO;
}

static bool is_of_account(const struct rewrite *rewrite, const struct catalogue_entry *entry)
{
    return strcmp(entry->url, rewrite->url) == 0 && strcmp(entry->user_id, rewrite->user_id) == 0;
}

/* Reads the old file; a damaged one counts as none, but for the slot ids it has given out. */
static enum sca_status load(struct rewrite *rewrite)
{
    struct span bytes;
    struct image image;
    const char *why = NULL;
    uint32_t next_slot_id = 1;

    enum sca_status st = mapping_open(rewrite->state_dir, &bytes, &why);
    if (st != SCA_OK && st != SCA_INVALID)
        return st;
    rewrite->is_damaged = st == SCA_INVALID;
    if (st == SCA_OK && bytes.len) {
        next_slot_id = image_next_slot_id(bytes);
        rewrite->is_damaged = image_check(bytes, &image, &why) != SCA_OK;
        mapping_fini(&bytes);
    }
    image_writer_init(&rewrite->writer, next_slot_id);
    return rewrite->is_damaged ? SCA_OK : catalogue_open(rewrite->state_dir, &rewrite->old, &why);
}

static size_t count_old(const struct rewrite *rewrite)
{
    return rewrite->old ? catalogue_count(rewrite->old) : 0;
}

/* False when the entry is damaged: it is left out, and the file set aside. */
static bool get_old(struct rewrite *rewrite, size_t index, struct catalogue_entry *ret_entry)
{
    if (catalogue_get(rewrite->old, index, ret_entry) == SCA_OK)
        return true;
    rewrite->is_damaged = true;
    return false;
}

static void survey(struct rewrite *rewrite)
{
    struct catalogue_entry entry;

    for (size_t i = 0; i < count_old(rewrite); i++)
        if (get_old(rewrite, i, &entry))
            rewrite->has_account |= is_of_account(rewrite, &entry);
}

static enum sca_status save(struct rewrite *rewrite)
{
    AUTO(buf_fini) struct buf file;

    enum sca_status st = image_writer_finish(&rewrite->writer, &file);
    if (st == SCA_OK && rewrite->is_damaged)
        st = set_aside(rewrite->state_dir);
    return st == SCA_OK ? file_replace(rewrite->state_dir, CATALOGUE_FILE, buf_span(&file)) : st;
}

static void rewrite_fini(struct rewrite *rewrite)
{
    catalogue_closep(&rewrite->old);
    image_writer_fini(&rewrite->writer);
}

/* The certificates that the account has now. */
struct news {
    int64_t fetched_at;
    const struct fetched_certificate *items;
    size_t count;
    bool *is_done;   /* written, or the same as one that is */
    size_t expected; /* where the next known one most likely is: answers keep their order */
};

static struct catalogue_entry describe(const struct rewrite *rewrite, const struct news *news,
                                       uint32_t slot_id, const struct fetched_certificate *item)
{
    struct catalogue_entry entry = {
        .slot_id = slot_id,
        .url = rewrite->url,
        .user_id = rewrite->user_id,
        .fetched_at = news->fetched_at,
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

/* design.md 8.16: url, user_id and the certificate's serial number make it the same one. */
static const struct fetched_certificate *find_news(struct news *news, struct span serial)
{
    for (size_t i = 0; i < news->count; i++) {
        size_t at = (news->expected + i) % news->count;
        if (news->is_done[at] || !span_equal(news->items[at].leaf->serial, serial))
            continue;
        news->is_done[at] = true;
        news->expected = at + 1;
        return &news->items[at];
    }
    return NULL;
}

/* Those known before, with their slot ids; ret_spare_id is the placeholder's, 0 without one. */
static enum sca_status put_known(struct rewrite *rewrite, struct news *news, size_t *ret_count,
                                 uint32_t *ret_spare_id)
{
    enum sca_status st = SCA_OK;
    struct catalogue_entry old;

    for (size_t i = 0; st == SCA_OK && i < count_old(rewrite); i++) {
        if (!get_old(rewrite, i, &old) || !is_of_account(rewrite, &old))
            continue;
        if (!old.has_certificate) {
            *ret_spare_id = old.slot_id;
            continue;
        }
        const struct fetched_certificate *item = find_news(news, old.leaf.serial);
        if (!item)
            continue;
        struct catalogue_entry entry = describe(rewrite, news, old.slot_id, item);
        st = image_writer_add(&rewrite->writer, &entry);
        ++*ret_count;
    }
    return st;
}

static enum sca_status put_new(struct rewrite *rewrite, const struct news *news,
                               const struct fetched_certificate *item, uint32_t *spare_id)
{
    uint32_t slot_id = *spare_id;
    enum sca_status st = slot_id ? SCA_OK : image_writer_new_id(&rewrite->writer, &slot_id);
    if (st != SCA_OK)
        return st;
    *spare_id = 0;
    struct catalogue_entry entry = describe(rewrite, news, slot_id, item);
    return image_writer_add(&rewrite->writer, &entry);
}

static bool is_written(const struct news *news, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (span_equal(news->items[i].leaf->serial, news->items[index].leaf->serial))
            return true;
    return news->is_done[index];
}

static enum sca_status put_account(struct rewrite *rewrite, struct news *news)
{
    size_t count = 0;
    uint32_t spare_id = 0;

    enum sca_status st = put_known(rewrite, news, &count, &spare_id);
    for (size_t i = 0; st == SCA_OK && i < news->count; i++) {
        if (is_written(news, i))
            continue;
        st = put_new(rewrite, news, &news->items[i], &spare_id);
        count++;
    }
    if (st == SCA_OK && count == 0)
        st = put_new(rewrite, news, NULL, &spare_id);
    return st;
}

/* The old entries in their order, the account's own place taken by news; NULL: by nothing. */
static enum sca_status put_all(struct rewrite *rewrite, struct news *news)
{
    enum sca_status st = SCA_OK;
    bool is_put = !news;
    struct catalogue_entry entry;

    for (size_t i = 0; st == SCA_OK && i < count_old(rewrite); i++) {
        if (!get_old(rewrite, i, &entry))
            continue;
        bool is_own = is_of_account(rewrite, &entry);
        if (!is_own)
            st = image_writer_add(&rewrite->writer, &entry);
        else if (!is_put)
            st = put_account(rewrite, news);
        is_put |= is_own;
    }
    return st == SCA_OK && !is_put ? put_account(rewrite, news) : st;
}

enum sca_status catalogue_store(const char *state_dir, const char *url, const char *user_id,
                                int64_t fetched_at, const struct fetched_certificate *certificates,
                                size_t count)
{
    AUTO(rewrite_fini)
    struct rewrite rewrite = {.state_dir = state_dir, .url = url, .user_id = user_id};
    AUTO(freep) bool *is_done = calloc(count + 1, sizeof(*is_done));
    AUTO(fd_closep) int lock = -1;
    struct news news = {
        .fetched_at = fetched_at, .items = certificates, .count = count, .is_done = is_done};

    if (!is_done)
        return SCA_NOMEM;
    enum sca_status st = dir_ensure_private(state_dir);
    if (st == SCA_OK)
        st = file_lock(state_dir, "lock", LOCK_WAIT_MS, &lock);
    if (st == SCA_OK)
        st = load(&rewrite);
    if (st != SCA_OK)
        return st;
    survey(&rewrite);
    if (fetched_at == 0 && count == 0 && rewrite.has_account)
        return SCA_OK;
    st = put_all(&rewrite, &news);
    return st == SCA_OK ? save(&rewrite) : st;
}

enum sca_status catalogue_forget(const char *state_dir, const char *url, const char *user_id)
{
    AUTO(rewrite_fini)
    struct rewrite rewrite = {.state_dir = state_dir, .url = url, .user_id = user_id};
    AUTO(fd_closep) int lock = -1;
    struct stat info;

    if (stat(state_dir, &info) != 0 && errno == ENOENT)
        return SCA_OK;
    enum sca_status st = file_lock(state_dir, "lock", LOCK_WAIT_MS, &lock);
    if (st == SCA_OK)
        st = load(&rewrite);
    if (st != SCA_OK)
        return st;
    survey(&rewrite);
    if (!rewrite.has_account)
        return SCA_OK;
    st = put_all(&rewrite, NULL);
    return st == SCA_OK ? save(&rewrite) : st;
}
