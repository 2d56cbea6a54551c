/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/meter.h"
#include "remote/cli/sign_output.h"

enum { READ_SIZE = 128 << 10 };

#define SUFFIX ".p7s"

static bool cannot(struct trouble *trouble, const char *path, int error)
{
    return trouble_say(trouble, error == ENOENT ? "not_found" : "io",
                       _("check the name, and that you may read it"), "%s: %s", path,
                       strerror(error));
}

static bool check_opened(const struct sign_file *file, int fd, struct trouble *trouble)
{
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0)
        return cannot(trouble, file->path, errno);
    if (!S_ISREG(info.st_mode))
        return trouble_say(trouble, "invalid", _("name files; folders are not looked into"),
                           S_ISDIR(info.st_mode) ? _("%s is a folder") : _("%s is no file"),
                           file->path);
    return !file->inode || (file->device == info.st_dev && file->inode == info.st_ino) ||
           trouble_say(trouble, "gone", _("run it again"), _("%s was replaced meanwhile"),
                       file->path);
}

bool sign_file_open(const struct sign_file *file, int *ret_fd, struct trouble *trouble)
{
    /* O_NONBLOCK: a pipe must not hold us up before it is refused. */
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (!check_opened(file, fd, trouble)) {
        fd_closep(&fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}

static char *output_of(const struct cli *cli, const char *path)
{
    AUTO(freep) char *copy = strdup(path);
    char *output = NULL;

    if (!copy)
        return NULL;
    int len = cli->out_dir ? asprintf(&output, "%s/%s" SUFFIX, cli->out_dir, basename(copy))
                           : asprintf(&output, "%s" SUFFIX, path);
    return len < 0 ? NULL : output;
}

static bool collect_one(const struct cli *cli, const char *path, struct sign_file *file,
                        struct trouble *trouble)
{
    AUTO(fd_closep) int fd = -1;
    struct stat info;

    file->path = path;
    if (!sign_file_open(file, &fd, trouble))
        return false;
    if (fstat(fd, &info) != 0)
        return cannot(trouble, path, errno);
    file->device = info.st_dev;
    file->inode = info.st_ino;
    file->output = output_of(cli, path);
    return file->output || trouble_no_memory(trouble);
}

static int by_inode(const void *a, const void *b)
{
    const struct sign_file *left = *(const struct sign_file *const *)a;
    const struct sign_file *right = *(const struct sign_file *const *)b;

    if (left->device != right->device)
        return left->device < right->device ? -1 : 1;
    return (left->inode > right->inode) - (left->inode < right->inode);
}

static int by_output(const void *a, const void *b)
{
    const struct sign_file *left = *(const struct sign_file *const *)a;
    const struct sign_file *right = *(const struct sign_file *const *)b;

    return strcmp(left->output, right->output);
}

/* With --force a signature could land on a document that is still to be signed. */
static bool spares_inputs(struct sign_file *const *sorted, size_t count,
                          const struct sign_file *file, struct trouble *trouble)
{
    struct sign_file key = {0};
    const struct sign_file *wanted = &key;
    struct stat info;

    if (stat(file->output, &info) != 0)
        return true;
    key.device = info.st_dev;
    key.inode = info.st_ino;
    return !bsearch(&wanted, sorted, count, sizeof(*sorted), by_inode) ||
           trouble_say(trouble, "invalid", _("sign it in a run of its own"),
                       _("%s would replace a file that is to be signed"), file->output);
}

static bool check_unique(const struct sign_files *files, struct trouble *trouble)
{
    AUTO(freep) struct sign_file **sorted = calloc(files->count + 1, sizeof(*sorted));

    if (!sorted)
        return trouble_no_memory(trouble);
    for (size_t i = 0; i < files->count; i++)
        sorted[i] = &files->items[i];
    qsort(sorted, files->count, sizeof(*sorted), by_inode);
    for (size_t i = 1; i < files->count; i++)
        if (by_inode(&sorted[i - 1], &sorted[i]) == 0)
            return trouble_say(trouble, "invalid", _("name each file once"),
                               _("%s and %s are the same file"), sorted[i - 1]->path,
                               sorted[i]->path);
    for (size_t i = 0; i < files->count; i++)
        if (!spares_inputs(sorted, files->count, &files->items[i], trouble))
            return false;
    qsort(sorted, files->count, sizeof(*sorted), by_output);
    for (size_t i = 1; i < files->count; i++)
        if (by_output(&sorted[i - 1], &sorted[i]) == 0)
            return trouble_say(trouble, "invalid", _("name each file once"),
                               _("%s and %s would both be signed in %s"), sorted[i - 1]->path,
                               sorted[i]->path, sorted[i]->output);
    return true;
}

bool sign_files_collect(const struct cli *cli, struct sign_files *ret_files,
                        struct trouble *trouble)
{
    *ret_files = (struct sign_files){.items = calloc(cli->operand_count, sizeof(struct sign_file)),
                                     .is_forced = cli->is_forced};
    if (!ret_files->items)
        return trouble_no_memory(trouble);
    for (size_t i = 0; i < cli->operand_count; i++) {
        struct sign_file *file = &ret_files->items[ret_files->count++];
        if (!collect_one(cli, cli->operands[i], file, trouble) ||
            !sign_output_check(file, cli->is_forced, trouble) || !sign_output_locate(file, trouble))
            return false;
    }
    return check_unique(ret_files, trouble);
}

void sign_files_fini(struct sign_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        struct sign_file *file = &files->items[i];
        sign_output_discard(file);
        free(file->output);
        cms_draft_free(file->draft);
        buf_fini(&file->input);
    }
    free(files->items);
    *files = (struct sign_files){0};
}

static ssize_t read_some(int fd, void *buffer)
{
    ssize_t got = -1;

    do
        got = read(fd, buffer, READ_SIZE);
    while (got < 0 && errno == EINTR && !meter_is_stopped());
    return got;
}

bool sign_file_digest(const struct sign_file *file, const EVP_MD *md,
                      uint8_t out[static EVP_MAX_MD_SIZE], struct trouble *trouble)
{
    AUTO(fd_closep) int fd = -1;
    AUTO(freep) uint8_t *buffer = malloc(READ_SIZE);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_fed = buffer && ctx && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
    ssize_t got = 1;

    if (!is_fed)
        (void)trouble_no_memory(trouble);
    is_fed = is_fed && sign_file_open(file, &fd, trouble);
    while (is_fed && got > 0 && !meter_is_stopped()) {
        got = read_some(fd, buffer);
        if (got < 0)
            is_fed = cannot(trouble, file->path, errno);
        else
            is_fed = EVP_DigestUpdate(ctx, buffer, (size_t)got) == 1;
    }
    is_fed = is_fed && got == 0 && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return is_fed;
}
