/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/fake_disk.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "module/token/blueprint.h"
#include "remote/base/cleanup.h"
#include "tests/module/fake_backends.h"

enum { ROOM = 64, PIN_ROOM = 64 };

struct pin {
    char text[PIN_ROOM + 1];
    bool is_set;
};

/* key: PKCS#8 of a private key, or NULL. */
struct stored {
    struct object *object;
    struct secret *key;
};

struct disk_token {
    struct token base;
    pthread_mutex_t mutex; /* guards the rest */
    struct pin pins[2];    /* by enum token_user */
    unsigned wrong[2];
    bool is_logged_in[2];
    bool is_initialized;
    char label[33];
    struct stored objects[ROOM];
    unsigned last_number;
};

static atomic_uint writes;
static atomic_uint loads;
static atomic_uint stamp;
static atomic_int failing;

void fake_disk_fail(enum sca_status status)
{
    atomic_store(&failing, status);
}

unsigned fake_disk_writes(void)
{
    return atomic_load(&writes);
}

unsigned fake_disk_loads(void)
{
    return atomic_load(&loads);
}

void fake_disk_touch(void)
{
    atomic_fetch_add(&stamp, 1);
}

void fake_disk_reset(void)
{
    atomic_store(&failing, SCA_OK);
    atomic_store(&writes, 0);
    atomic_store(&loads, 0);
}

static void set_pin(struct disk_token *token, enum token_user user, const struct secret *pin)
{
    struct span text = secret_get(pin);
    memcpy(token->pins[user].text, text.ptr, text.len);
    token->pins[user].text[text.len] = 0;
    token->pins[user].is_set = true;
    token->wrong[user] = 0;
}

/* With the mutex held. */
static enum sca_status try_pin(struct disk_token *token, enum token_user user,
                               const struct secret *pin)
{
    if (!token->pins[user].is_set)
        return SCA_NOT_FOUND;
    if (token->wrong[user] >= TOKEN_PIN_TRIES)
        return SCA_PIN_LOCKED;
    if (span_equal(secret_get(pin), span_text(token->pins[user].text))) {
        token->wrong[user] = 0;
        return SCA_OK;
    }
    token->wrong[user]++;
    return SCA_USER_AUTH;
}

static void drop(struct stored *stored)
{
    object_unref(stored->object);
    secret_free(stored->key);
    *stored = (struct stored){.object = NULL};
}

static enum sca_status disk_list(struct token *base, struct object_sink *sink)
{
    struct disk_token *token = (struct disk_token *)base;
    enum sca_status st = SCA_OK;

    pthread_mutex_lock(&token->mutex);
    for (int i = 0; i < ROOM && st == SCA_OK; i++) {
        const struct object *object = token->objects[i].object;
        if (!object || (object->is_private && !token->is_logged_in[TOKEN_USER]))
            continue;
        st = sink->add(sink, object->number, object->is_private, object->attributes, object->count);
    }
    pthread_mutex_unlock(&token->mutex);
    return st;
}

static enum sca_status disk_login(struct token *base, struct call *call, enum token_user user,
                                  const struct secret *pin)
{
    struct disk_token *token = (struct disk_token *)base;
    (void)call;
    pthread_mutex_lock(&token->mutex);
    enum sca_status st = try_pin(token, user, pin);
    if (st == SCA_OK)
        token->is_logged_in[user] = true;
    pthread_mutex_unlock(&token->mutex);
    return st;
}

static void disk_logout(struct token *base)
{
    struct disk_token *token = (struct disk_token *)base;
    pthread_mutex_lock(&token->mutex);
    token->is_logged_in[TOKEN_USER] = false;
    token->is_logged_in[TOKEN_SO] = false;
    pthread_mutex_unlock(&token->mutex);
}

static void disk_free(struct token *base)
{
    struct disk_token *token = (struct disk_token *)base;
    for (int i = 0; i < ROOM; i++)
        drop(&token->objects[i]);
    pthread_mutex_destroy(&token->mutex);
    free(token);
}

static enum sca_status disk_state(struct token *base, struct token_state *ret_state)
{
    struct disk_token *token = (struct disk_token *)base;
    pthread_mutex_lock(&token->mutex);
    *ret_state = (struct token_state){
        .is_initialized = token->is_initialized,
        .has_user_pin = token->pins[TOKEN_USER].is_set,
        .wrong_user_pins = token->wrong[TOKEN_USER],
        .wrong_so_pins = token->wrong[TOKEN_SO],
        .serial = "0123456789abcdef",
    };
    memcpy(ret_state->label, token->label, sizeof(ret_state->label));
    pthread_mutex_unlock(&token->mutex);
    return SCA_OK;
}

static uint64_t disk_stamp(const struct token *base)
{
    (void)base;
    return atomic_load(&stamp);
}

static enum sca_status disk_init_token(struct token *base, struct call *call,
                                       const struct secret *so_pin, struct span label)
{
    struct disk_token *token = (struct disk_token *)base;
    (void)call;
    pthread_mutex_lock(&token->mutex);
    enum sca_status st = token->is_initialized ? try_pin(token, TOKEN_SO, so_pin) : SCA_OK;
    if (st == SCA_OK) {
        for (int i = 0; i < ROOM; i++)
            drop(&token->objects[i]);
        token->pins[TOKEN_USER].is_set = false;
        set_pin(token, TOKEN_SO, so_pin);
        memset(token->label, 0, sizeof(token->label));
        memcpy(token->label, label.ptr, label.len);
        token->is_initialized = true;
        base->is_spare = false;
    }
    pthread_mutex_unlock(&token->mutex);
    return st;
}

static enum sca_status disk_init_pin(struct token *base, struct call *call,
                                     const struct secret *pin)
{
    struct disk_token *token = (struct disk_token *)base;
    (void)call;
    pthread_mutex_lock(&token->mutex);
    set_pin(token, TOKEN_USER, pin);
    pthread_mutex_unlock(&token->mutex);
    return SCA_OK;
}

static enum sca_status disk_set_pin(struct token *base, struct call *call, enum token_user user,
                                    const struct secret *old_pin, const struct secret *new_pin)
{
    struct disk_token *token = (struct disk_token *)base;
    (void)call;
    pthread_mutex_lock(&token->mutex);
    enum sca_status st = try_pin(token, user, old_pin);
    if (st == SCA_OK)
        set_pin(token, user, new_pin);
    pthread_mutex_unlock(&token->mutex);
    return st;
}

/* The place of that number; of number 0, a free one. NULL if there is none. */
static struct stored *place(struct disk_token *token, unsigned number)
{
    for (int i = 0; i < ROOM; i++) {
        const struct object *object = token->objects[i].object;
        if (number ? object && object->number == number : !object)
            return &token->objects[i];
    }
    return NULL;
}

static enum sca_status apply_one(struct disk_token *token, struct object_change *change)
{
    struct stored *stored = place(token, change->number);
    if (!stored)
        return change->number ? SCA_NOT_FOUND : SCA_NO_SPACE;
    if (change->is_removed) {
        drop(stored);
        return SCA_OK;
    }
    if (change->key.len) {
        secret_freep(&stored->key);
        if (secret_new(change->key, &stored->key) != SCA_OK)
            return SCA_NOMEM;
    }
    object_unref(stored->object);
    stored->object = object_new(change->attributes, change->count, change->is_private);
    if (!stored->object)
        return SCA_NOMEM;
    if (!change->number)
        change->number = ++token->last_number;
    stored->object->number = change->number;
    return SCA_OK;
}

static enum sca_status disk_apply(struct token *base, struct call *call,
                                  struct object_change *changes, size_t count)
{
    struct disk_token *token = (struct disk_token *)base;
    enum sca_status st = (enum sca_status)atomic_load(&failing);
    if (st != SCA_OK)
        return call_fail(call, st, "the disk was told to fail");
    atomic_fetch_add(&writes, 1);
    atomic_fetch_add(&stamp, 1);
    pthread_mutex_lock(&token->mutex);
    for (size_t i = 0; i < count && st == SCA_OK; i++)
        st = apply_one(token, &changes[i]);
    pthread_mutex_unlock(&token->mutex);
    return st;
}

static enum sca_status disk_load_key(struct token *base, struct call *call, unsigned number,
                                     enum sca_status (*decode)(struct span der, EVP_PKEY **ret_key),
                                     EVP_PKEY **ret_key)
{
    struct disk_token *token = (struct disk_token *)base;
    enum sca_status st = (enum sca_status)atomic_load(&failing);
    if (st != SCA_OK)
        return call_fail(call, st, "the disk was told to fail");
    atomic_fetch_add(&loads, 1);
    pthread_mutex_lock(&token->mutex);
    const struct stored *stored = place(token, number);
    st = stored && stored->key ? decode(secret_get(stored->key), ret_key) : SCA_NOT_FOUND;
    pthread_mutex_unlock(&token->mutex);
    return st;
}

static const struct token_write_ops write_ops = {
    .stamp = disk_stamp,
    .init_token = disk_init_token,
    .init_pin = disk_init_pin,
    .apply = disk_apply,
    .load_key = disk_load_key,
};

static const struct token_ops ops = {
    .list = disk_list,
    .login = disk_login,
    .logout = disk_logout,
    .state = disk_state,
    .set_pin = disk_set_pin,
    .write = &write_ops,
    .free = disk_free,
};

static const CK_MECHANISM_TYPE offered[] = {
    CKM_SHA256_RSA_PKCS,
    CKM_SHA384_RSA_PKCS,
    CKM_SHA512_RSA_PKCS,
    CKM_RSA_PKCS,
    CKM_RSA_PKCS_PSS,
    CKM_SHA256_RSA_PKCS_PSS,
    CKM_SHA384_RSA_PKCS_PSS,
    CKM_SHA512_RSA_PKCS_PSS,
    CKM_ECDSA,
    CKM_ECDSA_SHA256,
    CKM_ECDSA_SHA384,
    CKM_ECDSA_SHA512,
    CKM_ECDSA_SHA1,
    CKM_EDDSA,
    CKM_RSA_PKCS_KEY_PAIR_GEN,
    CKM_EC_KEY_PAIR_GEN,
    CKM_EC_EDWARDS_KEY_PAIR_GEN,
};

enum sca_status fake_disk_new(CK_SLOT_ID id, struct token **ret_token)
{
    struct disk_token *token = calloc(1, sizeof(*token));
    if (!token)
        return SCA_NOMEM;
    pthread_mutex_init(&token->mutex, NULL);
    token->base = (struct token){
        .ops = &ops,
        .slot_id = id,
        .identity = {.slot_description = "a disk",
                     .manufacturer = "fake",
                     .label = "",
                     .model = "disk"},
        .mechanisms = offered,
        .mechanism_count = ARRAY_LEN(offered),
        .pin_min = 6,
        .pin_max = PIN_ROOM,
        .is_present = true,
        .is_spare = id == FAKE_SPARE,
        .needs_login = true,
        .has_random = true,
    };
    if (id == FAKE_DISK) {
        (void)strcpy(token->pins[TOKEN_USER].text, FAKE_PIN_TEXT);
        (void)strcpy(token->pins[TOKEN_SO].text, FAKE_SO_PIN_TEXT);
        (void)strcpy(token->label, "disk");
        token->pins[TOKEN_USER].is_set = true;
        token->pins[TOKEN_SO].is_set = true;
        token->is_initialized = true;
    }
    *ret_token = &token->base;
    return SCA_OK;
}
