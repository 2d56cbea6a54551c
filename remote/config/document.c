/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ini.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/wording.h"
#include "remote/config/lines.h"

static void section_fini(struct section *section)
{
    for (size_t i = 0; i < section->count; i++) {
        free(section->entries[i].key);
        value_free_text(section->entries[i].text);
        value_fini(&section->entries[i].value);
    }
    free(section->entries);
    free(section->name);
}

void document_fini(struct document *document)
{
    for (size_t i = 0; i < document->count; i++)
        section_fini(&document->sections[i]);
    for (size_t i = 0; i < document->file_count; i++)
        free(document->files[i]);
    free(document->sections);
    free(document->files);
    *document = (struct document){0};
}

/* Keeps a copy of path, which sections borrow; NULL without memory. */
static const char *add_file(struct document *document, const char *path)
{
    char **files = realloc(document->files, (document->file_count + 1) * sizeof(*files));
    char *copy = strdup(path);

    if (files)
        document->files = files;
    if (!files || !copy) {
        document->problems->is_out_of_memory = true;
        free(copy);
        return NULL;
    }
    files[document->file_count++] = copy;
    return copy;
}

void document_parse(struct document *document, const char *path, struct span bytes, bool is_open)
{
    static const uint8_t byte_order_mark[] = {0xef, 0xbb, 0xbf};
    const char *file = add_file(document, path);

    if (!file)
        return;
    if (bytes.len >= sizeof(byte_order_mark) &&
        memcmp(bytes.ptr, byte_order_mark, sizeof(byte_order_mark)) == 0)
        bytes = span_of(bytes.ptr + sizeof(byte_order_mark), bytes.len - sizeof(byte_order_mark));

    struct lines lines = {
        .document = document,
        .file = file,
        .is_open = is_open,
        .left = bytes,
    };
    /*
     * What libinih could not parse was reported line by line; only -2, no memory, is news. It
     * stops early where the host has set its option for that; every round takes a line off.
     */
    int outcome = 0;
    do
        outcome = ini_parse_stream(lines_read, &lines, lines_take_pair, &lines);
    while (outcome != -2 && (lines.left.len > 0 || lines.is_expecting));
    if (outcome == -2)
        document->problems->is_out_of_memory = true;
}

static enum sca_status read_all(int fd, struct buf *bytes)
{
    uint8_t chunk[4096];
    enum sca_status st = SCA_OK;

    while (st == SCA_OK) {
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        st = got < 0 ? SCA_IO : buf_append(bytes, span_of(chunk, (size_t)got));
    }
    secret_wipe(chunk, sizeof(chunk));
    return st;
}

bool document_read(struct document *document, const char *path)
{
    AUTO(fd_closep) int fd = -1;
    AUTO(buf_fini) struct buf bytes;
    struct stat info;
    const char *why = NULL;

    buf_init(&bytes, DOCUMENT_FILE_MAX, true);
    enum sca_status st = file_open_trusted(path, FILE_NOT_WRITABLE_BY_OTHERS, &fd, &why);
    if (st == SCA_NOT_FOUND)
        return false;
    if (st == SCA_OK) {
        why = wording("cannot be read");
        st = fstat(fd, &info) == 0 ? read_all(fd, &bytes) : SCA_IO;
    }
    if (st == SCA_OK)
        document_parse(document, path, buf_span(&bytes), (info.st_mode & (S_IRGRP | S_IROTH)) != 0);
    else if (st == SCA_NOMEM)
        document->problems->is_out_of_memory = true;
    else
        problems_add(document->problems, path, 0, "the file is not used: %s",
                     st == SCA_PROTOCOL ? wording("it is larger than 1 MiB; divide it") : why);
    return true;
}
