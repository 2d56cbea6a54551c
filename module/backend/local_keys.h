/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a login to a local token opens: its master key, and the private keys decoded since. Shared
 * by counted references, so that a logout disturbs no call that is still at work; the last one to
 * let go wipes it all.
 */
#ifndef MODULE_BACKEND_LOCAL_KEYS_H
#define MODULE_BACKEND_LOCAL_KEYS_H

#include <openssl/types.h>

#include "remote/base/bytes.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"

struct local_keys;

/* Takes the master key in every case. The caller holds one reference. SCA_OK or SCA_NOMEM. */
enum sca_status local_keys_new(struct secret *take_master_key, struct local_keys **ret_keys);
struct local_keys *local_keys_ref(struct local_keys *keys);
void local_keys_unref(struct local_keys *keys); /* NULL is allowed */
void local_keys_unrefp(struct local_keys **keys);

/* Lends it; NULL for keys that are NULL. */
const struct secret *local_keys_master(const struct local_keys *keys);

/*
 * The three below are guarded by the owner's lock. find: a reference for the caller, NULL if that
 * key was not decoded yet. keep: remembers the key unless another one was faster; ret_key is a
 * reference to the one that is remembered, or to key itself without memory. drop: forgets it and
 * hands the reference over (NULL: none), to be released without the lock.
 */
EVP_PKEY *local_keys_find(const struct local_keys *keys, unsigned number);
void local_keys_keep(struct local_keys *keys, unsigned number, EVP_PKEY *key, EVP_PKEY **ret_key);
EVP_PKEY *local_keys_drop(struct local_keys *keys, unsigned number);

#endif
