/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/cli/sign_revive.h"
#include "remote/smartca/pending.h"

enum { PATIENCE_MS = 2000 }; /* with those who have the journal */

static bool is_of(const struct sign_entry *entry, struct span document)
{
    return span_equal(span_of(entry->document, entry->document_len), document);
}

const struct sign_file *sign_memory_file(const struct sign_files *files,
                                         const struct sign_entry *entry)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct sign_file *file = &files->items[i];
        if (is_of(entry, span_of(file->document, file->document_len)))
            return file;
    }
    return NULL;
}

static bool is_about(const struct sign_entries *entries, const struct sign_files *files)
{
    for (size_t i = 0; i < entries->count; i++)
        if (sign_memory_file(files, &entries->items[i]))
            return true;
    return false;
}

/* What is to be remembered, of what is signed now. */
struct reading {
    struct sign_memory *memory;
    const struct sign_files *files;
};

static enum sca_status make_room(struct sign_memory *memory)
{
    if (memory->count < memory->room)
        return SCA_OK;
    size_t room = memory->room ? 2 * memory->room : 4;
    struct sign_recollection *items = realloc(memory->items, room * sizeof(*items));
    if (!items)
        return SCA_NOMEM;
    memory->items = items;
    memory->room = room;
    return SCA_OK;
}

static enum sca_status remember(const char *name, struct sign_entries *entries, bool is_held,
                                void *arg)
{
    const struct reading *reading = arg;
    struct sign_memory *memory = reading->memory;

    (void)is_held; /* the same prompt is joined, whoever is at it */
    if (!is_about(entries, reading->files))
        return SCA_OK;
    if (make_room(memory) != SCA_OK)
        return SCA_NOMEM;
    struct sign_recollection *item = &memory->items[memory->count++];
    *item = (struct sign_recollection){.entries = *entries};
    (void)snprintf(item->name, sizeof(item->name), "%s", name);
    *entries = (struct sign_entries){.count = 0};
    return SCA_OK;
}

/* Without it what waits would seem not to, and be asked for anew. */
static bool look(struct sign_memory *memory, struct trouble *trouble)
{
    struct call call;

    ledger_fini(&memory->waiting);
    call_init(&call, &clock_system, PATIENCE_MS);
    enum sca_status st = pending_list(memory->state_dir, &call, &memory->waiting);
    if (st != SCA_OK)
        (void)trouble_say(trouble, "busy", _("run it again in a moment"), "%s",
                          call.note[0] ? call.note : sca_status_name(st));
    call_fini(&call);
    return st == SCA_OK;
}

bool sign_memory_read(const char *state_dir, const struct account_config *account,
                      const struct sign_files *files, struct sign_memory *ret_memory,
                      struct trouble *trouble)
{
    struct reading reading = {.memory = ret_memory, .files = files};

    *ret_memory = (struct sign_memory){.state_dir = state_dir, .folder = -1};
    if (!sign_folder_open(state_dir, false, &ret_memory->folder, trouble))
        return false;
    if (ret_memory->folder < 0)
        return true;
    if (!sign_folder_is_free(ret_memory->folder, files, trouble))
        return false;
    enum sca_status st = sign_folder_each(ret_memory->folder, remember, &reading);
    if (st != SCA_OK)
        return sign_folder_fail(st, trouble);
    if (ret_memory->count == 0)
        return true;
    return look(ret_memory, trouble) &&
           (!account || sign_revive(ret_memory, account, files, trouble)) &&
           look(ret_memory, trouble);
}

const struct sign_entry *sign_memory_next(const struct sign_memory *memory, struct span document,
                                          size_t *at)
{
    size_t before = 0;

    for (size_t i = 0; i < memory->count; i++) {
        const struct sign_entries *entries = &memory->items[i].entries;
        for (; *at < before + entries->count; (*at)++) {
            const struct sign_entry *entry = &entries->items[*at - before];
            if (entry->is_over || !is_of(entry, document) ||
                !sign_note_find(&memory->waiting, entry->digest))
                continue;
            (*at)++;
            return entry;
        }
        before += entries->count;
    }
    return NULL;
}
