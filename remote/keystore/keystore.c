/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens made, made anew, and asked what they are. */
#include "remote/keystore/keystore.h"

#include <string.h>
#include <sys/stat.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/keystore/seal.h"
#include "remote/keystore/trial.h"
#include "remote/keystore/update.h"

enum sca_status keystore_new_name(char ret_name[static KEYSTORE_NAME_SIZE])
{
    uint8_t bytes[WRAP_ID_SIZE];

    enum sca_status st = crypt_random(bytes, sizeof(bytes));
    if (st == SCA_OK)
        hex_encode(span_of(bytes, sizeof(bytes)), ret_name);
    return st;
}

static enum sca_status put_label(struct tokenfile_head *head, struct span label)
{
    AUTO(freep) char *text = strndup(label.len ? (const char *)label.ptr : "", label.len);

    if (!text)
        return SCA_NOMEM;
    if (!utf8_is_valid(label) || strlen(text) != label.len)
        return SCA_INVALID;
    memset(head->label, 0, sizeof(head->label));
    memcpy(head->label, text, utf8_cut(text, sizeof(head->label)));
    return SCA_OK;
}

static enum sca_status put_serial(struct tokenfile_head *head)
{
    uint8_t bytes[(KEYSTORE_SERIAL_SIZE - 1) / 2];
    char text[KEYSTORE_SERIAL_SIZE];

    enum sca_status st = crypt_random(bytes, sizeof(bytes));
    if (st != SCA_OK)
        return st;
    hex_encode(span_of(bytes, sizeof(bytes)), text);
    memcpy(head->serial, text, sizeof(head->serial));
    return SCA_OK;
}

static enum sca_status make_master_key(struct secret **ret_master_key)
{
    uint8_t bytes[CRYPT_KEY_SIZE];

    enum sca_status st = crypt_random(bytes, sizeof(bytes));
    if (st == SCA_OK)
        st = secret_new(span_of(bytes, sizeof(bytes)), ret_master_key);
    secret_wipe(bytes, sizeof(bytes));
    return st;
}

/* A new epoch: another master key, under the SO PIN only, and nothing sealed with it. */
static enum sca_status begin_epoch(struct tokenfile_head *head, const struct secret *so_pin,
                                   unsigned cost)
{
    AUTO(secret_freep) struct secret *master_key = NULL;
    AUTO(seal_freep) struct seal *seal = NULL;

    memset(head->wraps, 0, sizeof(head->wraps));
    enum sca_status st = crypt_random(head->epoch, sizeof(head->epoch));
    if (st == SCA_OK)
        st = make_master_key(&master_key);
    if (st == SCA_OK)
        st = trial_wrap(head, KEYSTORE_SO, master_key, so_pin, cost);
    if (st == SCA_OK)
        st = seal_key_check(head, master_key, head->key_check);
    if (st == SCA_OK)
        st = seal_new(head, master_key, &seal);
    return st == SCA_OK ? seal_manifest(seal, span_of(NULL, 0), head->manifest) : st;
}

static enum sca_status check_arguments(struct call *call, const struct secret *so_pin,
                                       unsigned cost)
{
    if (!trial_is_pin(so_pin))
        return call_fail(call, SCA_INVALID, "a PIN has 6 to 64 bytes");
    if (cost < CRYPT_COST_MIN || cost > CRYPT_COST_MAX)
        return call_fail(call, SCA_INVALID, "the cost of a PIN is from 10 to 20");
    return SCA_OK;
}

static enum sca_status prepare_dir(const struct shelf *shelf, struct call *call)
{
    const char *why = NULL;

    enum sca_status st = dir_ensure_private(shelf->dir);
    if (st == SCA_IO)
        return call_fail(call, st, "%s cannot be made, or is not yours", shelf->dir);
    if (st == SCA_OK)
        st = shelf_check_dir(shelf->dir, &why);
    return shelf_fail(shelf, call, st, why);
}

enum sca_status keystore_create(const struct keystore *keystore, struct call *call,
                                const struct secret *so_pin, struct span label, uint32_t slot_id,
                                unsigned cost)
{
    AUTO(shelf_fini) struct shelf shelf = {.dir = NULL};
    AUTO(update_fini) struct update update = {.turn = -1};
    AUTO(tokenfile_writer_fini) struct tokenfile_writer writer;
    struct tokenfile_head head = {
        .magic = {0},
        .byte_order = TOKENFILE_BYTE_ORDER,
        .version = TOKENFILE_VERSION,
        .slot_id = slot_id,
        .next_number = 1,
        .generation = 1,
    };
    const char *why = NULL;

    tokenfile_writer_init(&writer, &head);
    enum sca_status st = check_arguments(call, so_pin, cost);
    if (st == SCA_OK)
        st = shelf_fail(&shelf, call, shelf_init(&shelf, keystore, &why), why);
    if (st == SCA_OK)
        st = prepare_dir(&shelf, call);
    memcpy(head.magic, TOKENFILE_MAGIC, sizeof(head.magic));
    memcpy(head.token_id, shelf.token_id, sizeof(head.token_id));
    if (st == SCA_OK)
        st = put_label(&head, label);
    if (st == SCA_OK)
        st = put_serial(&head);
    if (st == SCA_OK)
        st = begin_epoch(&head, so_pin, cost);
    if (st == SCA_OK)
        st = update_begin_new(&shelf, call, &update);
    writer.head = head;
    return st == SCA_OK ? update_save(&update, &writer, UPDATE_KEEPS_OLD) : st;
}

/* The SO PIN is right: everything else goes. Numbers go on, so that no object of the new token is
 * ever taken for one of the old. */
static enum sca_status start_anew(const struct trial *trial, struct call *call,
                                  const struct tokenfile_head *fresh)
{
    AUTO(update_fini) struct update update = {.turn = -1};
    AUTO(tokenfile_writer_fini) struct tokenfile_writer writer;

    tokenfile_writer_init(&writer, fresh);
    enum sca_status st = update_begin(&trial->shelf, call, &update);
    if (st != SCA_OK)
        return st;
    if (memcmp(update.head.epoch, trial->head.epoch, sizeof(update.head.epoch)) != 0)
        return SCA_GONE;
    writer.head.generation = update.head.generation;
    writer.head.next_number = update.head.next_number;
    return update_save(&update, &writer, UPDATE_KEEPS_OLD);
}

enum sca_status keystore_reset(const struct keystore *keystore, struct call *call,
                               const struct secret *so_pin, struct span label, unsigned cost)
{
    AUTO(trial_fini) struct trial trial = {.turn = -1};
    AUTO(secret_freep) struct secret *master_key = NULL;
    struct pin_memory memory = {.is_set = false};
    struct tokenfile_head fresh;

    enum sca_status st = check_arguments(call, so_pin, cost);
    if (st == SCA_OK)
        st = trial_begin(keystore, call, &trial);
    if (st != SCA_OK)
        return st;
    fresh = trial.head;
    st = put_label(&fresh, label);
    if (st == SCA_OK)
        st = put_serial(&fresh);
    if (st == SCA_OK)
        st = trial_try(&trial, KEYSTORE_SO, so_pin, &memory, &master_key);
    if (st == SCA_OK)
        st = begin_epoch(&fresh, so_pin, cost);
    return st == SCA_OK ? start_anew(&trial, call, &fresh) : st;
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
        *why = "its counters of wrong PINs cannot be read";
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
