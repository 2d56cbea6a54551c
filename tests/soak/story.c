/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {
    [ENTRY_WAITING] = "waiting", [ENTRY_SIGNED] = "signed", [ENTRY_REJECTED] = "rejected",
    [ENTRY_EXPIRED] = "expired", [ENTRY_FAILED] = "failed",
};

enum entry_state entry_state_of(const char *name)
{
    for (int i = ENTRY_WAITING; i <= ENTRY_FAILED; i++)
        if (strcmp(state_names[i], name) == 0)
            return (enum entry_state)i;
    return ENTRY_WAITING;
}

const char *entry_state_name(enum entry_state state)
{
    return state_names[state];
}

/* Digests are as good as random: their first three digits name the row. */
static size_t row_of(const char *digest)
{
    char head[4] = {digest[0], digest[1], digest[2]};
    return strtoul(head, NULL, 16);
}

struct story *story_find(struct story *const *rows, const char *digest)
{
    struct story *story = rows[row_of(digest)];
    while (story && strcmp(story->digest, digest) != 0)
        story = story->next;
    return story;
}

struct story *story_make(struct story **rows, const char *digest)
{
    struct story **row = &rows[row_of(digest)];
    struct story *story = story_find(rows, digest);
    if (story || !(story = calloc(1, sizeof(*story))))
        return story;
    (void)snprintf(story->digest, sizeof(story->digest), "%s", digest);
    story->next = *row;
    *row = story;
    return story;
}

struct entry *story_entry(struct story *story, const char *id)
{
    for (size_t i = 0; i < story->entry_count; i++)
        if (strcmp(story->entries[i].id, id) == 0)
            return &story->entries[i];
    return NULL;
}

struct falsified {
    struct falsified *next;
    uint64_t at_ms;
    char id[64];
};

bool falsified_add(struct falsified **list, const char *id, uint64_t at_ms)
{
    struct falsified *item = calloc(1, sizeof(*item));
    if (!item)
        return false;
    (void)snprintf(item->id, sizeof(item->id), "%s", id);
    item->at_ms = at_ms;
    item->next = *list;
    *list = item;
    return true;
}

bool falsified_before(const struct falsified *list, const struct entry *entry, uint64_t at_ms)
{
    for (; list; list = list->next)
        if (list->at_ms <= at_ms &&
            (strcmp(list->id, entry->id) == 0 || strcmp(list->id, entry->tran_code) == 0))
            return true;
    return false;
}

void falsified_free(struct falsified *list)
{
    while (list) {
        struct falsified *next = list->next;
        free(list);
        list = next;
    }
}
