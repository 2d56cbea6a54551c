/* SPDX-License-Identifier: Apache-2.0 */
/* The end of what sign_memory.h begins: what is lost of these lines is asked for once more. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/sign_memory.h"

enum { PATIENCE_MS = 500 }; /* with who looks at the same note */

/* What becomes of one note. Borrowed, but for lines. */
struct judgement {
    const struct sign_memory *memory;
    const struct sign_files *files;
    const struct ledger *waiting; /* now; memory's is of before */
    struct sign_entries *entries;
    bool *is_counted; /* of each file: an entry is over for it */
    struct buf lines; /* to be added */
    bool is_wanted;   /* something may still be had */
};

/* Takes a file of this run that has the entry's signature, and that no entry is over for yet. */
static bool count_written(struct judgement *judgement, const struct sign_entry *entry)
{
    for (size_t i = 0; i < judgement->files->count; i++) {
        const struct sign_file *file = &judgement->files->items[i];
        if (file->is_written && !judgement->is_counted[i] &&
            memcmp(file->digest, entry->digest, sizeof(entry->digest)) == 0)
            return judgement->is_counted[i] = true;
    }
    return false;
}

static const struct sign_file *find_same(const struct sign_files *files,
                                         const struct sign_entry *entry)
{
    for (size_t i = 0; i < files->count; i++)
        if (memcmp(files->items[i].digest, entry->digest, sizeof(entry->digest)) == 0)
            return &files->items[i];
    return NULL;
}

/* It was collected for another file of the same content: by its id it can be had again. */
static enum sca_status keep_transaction(struct judgement *judgement, const struct sign_entry *entry)
{
    const struct ledger *before = &judgement->memory->waiting;
    enum sca_status st = SCA_OK;

    if (sign_note_find(&judgement->entries->asked, entry->digest))
        return SCA_OK;
    for (size_t i = 0; st == SCA_OK && i < before->count; i++) {
        const struct ledger one = {.items = &before->items[i], .count = 1};
        if (sign_note_find(&one, entry->digest))
            st = ledger_write_transaction(&before->items[i], &judgement->lines);
    }
    return st;
}

/* A signature of it may be had, now or by asking the service again. */
static bool is_wanted_again(const struct judgement *judgement, const struct sign_entry *entry)
{
    const struct sign_file *file = find_same(judgement->files, entry);
    bool is_asked = sign_note_find(&judgement->entries->asked, entry->digest) != NULL;

    if (sign_note_find(judgement->waiting, entry->digest))
        return true;
    if (!file)
        return is_asked;
    if (file->is_written)
        return is_asked || sign_note_find(&judgement->memory->waiting, entry->digest);
    return file->state == SIGN_DONE || file->state == SIGN_FALSE;
}

static enum sca_status judge(struct judgement *judgement, const struct sign_recollection *item)
{
    enum sca_status st = SCA_OK;

    for (size_t i = 0; st == SCA_OK && i < judgement->entries->count; i++) {
        const struct sign_entry *entry = &judgement->entries->items[i];
        if (entry->is_over)
            continue;
        bool is_over = i < item->entries.count && item->entries.items[i].is_over;
        if (is_over || count_written(judgement, entry) || !is_wanted_again(judgement, entry)) {
            st = sign_entry_write_over(entry, &judgement->lines);
            continue;
        }
        judgement->is_wanted = true;
        st = keep_transaction(judgement, entry);
    }
    return st;
}

/* Best effort: what is not said here is found out by a later run. */
static void forget(struct judgement *judgement, const struct sign_recollection *item)
{
    int folder = judgement->memory->folder;
    AUTO(fd_closep) int fd = sign_folder_open_note(folder, item->name);
    AUTO(sign_entries_fini) struct sign_entries entries = {.count = 0};

    if (fd < 0 || fd_lock(fd, PATIENCE_MS) != SCA_OK ||
        sign_folder_read_note(fd, &entries) != SCA_OK)
        return;
    judgement->entries = &entries;
    judgement->is_wanted = false;
    memset(judgement->is_counted, 0, judgement->files->count * sizeof(*judgement->is_counted));
    buf_init(&judgement->lines, SIGN_NOTE_MAX, false);
    enum sca_status st = judge(judgement, item);
    if (st == SCA_OK && !judgement->is_wanted)
        (void)unlinkat(folder, item->name, 0);
    else if (st == SCA_OK && judgement->lines.len > 0)
        (void)fd_write_all(fd, buf_span(&judgement->lines));
    buf_fini(&judgement->lines);
}

void sign_memory_end(struct sign_memory *memory, const struct sign_files *files)
{
    AUTO(ledger_fini) struct ledger waiting = {.count = 0};
    AUTO(freep) bool *is_counted = calloc(files->count + 1, sizeof(*is_counted));
    struct judgement judgement = {
        .memory = memory, .files = files, .waiting = &waiting, .is_counted = is_counted};
    bool is_known =
        is_counted && memory->count > 0 && sign_note_waiting(memory->state_dir, &waiting);

    for (size_t i = 0; i < memory->count; i++) {
        if (is_known)
            forget(&judgement, &memory->items[i]);
        sign_entries_fini(&memory->items[i].entries);
    }
    free(memory->items);
    ledger_fini(&memory->waiting);
    fd_closep(&memory->folder);
    *memory = (struct sign_memory){.folder = -1};
}
