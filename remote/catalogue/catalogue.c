/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/catalogue/catalogue.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/wording.h"
#include "remote/catalogue/body.h"
#include "remote/catalogue/image.h"
#include "remote/catalogue/mapping.h"

/* Immutable but for is_checked, so that several threads may read it without a lock. */
struct catalogue {
    struct span bytes; /* mapped */
    struct image image;
    atomic_bool *is_checked; /* one per record: its body agreed with its checksum */
};

enum sca_status mapping_open(const char *state_dir, struct span *ret_bytes, const char **why)
{
    AUTO(freep) char *path = path_join(state_dir, CATALOGUE_FILE);
    AUTO(fd_closep) int fd = -1;
    struct stat info;

    *why = wording("no memory");
    if (!path)
        return SCA_NOMEM;
    enum sca_status st = file_open_trusted(
        path, FILE_NOT_WRITABLE_BY_OTHERS | FILE_NOT_READABLE_BY_OTHERS, &fd, why);
    if (st != SCA_OK) {
        *ret_bytes = span_of(NULL, 0);
        return st == SCA_NOT_FOUND ? SCA_OK : st == SCA_NOMEM ? st : SCA_IO;
    }
    *why = wording("it cannot be read");
    if (fstat(fd, &info) != 0)
        return SCA_IO;
    *why = wording("it is empty, or larger than any catalogue");
    if (info.st_size <= 0 || info.st_size > IMAGE_FILE_MAX)
        return SCA_INVALID;
    void *ptr = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    *why = wording("it cannot be mapped");
    if (ptr == MAP_FAILED)
        return errno == ENOMEM ? SCA_NOMEM : SCA_IO;
    *why = NULL;
    *ret_bytes = span_of(ptr, (size_t)info.st_size);
    return SCA_OK;
}

void mapping_fini(struct span *bytes)
{
    if (bytes->ptr)
        (void)munmap((void *)(uintptr_t)bytes->ptr, bytes->len);
    *bytes = span_of(NULL, 0);
}

enum sca_status catalogue_open(const char *state_dir, struct catalogue **ret_catalogue,
                               const char **why)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = calloc(1, sizeof(*catalogue));

    *why = wording("no memory");
    if (!catalogue)
        return SCA_NOMEM;
    enum sca_status st = mapping_open(state_dir, &catalogue->bytes, why);
    if (st == SCA_OK && catalogue->bytes.len)
        st = image_check(catalogue->bytes, &catalogue->image, why);
    if (st != SCA_OK)
        return st;

    const struct image_header *header = &catalogue->image.header;
    catalogue->is_checked = calloc((size_t)header->entry_count + header->shared_count + 1,
                                   sizeof(*catalogue->is_checked));
    if (!catalogue->is_checked)
        return SCA_NOMEM;
    *why = NULL;
    *ret_catalogue = TAKE(catalogue);
    return SCA_OK;
}

void catalogue_close(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    mapping_fini(&catalogue->bytes);
    free(catalogue->is_checked);
    free(catalogue);
}

void catalogue_closep(struct catalogue **catalogue)
{
    catalogue_close(*catalogue);
    *catalogue = NULL;
}

struct identity catalogue_identity(const struct catalogue_entry *entry)
{
    return (struct identity){.url = entry->url, .user_id = entry->user_id};
}

size_t catalogue_count(const struct catalogue *catalogue)
{
    return catalogue->image.header.entry_count;
}

uint32_t catalogue_spare_slot_id(const struct catalogue *catalogue)
{
    return catalogue->image.header.spare_slot_id;
}

/* The body of record number index, compared with its checksum the first time it is asked for. */
static enum sca_status intact_body(const struct catalogue *catalogue, size_t index,
                                   struct image_record *ret_record, struct span *ret_body)
{
    const struct image *image = &catalogue->image;
    struct image_record record = image_record(image, index);

    if (!atomic_load_explicit(&catalogue->is_checked[index], memory_order_relaxed)) {
        if (!image_body_is_intact(image, &record))
            return SCA_INVALID;
        atomic_store_explicit(&catalogue->is_checked[index], true, memory_order_relaxed);
    }
    *ret_record = record;
    *ret_body = image_body(image, &record);
    return SCA_OK;
}

static enum sca_status get_shared(const struct catalogue *catalogue, uint32_t number,
                                  struct certificate *ret_certificate)
{
    const struct image_header *header = &catalogue->image.header;
    struct image_record record;
    struct span body;

    if (number >= header->shared_count)
        return SCA_INVALID;
    enum sca_status st =
        intact_body(catalogue, (size_t)header->entry_count + number, &record, &body);
    return st == SCA_OK ? body_get_certificate(body, ret_certificate) : st;
}

enum sca_status catalogue_get(const struct catalogue *catalogue, size_t index,
                              struct catalogue_entry *ret_entry)
{
    uint32_t shared[CATALOGUE_CHAIN_MAX] = {0};
    struct catalogue_entry entry;
    struct image_record record;
    struct span body;

    if (index >= catalogue_count(catalogue))
        return SCA_INVALID;
    enum sca_status st = intact_body(catalogue, index, &record, &body);
    if (st == SCA_OK)
        st = catalogue->image.header.version == IMAGE_VERSION_PLAIN
                 ? body_get_plain_entry(body, &entry, shared)
                 : body_get_entry(body, &entry, shared);
    if (st != SCA_OK)
        return st;
    entry.slot_id = record.slot_id;
    for (size_t i = 0; st == SCA_OK && i < entry.chain_len; i++)
        st = get_shared(catalogue, shared[i], &entry.chain[i]);
    if (st == SCA_OK)
        *ret_entry = entry;
    return st;
}
