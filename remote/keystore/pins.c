/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/pins.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/log.h"
#include "remote/keystore/durable.h"

/* The file, in the byte order of this computer. */
struct image {
    char magic[8];
    uint32_t byte_order;
    uint32_t version;
    uint8_t epoch[WRAP_ID_SIZE];
    uint32_t wrong[PINS_USERS];
    uint8_t digest[CRYPT_DIGEST_SIZE]; /* of all before it */
};

static const struct image blank = {.magic = "SCAPINS", .byte_order = 0x01020304, .version = 1};

_Static_assert(sizeof(struct image) == 16 + WRAP_ID_SIZE + 4 * PINS_USERS + CRYPT_DIGEST_SIZE,
               "no padding");

static enum sca_status digest_of(const struct image *image, uint8_t *ret_digest)
{
    const struct span checked = span_of(image, offsetof(struct image, digest));
    return crypt_digest(&checked, 1, ret_digest);
}

static enum sca_status check(struct span bytes, struct image *ret_image)
{
    uint8_t digest[CRYPT_DIGEST_SIZE];

    if (bytes.len != sizeof(*ret_image))
        return SCA_INVALID;
    memcpy(ret_image, bytes.ptr, sizeof(*ret_image));
    enum sca_status st = digest_of(ret_image, digest);
    if (st != SCA_OK)
        return st;
    bool is_sound = memcmp(digest, ret_image->digest, sizeof(digest)) == 0 &&
                    memcmp(ret_image, &blank, offsetof(struct image, epoch)) == 0;
    return is_sound ? SCA_OK : SCA_INVALID;
}

/* SCA_INVALID for whatever is not a sound file of counters. */
static enum sca_status load(const struct pins *pins, struct image *ret_image)
{
    enum { TRUST = FILE_NOT_WRITABLE_BY_OTHERS | FILE_NOT_A_LINK };
    AUTO(freep) char *path = path_join(pins->dir, pins->name);
    AUTO(buf_fini) struct buf bytes;
    const char *why = NULL;

    buf_init(&bytes, 0, false);
    if (!path)
        return SCA_NOMEM;
    enum sca_status st = file_read_trusted(path, TRUST, sizeof(*ret_image), false, &bytes, &why);
    return st == SCA_OK ? check(buf_span(&bytes), ret_image) : st;
}

enum sca_status pins_read(const struct pins *pins, struct pins_counts *ret_counts)
{
    struct pins_counts counts = {{0}};
    struct image image;

    enum sca_status st = load(pins, &image);
    if (st != SCA_OK && st != SCA_NOT_FOUND && st != SCA_INVALID)
        return st;
    for (int i = 0; i < PINS_USERS; i++)
        if (st == SCA_INVALID)
            counts.wrong[i] = PINS_TRIES - 1;
        else if (st == SCA_OK && memcmp(image.epoch, pins->epoch, WRAP_ID_SIZE) == 0)
            counts.wrong[i] = image.wrong[i] < PINS_TRIES ? image.wrong[i] : PINS_TRIES;
    *ret_counts = counts;
    return SCA_OK;
}

enum sca_status pins_write(const struct pins *pins, const struct pins_counts *counts)
{
    struct image image = blank;
    struct durable_file file = {
        .dir = pins->dir, .name = pins->name, .bytes = span_of(&image, sizeof(image))};

    memcpy(image.epoch, pins->epoch, sizeof(image.epoch));
    for (int i = 0; i < PINS_USERS; i++)
        image.wrong[i] = counts->wrong[i];
    enum sca_status st = digest_of(&image, image.digest);
    return st == SCA_OK ? durable_replace(&file) : st;
}

/* A disk without room for new counters has them all forgotten by removing the old: not where the
 * other user's wrong PINs would be forgotten, too. */
static bool can_forget(const struct pins *pins, const struct pins_counts *after)
{
    for (int i = 0; i < PINS_USERS; i++)
        if (after->wrong[i])
            return false;
    return file_remove(pins->dir, pins->name) == SCA_OK;
}

/* counts->wrong[user] is what it was before this try. */
static enum sca_status try_counted(const struct pins_door *door, const struct secret *pin,
                                   const struct pins_counts *counts, struct secret **ret_key)
{
    unsigned user = door->place.user;
    struct pins_counts after = *counts;

    after.wrong[user]++;
    enum sca_status st = pins_write(&door->pins, &after);
    if (st != SCA_OK)
        return st;
    st = wrap_open(&door->place, pin, door->wrap, ret_key);
    if (st == SCA_USER_AUTH)
        return st;
    /* Right, or not tried at all for want of memory. */
    after.wrong[user] = st == SCA_OK ? 0 : counts->wrong[user];
    if (pins_write(&door->pins, &after) != SCA_OK && !can_forget(&door->pins, &after))
        log_line(LOG_LEVEL_WARNING, "%s/%s cannot be written: a try too many stays counted",
                 door->pins.dir, door->pins.name);
    return st;
}

enum sca_status pins_try(const struct pins_door *door, const struct secret *pin,
                         struct pin_memory *memory, struct secret **ret_key)
{
    uint8_t fingerprint[PIN_MEMORY_SIZE];
    struct pins_counts counts;

    if (!wrap_is_there(door->wrap))
        return SCA_NOT_FOUND;
    enum sca_status st = pins_read(&door->pins, &counts);
    if (st == SCA_OK && counts.wrong[door->place.user] >= PINS_TRIES)
        st = SCA_PIN_LOCKED;
    if (st == SCA_OK)
        st = pin_memory_fingerprint(span_of(door->wrap->salt, sizeof(door->wrap->salt)),
                                    door->place.user, pin, fingerprint);
    if (st == SCA_OK)
        st = pin_memory_ask(memory, fingerprint);
    if (st != SCA_OK)
        return st;

    st = try_counted(door, pin, &counts, ret_key);
    if (st == SCA_USER_AUTH)
        pin_memory_keep(memory, fingerprint);
    else if (st == SCA_OK)
        pin_memory_forget(memory);
    secret_wipe(fingerprint, sizeof(fingerprint));
    return st;
}
