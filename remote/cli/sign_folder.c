/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/folder.h"
#include "remote/cli/output.h"

enum { CHUNK = 16 << 10, PATIENCE_MS = 500 /* with who adds a line */ };

#define BEGINNING "file "

static bool cannot(struct trouble *trouble, const char *path, int error)
{
    bool is_full = error == ENOSPC || error == EDQUOT;

    return trouble_say(trouble, is_full ? "no_space" : "io",
                       is_full ? _("free some space on the disk or in the quota")
                               : _("check owner, permissions and free space of the folder or file"),
                       "%s: %s", path, strerror(error));
}

static bool is_private(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 && info.st_uid == geteuid() &&
           (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

bool sign_folder_open(const char *state_dir, bool makes_it, int *ret_fd, struct trouble *trouble)
{
    AUTO(freep) char *path = path_join(state_dir, SIGN_NOTE_FOLDER);

    if (!path)
        return trouble_no_memory(trouble);
    if (makes_it && dir_ensure_private(state_dir) != SCA_OK)
        return cannot(trouble, state_dir, errno);
    if (makes_it && mkdir(path, 0700) != 0 && errno != EEXIST)
        return cannot(trouble, path, errno);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !makes_it) {
        *ret_fd = -1;
        return true;
    }
    bool is_other = fd < 0 && (errno == ENOTDIR || errno == ELOOP);
    if (fd < 0 && !is_other)
        return cannot(trouble, path, errno);
    if (is_other || !is_private(fd)) {
        fd_closep(&fd);
        return trouble_say(trouble, "io", _("run chmod 700 on it, or remove it if it is not yours"),
                           _("%s is not a folder that is yours alone"), path);
    }
    *ret_fd = fd;
    return true;
}

int sign_folder_open_note(int folder, const char *name)
{
    struct stat info;
    int fd =
        openat(folder, name, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return -1;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
        (info.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return fd;
    fd_closep(&fd);
    errno = EACCES;
    return -1;
}

enum sca_status sign_folder_read_note(int fd, struct sign_entries *ret_entries)
{
    AUTO(buf_fini) struct buf text;
    uint8_t chunk[CHUNK];
    enum sca_status st = SCA_OK;
    ssize_t got = 1;

    buf_init(&text, SIGN_NOTE_MAX, false);
    while (st == SCA_OK && got != 0) {
        got = read(fd, chunk, sizeof(chunk));
        if (got > 0)
            st = buf_append(&text, span_of(chunk, (size_t)got));
        else if (got < 0 && errno != EINTR)
            st = SCA_IO;
    }
    if (st == SCA_OK)
        return sign_entries_read(&text, ret_entries);
    return st == SCA_PROTOCOL ? SCA_INVALID : st; /* larger than any note */
}

static bool is_name(const char *name)
{
    const size_t len = SIGN_NOTE_NAME_SIZE - 1;

    return strspn(name, "0123456789abcdef") == len && !name[len];
}

/* The journal does not remember for longer either. */
static bool is_old(int fd)
{
    struct stat info;
    int64_t now = (int64_t)time(NULL);

    return fstat(fd, &info) == 0 && ((int64_t)info.st_mtime < now - JOURNAL_KEEP_S ||
                                     (int64_t)info.st_mtime > now + JOURNAL_KEEP_S);
}

/* What else somebody has put here is not ours to remove; one of which nothing was written is. */
static bool begins_as_note(int fd)
{
    char start[sizeof(BEGINNING) - 1];
    ssize_t got = pread(fd, start, sizeof(start), 0);

    return got >= 0 && memcmp(start, BEGINNING, (size_t)got) == 0;
}

/* Of what cannot be opened: gone meanwhile, or put here by somebody else. */
static bool is_no_note(int error)
{
    return error == ENOENT || error == EACCES || error == ELOOP || error == EISDIR ||
           error == ENXIO;
}

static enum sca_status show(int folder, const char *name, sign_folder_visitor *visit, void *arg)
{
    AUTO(fd_closep) int fd = sign_folder_open_note(folder, name);
    AUTO(sign_entries_fini) struct sign_entries entries = {.count = 0};

    if (fd < 0)
        return is_no_note(errno) ? SCA_OK : file_status_of_errno();
    bool is_held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    enum sca_status st = is_old(fd) ? SCA_INVALID : sign_folder_read_note(fd, &entries);
    if (st == SCA_OK)
        return visit(name, &entries, is_held, arg);
    if (st == SCA_INVALID && !is_held && begins_as_note(fd) && fd_lock(fd, 0) == SCA_OK)
        (void)unlinkat(folder, name, 0);
    return st == SCA_INVALID ? SCA_OK : st;
}

enum sca_status sign_folder_each(int folder, sign_folder_visitor *visit, void *arg)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(folder_closep) DIR *all = again >= 0 ? fdopendir(again) : NULL;
    const struct dirent *item = NULL;
    enum sca_status st = SCA_OK;

    if (!all) {
        fd_closep(&again);
        return SCA_NOMEM; /* it is open, and ours: there is only a lack of something */
    }
    /* An error is not the end: what is behind was asked for, and would be once more. */
    while (st == SCA_OK && (item = folder_next(all, &st)))
        if (is_name(item->d_name))
            st = show(folder, item->d_name, visit, arg);
    return st;
}

bool sign_folder_fail(enum sca_status status, struct trouble *trouble)
{
    if (status == SCA_NOMEM)
        return trouble_say(trouble, output_code(status), _("allow more open files (ulimit -n)"),
                           "%s", _("out of memory or open files"));
    return trouble_say(
        trouble, "io", _("check owner, permissions and free space of the folder or file"),
        _("%s in the state folder cannot be read: %s"), SIGN_NOTE_FOLDER, sca_status_name(status));
}

struct clash {
    int folder;
    const struct sign_files *files;
    const struct sign_file *file;
};

static const struct sign_file *find_place(const struct sign_entries *entries,
                                          const struct sign_files *files)
{
    for (size_t i = 0; i < entries->count; i++) {
        const struct sign_entry *entry = &entries->items[i];
        for (size_t j = 0; !entry->is_over && j < files->count; j++)
            if (memcmp(entry->place, files->items[j].place, sizeof(entry->place)) == 0)
                return &files->items[j];
    }
    return NULL;
}

/* Who only adds a line to what is left lets go of it soon. */
static bool is_held_on(int folder, const char *name)
{
    AUTO(fd_closep) int fd = sign_folder_open_note(folder, name);

    return fd >= 0 && fd_lock(fd, PATIENCE_MS) != SCA_OK && errno == EWOULDBLOCK;
}

static enum sca_status compare(const char *name, struct sign_entries *entries, bool is_held,
                               void *arg)
{
    struct clash *clash = arg;

    if (!is_held)
        return SCA_OK;
    const struct sign_file *file = find_place(entries, clash->files);
    if (!file || !is_held_on(clash->folder, name))
        return SCA_OK;
    clash->file = file;
    return SCA_BUSY;
}

bool sign_folder_is_free(int folder, const struct sign_files *files, struct trouble *trouble)
{
    struct clash clash = {.folder = folder, .files = files};

    enum sca_status st = sign_folder_each(folder, compare, &clash);
    if (clash.file)
        return trouble_say(trouble, "busy",
                           _("confirm that one on the phone, or stop it; then look for its "
                             "signature before you run this again"),
                           _("another smartca sign asks for %s right now"), clash.file->output);
    return st == SCA_OK || sign_folder_fail(st, trouble);
}
