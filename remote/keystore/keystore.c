/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens named, and asked what they are. */
#include "remote/keystore/keystore.h"

#include <string.h>
#include <sys/stat.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/wording.h"
#include "remote/keystore/shelf.h"

enum sca_status keystore_new_name(char ret_name[static KEYSTORE_NAME_SIZE])
{
    uint8_t bytes[WRAP_ID_SIZE];

    enum sca_status st = crypt_random(bytes, sizeof(bytes));
    if (st == SCA_OK)
        hex_encode(span_of(bytes, sizeof(bytes)), ret_name);
    return st;
}

enum sca_status keystore_info(const struct keystore *keystore, struct keystore_info *ret_info,
                              const char **why)
{
    AUTO(shelf_fini) struct shelf shelf = {.dir = NULL};
    struct keystore_info info = {.slot_id = 0};
    struct tokenfile_head head;
    struct pins_counts counts;

    *why = NULL;
    enum sca_status st = shelf_init(&shelf, keystore, why);
    if (st == SCA_OK)
        st = shelf_read_head(&shelf, &head, why);
    if (st != SCA_OK)
        return st;
    struct pins pins = shelf_pins(&shelf, &head);
    st = pins_read(&pins, &counts);
    if (st != SCA_OK) {
        *why = wording("its counters of wrong PINs cannot be read");
        return st;
    }
    memcpy(info.serial, head.serial, sizeof(head.serial));
    memcpy(info.label, head.label, sizeof(head.label));
    info.slot_id = head.slot_id;
    info.has_user_pin = wrap_is_there(&head.wraps[KEYSTORE_USER]);
    info.wrong_user_pins = counts.wrong[KEYSTORE_USER];
    info.wrong_so_pins = counts.wrong[KEYSTORE_SO];
    info.generation = head.generation;
    *ret_info = info;
    return SCA_OK;
}

/* A bijection of 64 bits that spreads them all. */
static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 32;
}

uint64_t keystore_stamp(const struct keystore *keystore)
{
    AUTO(shelf_fini) struct shelf shelf = {.dir = NULL};
    const char *why = NULL;
    struct stat info;

    if (shelf_init(&shelf, keystore, &why) != SCA_OK)
        return 0;
    AUTO(freep) char *path = path_join(shelf.dir, shelf.token);
    if (!path || lstat(path, &info) != 0)
        return 0;
    uint64_t sum = mix((uint64_t)info.st_dev, info.st_ino);
    sum = mix(sum, (uint64_t)info.st_mtim.tv_sec);
    sum = mix(sum, (uint64_t)info.st_mtim.tv_nsec);
    sum = mix(sum, (uint64_t)info.st_size);
    return sum ? sum : 1;
}
