/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_memory.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/live_file.h"
#include "remote/cli/sign_revive.h"

static void recollection_fini(struct sign_recollection *item)
{
    free(item->path);
    fd_closep(&item->fd);
    sign_entries_fini(&item->entries);
    *item = (struct sign_recollection){.fd = -1};
}

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

/* The journal does not remember for longer either. */
static bool is_old(int fd)
{
    struct stat info;
    int64_t now = (int64_t)time(NULL);

    return fstat(fd, &info) == 0 && ((int64_t)info.st_mtime < now - JOURNAL_KEEP_S ||
                                     (int64_t)info.st_mtime > now + JOURNAL_KEEP_S);
}

static enum sca_status read_entries(const char *path, struct sign_entries *ret_entries)
{
    AUTO(buf_fini) struct buf text;
    const char *why = NULL;
    const unsigned trust = FILE_NOT_WRITABLE_BY_OTHERS | FILE_NOT_A_LINK;

    enum sca_status st = file_read_trusted(path, trust, SIGN_NOTE_MAX, false, &text, &why);
    return st == SCA_OK ? sign_entries_read(&text, ret_entries) : st;
}

/* Moves it; on failure it stays. */
static enum sca_status keep(struct sign_memory *memory, struct sign_recollection *item)
{
    if (memory->count == memory->room) {
        size_t room = memory->room ? 2 * memory->room : 4;
        struct sign_recollection *items = realloc(memory->items, room * sizeof(*items));
        if (!items)
            return SCA_NOMEM;
        memory->items = items;
        memory->room = room;
    }
    memory->items[memory->count++] = *item;
    *item = (struct sign_recollection){.fd = -1};
    return SCA_OK;
}

/* A note whose run is gone; what never was finished had nobody asked. */
static enum sca_status take_over(struct sign_memory *memory, const struct sign_files *files,
                                 const char *path)
{
    AUTO(recollection_fini) struct sign_recollection item = {.fd = -1};

    if (!live_file_adopt(path, &item.fd))
        return SCA_OK;
    enum sca_status st = is_old(item.fd) ? SCA_INVALID : read_entries(path, &item.entries);
    if (st == SCA_INVALID)
        (void)unlink(path);
    if (st != SCA_OK || !is_about(&item.entries, files))
        return st == SCA_NOMEM ? st : SCA_OK;
    item.path = strdup(path);
    return item.path ? keep(memory, &item) : SCA_NOMEM;
}

static enum sca_status read_folder(struct sign_memory *memory, const struct sign_files *files)
{
    AUTO(freep) char *dir = path_join(memory->state_dir, SIGN_NOTE_FOLDER);
    DIR *folder = dir ? opendir(dir) : NULL;
    enum sca_status st = dir ? SCA_OK : SCA_NOMEM;
    const struct dirent *file = NULL;

    while (folder && st == SCA_OK && (file = readdir(folder))) {
        AUTO(freep) char *path = path_join(dir, file->d_name);
        if (!path)
            st = SCA_NOMEM;
        else if (file->d_name[0] != '.')
            st = take_over(memory, files, path);
    }
    if (folder)
        (void)closedir(folder);
    return st;
}

bool sign_memory_read(const char *state_dir, const struct account_config *account,
                      const struct sign_files *files, struct sign_memory *ret_memory,
                      struct trouble *trouble)
{
    *ret_memory = (struct sign_memory){.state_dir = state_dir};
    if (read_folder(ret_memory, files) != SCA_OK)
        return trouble_no_memory(trouble);
    if (ret_memory->count == 0)
        return true;
    (void)sign_note_waiting(state_dir, &ret_memory->waiting);
    if (account && !sign_revive(ret_memory, account, files, trouble))
        return false;
    ledger_fini(&ret_memory->waiting);
    (void)sign_note_waiting(state_dir, &ret_memory->waiting);
    return true;
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

/* A signature of it may be had, now or by asking the service again. */
static bool is_wanted_again(const struct sign_recollection *item, const struct sign_entry *entry,
                            const struct sign_files *files, const struct ledger *waiting)
{
    const struct sign_file *file = sign_memory_file(files, entry);
    bool is_same = file && memcmp(file->digest, entry->digest, sizeof(entry->digest)) == 0;

    if (entry->is_over || (is_same && file->is_written))
        return false;
    if (sign_note_find(waiting, entry->digest))
        return true;
    return is_same ? file->state == SIGN_DONE
                   : sign_note_find(&item->entries.asked, entry->digest) != NULL;
}

/* What is lost of these lines is asked for once more. */
static void end_one(const struct sign_recollection *item, const struct sign_files *files,
                    const struct ledger *waiting)
{
    AUTO(buf_fini) struct buf over;
    enum sca_status st = SCA_OK;
    bool is_wanted = false;

    buf_init(&over, SIGN_NOTE_MAX, false);
    for (size_t i = 0; st == SCA_OK && i < item->entries.count; i++) {
        const struct sign_entry *entry = &item->entries.items[i];
        if (is_wanted_again(item, entry, files, waiting))
            is_wanted = true;
        else
            st = sign_entry_write_over(entry, &over);
    }
    if (!is_wanted)
        (void)unlink(item->path);
    else if (over.len > 0)
        (void)fd_write_all(item->fd, buf_span(&over));
}

void sign_memory_end(struct sign_memory *memory, const struct sign_files *files)
{
    AUTO(ledger_fini) struct ledger waiting = {.count = 0};
    bool is_known = memory->count > 0 && sign_note_waiting(memory->state_dir, &waiting);

    for (size_t i = 0; i < memory->count; i++) {
        if (is_known)
            end_one(&memory->items[i], files, &waiting);
        recollection_fini(&memory->items[i]);
    }
    free(memory->items);
    ledger_fini(&memory->waiting);
    *memory = (struct sign_memory){.count = 0};
}
