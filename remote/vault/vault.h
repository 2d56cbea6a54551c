/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of an identity, sealed under its PIN: a keystore (keystore.h) of its own in the state
 * folder's "vault", without a security officer. What opens it is the PIN alone; ten wrong ones lock
 * it for good, and then the secrets have to be entered anew (smartca account pin NAME --reset).
 */
#ifndef REMOTE_VAULT_VAULT_H
#define REMOTE_VAULT_VAULT_H

#include <stdbool.h>

#include "remote/base/call.h"
#include "remote/base/identity.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"
#include "remote/keystore/keystore.h"

/* Whose: the identity, not the account's name, so that an account may be renamed; two accounts of
 * one identity share it, and its PIN. Borrowed. */
struct vault {
    const char *state_dir;
    struct identity identity;
};

enum vault_item { VAULT_PASSWORD, VAULT_TOTP_SECRET, VAULT_SP_PASSWORD, VAULT_ITEMS };

/* The secrets, as they were given; NULL: not kept in this vault. */
struct vault_contents {
    struct secret *items[VAULT_ITEMS];
};

/* Wipes and frees all of them. */
void vault_contents_fini(struct vault_contents *contents);

/*
 * Makes the vault of the account, in place of one that is there, which is lost only when the new
 * one is written. contents may be empty (pin =
 * required and no vault: secret). SCA_INVALID for a PIN of another length than KEYSTORE_PIN_MIN to
 * KEYSTORE_PIN_MAX bytes; SCA_IO, SCA_NO_SPACE.
 */
enum sca_status vault_create(const struct vault *vault, struct call *call, const struct secret *pin,
                             const struct vault_contents *contents, unsigned cost);

struct vault_info {
    bool has_pin; /* false: there is no vault yet */
    unsigned wrong_pins;
};

/* One small file is read. SCA_IO, SCA_INVALID: damaged, with the reason in why (static text). */
enum sca_status vault_info(const struct vault *vault, struct vault_info *ret_info,
                           const char **why);

/*
 * Tries the PIN as keystore_login does, with the same statuses and the same memory of wrong PINs;
 * SCA_NOT_FOUND: no vault yet. The caller vault_contents_fini()s.
 */
enum sca_status vault_open(const struct vault *vault, struct call *call, const struct secret *pin,
                           struct pin_memory *memory, struct vault_contents *ret_contents);

/* As keystore_set_pin. */
enum sca_status vault_set_pin(const struct vault *vault, struct call *call,
                              const struct secret *old_pin, const struct secret *new_pin,
                              struct pin_memory *memory, unsigned cost);

/* SCA_OK also if there was none. */
enum sca_status vault_remove(const struct vault *vault);

#endif
