/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens on this computer: their entries, and the empty slot from which the next one is made. */
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/catalogue/rewrite.h"

/* Ids that a token's file claims are believed up to here: handles are made from them, and the
 * catalogue goes on counting from the highest one. */
enum { SLOT_ID_MAX = 0x3fffff };

static bool is_local(const struct catalogue_entry *entry)
{
    return strcmp(entry->url, CATALOGUE_LOCAL) == 0;
}

static enum sca_status put_local(struct rewrite *rewrite, const char *name, uint32_t slot_id)
{
    const struct catalogue_entry entry = {
        .slot_id = slot_id, .url = CATALOGUE_LOCAL, .user_id = name};
    return image_writer_add(&rewrite->writer, &entry);
}

/* Which names and ids the old entries have, in order; names of local tokens only. */
struct taken {
    const char **names;
    size_t name_count;
    uint32_t *ids;
    size_t id_count;
};

static void taken_fini(struct taken *taken)
{
    free(taken->names);
    free(taken->ids);
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static int compare_ids(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;
    return *left < *right ? -1 : *left > *right;
}

static bool has_name(const struct taken *taken, const char *name)
{
    return bsearch(&name, taken->names, taken->name_count, sizeof(name), compare_names) != NULL;
}

static bool has_id(const struct taken *taken, uint32_t id)
{
    return bsearch(&id, taken->ids, taken->id_count, sizeof(id), compare_ids) != NULL;
}

/* Copies the old entries and notes what they have taken. */
static enum sca_status survey(struct rewrite *rewrite, struct taken *taken)
{
    size_t old_count = rewrite_count_old(rewrite);
    enum sca_status st = SCA_OK;
    struct catalogue_entry entry;

    taken->names = calloc(old_count + 1, sizeof(*taken->names));
    taken->ids = calloc(old_count + 1, sizeof(*taken->ids));
    if (!taken->names || !taken->ids)
        return SCA_NOMEM;
    for (size_t i = 0; st == SCA_OK && i < old_count; i++) {
        if (!rewrite_get_old(rewrite, i, &entry))
            continue;
        taken->ids[taken->id_count++] = entry.slot_id;
        if (is_local(&entry))
            taken->names[taken->name_count++] = entry.user_id;
        st = image_writer_add(&rewrite->writer, &entry);
    }
    qsort(taken->names, taken->name_count, sizeof(*taken->names), compare_names);
    qsort(taken->ids, taken->id_count, sizeof(*taken->ids), compare_ids);
    return st;
}

/* Has the token that slot already? Somebody may have adopted it since its file was made. */
static bool is_entered(struct rewrite *rewrite, const char *name, uint32_t slot_id)
{
    struct catalogue_entry entry;

    for (size_t i = 0; i < rewrite_count_old(rewrite); i++)
        if (rewrite_get_old(rewrite, i, &entry) && is_local(&entry) &&
            strcmp(entry.user_id, name) == 0)
            return entry.slot_id == slot_id;
    return false;
}

enum sca_status catalogue_add_local(const char *state_dir, const char *name, uint32_t slot_id)
{
    AUTO(rewrite_fini) struct rewrite rewrite = {.lock = -1};
    AUTO(taken_fini) struct taken taken = {0};

    enum sca_status st = rewrite_begin(state_dir, &rewrite);
    if (st == SCA_OK)
        st = survey(&rewrite, &taken);
    if (st != SCA_OK)
        return st;
    /* Made anew here, it would know this token alone. */
    if (rewrite.is_damaged)
        return SCA_INVALID;
    if (has_name(&taken, name))
        return is_entered(&rewrite, name, slot_id) ? SCA_OK : SCA_GONE;
    if (rewrite.writer.spare_slot_id != slot_id)
        return SCA_GONE;
    st = image_writer_new_id(&rewrite.writer, &rewrite.writer.spare_slot_id);
    if (st == SCA_OK)
        st = put_local(&rewrite, name, slot_id);
    return st == SCA_OK ? rewrite_save(&rewrite) : st;
}

/* A token that is to be adopted. */
struct orphan {
    const char *name;
    uint32_t slot_id;
    bool keeps_id;
};

static int compare_orphans(const void *a, const void *b)
{
    const struct orphan *left = a;
    const struct orphan *right = b;
    if (left->slot_id != right->slot_id)
        return left->slot_id < right->slot_id ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* Those without an entry, by slot id; the first that claims a free one keeps it. */
static size_t choose(const struct taken *taken, const char *const *names, const uint32_t *slot_ids,
                     size_t count, struct orphan *out)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        if (!has_name(taken, names[i]))
            out[found++] = (struct orphan){.name = names[i], .slot_id = slot_ids[i]};
    qsort(out, found, sizeof(*out), compare_orphans);
    for (size_t i = 0; i < found; i++)
        out[i].keeps_id = out[i].slot_id <= SLOT_ID_MAX &&
                          (i == 0 || out[i].slot_id != out[i - 1].slot_id) &&
                          !has_id(taken, out[i].slot_id);
    return found;
}

/* Ids that are kept come first: new ones, of tokens and of the empty slot, are counted from the
 * highest of them. */
static enum sca_status adopt(struct rewrite *rewrite, struct orphan *orphans, size_t count)
{
    struct image_writer *writer = &rewrite->writer;
    enum sca_status st = SCA_OK;
    bool has_spare = true;

    for (size_t i = 0; i < count; i++) {
        if (!orphans[i].keeps_id)
            continue;
        if (orphans[i].slot_id >= writer->next_slot_id)
            writer->next_slot_id = orphans[i].slot_id + 1;
        has_spare &= orphans[i].slot_id != writer->spare_slot_id;
    }
    if (!has_spare)
        st = image_writer_new_id(writer, &writer->spare_slot_id);
    for (size_t i = 0; st == SCA_OK && i < count; i++) {
        if (!orphans[i].keeps_id)
            st = image_writer_new_id(writer, &orphans[i].slot_id);
        if (st == SCA_OK)
            st = put_local(rewrite, orphans[i].name, orphans[i].slot_id);
    }
    return st;
}

enum sca_status catalogue_adopt_local(const char *state_dir, const char *const *names,
                                      const uint32_t *slot_ids, size_t count)
{
    AUTO(rewrite_fini) struct rewrite rewrite = {.lock = -1};
    AUTO(taken_fini) struct taken taken = {0};
    AUTO(freep) struct orphan *orphans = calloc(count + 1, sizeof(*orphans));

    if (!orphans)
        return SCA_NOMEM;
    enum sca_status st = rewrite_begin(state_dir, &rewrite);
    if (st == SCA_OK)
        st = survey(&rewrite, &taken);
    if (st != SCA_OK)
        return st;
    size_t found = choose(&taken, names, slot_ids, count, orphans);
    if (found == 0 && !rewrite.is_damaged)
        return SCA_OK;
    st = adopt(&rewrite, orphans, found);
    return st == SCA_OK ? rewrite_save(&rewrite) : st;
}
