/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/trial.h"

#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/keystore/seal.h"
#include "remote/keystore/turn.h"
#include "remote/keystore/update.h"

enum { WAIT_MS = 60000 };

_Static_assert((int)KEYSTORE_PIN_TRIES == (int)PINS_TRIES, "one number of tries");
_Static_assert((int)TOKENFILE_USERS == (int)PINS_USERS, "one counter per wrap");

bool trial_is_pin(const struct secret *pin)
{
    size_t len = secret_get(pin).len;
    return len >= KEYSTORE_PIN_MIN && len <= KEYSTORE_PIN_MAX;
}

static struct wrap_place place_of(const struct tokenfile_head *head, enum keystore_user user)
{
    struct wrap_place place = {
        .magic = {0},
        .version = head->version,
        .user = (uint32_t)user,
    };
    memcpy(place.magic, head->magic, sizeof(place.magic));
    memcpy(place.owner, head->token_id, sizeof(place.owner));
    memcpy(place.epoch, head->epoch, sizeof(place.epoch));
    return place;
}

void trial_fini(struct trial *trial)
{
    turn_endp(&trial->turn);
    shelf_fini(&trial->shelf);
}

enum sca_status trial_begin(const struct keystore *keystore, struct call *call, struct trial *trial)
{
    struct shelf *shelf = &trial->shelf;
    const char *why = NULL;

    enum sca_status st = shelf_init(shelf, keystore, &why);
    /* Not for a token that is not there: the lock would stay behind. */
    if (st == SCA_OK)
        st = shelf_read_head(shelf, &trial->head, &why);
    if (st == SCA_OK)
        st = turn_take(shelf->dir, shelf->login, call, WAIT_MS, &trial->turn);
    if (st == SCA_OK)
        st = shelf_read_head(shelf, &trial->head, &why);
    return shelf_fail(shelf, call, st, why);
}

enum sca_status trial_try(const struct trial *trial, enum keystore_user user,
                          const struct secret *pin, struct pin_memory *memory,
                          struct secret **ret_master_key)
{
    const struct pins_door door = {
        .pins = shelf_pins(&trial->shelf, &trial->head),
        .place = place_of(&trial->head, user),
        .wrap = &trial->head.wraps[user],
    };
    return pins_try(&door, pin, memory, ret_master_key);
}

enum sca_status trial_wrap(struct tokenfile_head *head, enum keystore_user user,
                           const struct secret *master_key, const struct secret *pin, unsigned cost)
{
    struct wrap_place place = place_of(head, user);
    return wrap_make(&place, pin, master_key, cost, &head->wraps[user]);
}

enum sca_status keystore_login(const struct keystore *keystore, struct call *call,
                               enum keystore_user user, const struct secret *pin,
                               struct pin_memory *memory, struct secret **ret_master_key)
{
    AUTO(trial_fini) struct trial trial = {.turn = -1};

    if (secret_get(pin).len == 0)
        return SCA_INVALID;
    enum sca_status st = trial_begin(keystore, call, &trial);
    return st == SCA_OK ? trial_try(&trial, user, pin, memory, ret_master_key) : st;
}

/* Puts the wrap of trial->head into the file; objects stay as they are. */
static enum sca_status save_wrap(const struct trial *trial, struct call *call,
                                 enum keystore_user user, const struct secret *master_key)
{
    AUTO(update_fini) struct update update = {.turn = -1};
    AUTO(tokenfile_writer_fini) struct tokenfile_writer writer;
    AUTO(seal_freep) struct seal *seal = NULL;
    const char *why = NULL;

    tokenfile_writer_init(&writer, &trial->head);
    enum sca_status st = update_begin(&trial->shelf, call, &update);
    if (st != SCA_OK)
        return st;
    st = seal_new(&update.head, master_key, &seal);
    if (st == SCA_OK)
        st = seal_verify(seal, &update.old.file, &why);
    if (st != SCA_OK)
        return shelf_fail(&trial->shelf, call, st, why);
    writer.head = update.head;
    writer.head.wraps[user] = trial->head.wraps[user];
    st = tokenfile_writer_add_all(&writer, &update.old.file);
    return st == SCA_OK ? update_save(&update, &writer, UPDATE_REPLACES_OLD) : st;
}

enum sca_status keystore_init_pin(const struct keystore *keystore, struct call *call,
                                  const struct secret *master_key, const struct secret *pin,
                                  unsigned cost)
{
    AUTO(trial_fini) struct trial trial = {.turn = -1};
    AUTO(seal_freep) struct seal *seal = NULL;
    struct pins_counts counts;

    if (!trial_is_pin(pin))
        return call_fail(call, SCA_INVALID, "a PIN has 6 to 64 bytes");
    enum sca_status st = trial_begin(keystore, call, &trial);
    if (st == SCA_OK)
        st = seal_new(&trial.head, master_key, &seal);
    if (st == SCA_OK)
        st = trial_wrap(&trial.head, KEYSTORE_USER, master_key, pin, cost);
    if (st == SCA_OK)
        st = save_wrap(&trial, call, KEYSTORE_USER, master_key);

    /* Last: tries that a crash gives away would be for the old PIN. */
    struct pins pins = shelf_pins(&trial.shelf, &trial.head);
    if (st == SCA_OK)
        st = pins_read(&pins, &counts);
    if (st != SCA_OK || counts.wrong[KEYSTORE_USER] == 0)
        return st;
    counts.wrong[KEYSTORE_USER] = 0;
    return pins_write(&pins, &counts);
}

enum sca_status keystore_set_pin(const struct keystore *keystore, struct call *call,
                                 enum keystore_user user, const struct secret *old_pin,
                                 const struct secret *new_pin, struct pin_memory *memory,
                                 unsigned cost)
{
    AUTO(trial_fini) struct trial trial = {.turn = -1};
    AUTO(secret_freep) struct secret *master_key = NULL;

    if (!trial_is_pin(new_pin) || secret_get(old_pin).len == 0)
        return call_fail(call, SCA_INVALID, "a PIN has 6 to 64 bytes");
    enum sca_status st = trial_begin(keystore, call, &trial);
    if (st == SCA_OK)
        st = trial_try(&trial, user, old_pin, memory, &master_key);
    if (st == SCA_OK)
        st = trial_wrap(&trial.head, user, master_key, new_pin, cost);
    return st == SCA_OK ? save_wrap(&trial, call, user, master_key) : st;
}
