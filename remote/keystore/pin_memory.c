/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/pin_memory.h"

#include <stdatomic.h>
#include <string.h>

#include <openssl/crypto.h>

#include "remote/base/cleanup.h"
#include "remote/keystore/crypt.h"

/* Kept for the life of the process; in a forked child it reads as empty (secret.h). */
static _Atomic(struct secret *) shared_key;

static bool is_usable(const struct secret *key)
{
    return key && secret_get(key).len == CRYPT_KEY_SIZE;
}

static enum sca_status process_key(struct span *ret_key)
{
    AUTO(secret_freep) struct secret *fresh = NULL;
    uint8_t bytes[CRYPT_KEY_SIZE];
    struct secret *key = atomic_load(&shared_key);

    if (!is_usable(key)) {
        enum sca_status st = crypt_random(bytes, sizeof(bytes));
        if (st == SCA_OK)
            st = secret_new(span_of(bytes, sizeof(bytes)), &fresh);
        secret_wipe(bytes, sizeof(bytes));
        if (st != SCA_OK)
            return st;
        if (atomic_compare_exchange_strong(&shared_key, &key, fresh))
            key = TAKE(fresh);
    }
    *ret_key = secret_get(key);
    return SCA_OK;
}

enum sca_status pin_memory_fingerprint(struct span salt, unsigned user, const struct secret *pin,
                                       uint8_t ret_fingerprint[static PIN_MEMORY_SIZE])
{
    const struct span parts[] = {salt, span_of(&user, sizeof(user)), secret_get(pin)};
    struct span key;

    enum sca_status st = process_key(&key);
    return st == SCA_OK ? crypt_hmac(key, parts, ARRAY_LEN(parts), ret_fingerprint) : st;
}

enum sca_status pin_memory_ask(struct pin_memory *memory,
                               const uint8_t fingerprint[static PIN_MEMORY_SIZE])
{
    if (!memory->is_set || CRYPTO_memcmp(memory->fingerprint, fingerprint, PIN_MEMORY_SIZE) != 0)
        return SCA_OK;
    if (memory->repeats >= PIN_MEMORY_REPEATS)
        return SCA_PIN_LOCKED;
    memory->repeats++;
    return SCA_USER_AUTH;
}

void pin_memory_keep(struct pin_memory *memory, const uint8_t fingerprint[static PIN_MEMORY_SIZE])
{
    *memory = (struct pin_memory){.is_set = true};
    memcpy(memory->fingerprint, fingerprint, PIN_MEMORY_SIZE);
}

void pin_memory_forget(struct pin_memory *memory)
{
    secret_wipe(memory, sizeof(*memory));
}
