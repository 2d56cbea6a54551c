/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens made, and made anew. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/keystore/seal.h"
#include "remote/keystore/trial.h"
#include "remote/keystore/update.h"

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

/* A new epoch: another master key, under that one PIN only, and nothing sealed with it. */
static enum sca_status begin_epoch(struct tokenfile_head *head, enum keystore_user user,
                                   const struct secret *pin, unsigned cost, struct seal **ret_seal)
{
    AUTO(secret_freep) struct secret *master_key = NULL;
    AUTO(seal_freep) struct seal *seal = NULL;

    memset(head->wraps, 0, sizeof(head->wraps));
    enum sca_status st = crypt_random(head->epoch, sizeof(head->epoch));
    if (st == SCA_OK)
        st = make_master_key(&master_key);
    if (st == SCA_OK)
        st = trial_wrap(head, user, master_key, pin, cost);
    if (st == SCA_OK)
        st = seal_key_check(head, master_key, head->key_check);
    if (st == SCA_OK)
        st = seal_new(head, master_key, &seal);
    if (st == SCA_OK)
        st = seal_manifest(seal, span_of(NULL, 0), head->manifest);
    if (st == SCA_OK)
        *ret_seal = TAKE(seal);
    return st;
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

/* What a new token is to be, besides what is in it. */
struct wish {
    const struct secret *pin;
    struct span label;
    uint32_t slot_id;
    unsigned cost;
};

static enum sca_status new_head(const struct shelf *shelf, const struct wish *wish,
                                struct tokenfile_head *head)
{
    *head = (struct tokenfile_head){
        .byte_order = TOKENFILE_BYTE_ORDER,
        .version = TOKENFILE_VERSION,
        .slot_id = wish->slot_id,
        .next_number = 1,
        .generation = 1,
    };
    memcpy(head->magic, TOKENFILE_MAGIC, sizeof(head->magic));
    memcpy(head->token_id, shelf->token_id, sizeof(head->token_id));
    enum sca_status st = put_label(head, wish->label);
    return st == SCA_OK ? put_serial(head) : st;
}

/* The place where a token is to be, checked; and all of its head but the PIN. */
static enum sca_status begin_new(const struct keystore *keystore, struct call *call,
                                 const struct wish *wish, struct shelf *shelf,
                                 struct tokenfile_head *head)
{
    const char *why = NULL;

    enum sca_status st = check_arguments(call, wish->pin, wish->cost);
    if (st == SCA_OK)
        st = shelf_fail(shelf, call, shelf_init(shelf, keystore, &why), why);
    if (st == SCA_OK)
        st = prepare_dir(shelf, call);
    return st == SCA_OK ? new_head(shelf, wish, head) : st;
}

enum sca_status keystore_create(const struct keystore *keystore, struct call *call,
                                const struct secret *so_pin, struct span label, uint32_t slot_id,
                                unsigned cost)
{
    const struct wish wish = {.pin = so_pin, .label = label, .slot_id = slot_id, .cost = cost};
    AUTO(shelf_fini) struct shelf shelf = {.dir = NULL};
    AUTO(update_fini) struct update update = {.turn = -1};
    AUTO(tokenfile_writer_fini) struct tokenfile_writer writer;
    AUTO(seal_freep) struct seal *seal = NULL;
    struct tokenfile_head head;

    tokenfile_writer_init(&writer, &(struct tokenfile_head){.version = 0});
    enum sca_status st = begin_new(keystore, call, &wish, &shelf, &head);
    if (st == SCA_OK)
        st = begin_epoch(&head, KEYSTORE_SO, so_pin, cost, &seal);
    if (st == SCA_OK)
        st = update_begin_new(&shelf, call, &update);
    if (st != SCA_OK)
        return st;
    writer.head = head;
    return update_save(&update, &writer, UPDATE_KEEPS_OLD);
}

static enum sca_status put_objects(struct seal *seal, const struct keystore_object *objects,
                                   size_t count, struct tokenfile_writer *writer)
{
    enum sca_status st = SCA_OK;

    for (size_t i = 0; st == SCA_OK && i < count; i++)
        st = update_put(seal, writer, writer->head.next_number++, &objects[i]);
    return st == SCA_OK ? seal_manifest(seal, buf_span(&writer->records), writer->head.manifest)
                        : st;
}

enum sca_status keystore_replace(const struct keystore *keystore, struct call *call,
                                 const struct secret *pin, unsigned cost,
                                 const struct keystore_object *objects, size_t count)
{
    const struct wish wish = {.pin = pin, .cost = cost};
    AUTO(shelf_fini) struct shelf shelf = {.dir = NULL};
    AUTO(update_fini) struct update update = {.turn = -1};
    AUTO(tokenfile_writer_fini) struct tokenfile_writer writer;
    AUTO(seal_freep) struct seal *seal = NULL;
    struct tokenfile_head head;

    tokenfile_writer_init(&writer, &(struct tokenfile_head){.version = 0});
    enum sca_status st = begin_new(keystore, call, &wish, &shelf, &head);
    if (st == SCA_OK)
        st = begin_epoch(&head, KEYSTORE_USER, pin, cost, &seal);
    if (st != SCA_OK)
        return st;
    writer.head = head;
    st = put_objects(seal, objects, count, &writer);
    if (st == SCA_OK)
        st = update_begin_over(&shelf, call, &update);
    return st == SCA_OK ? update_save(&update, &writer, UPDATE_REPLACES_OLD) : st;
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
    AUTO(seal_freep) struct seal *seal = NULL;
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
        st = begin_epoch(&fresh, KEYSTORE_SO, so_pin, cost, &seal);
    return st == SCA_OK ? start_anew(&trial, call, &fresh) : st;
}
