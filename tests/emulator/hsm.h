/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the signers' private keys live: a SoftHSM2 token reached through PKCS#11, standing in for
 * the provider's hardware. Keys never leave it; the emulator only ever sees their public halves.
 */
#ifndef TESTS_EMULATOR_HSM_H
#define TESTS_EMULATOR_HSM_H

#include <openssl/types.h>

#include "remote/base/bytes.h"

enum { HSM_SIGNATURE_LEN = 256 }; /* every key is RSA-2048 */

struct hsm;

/* One private key of the token. Plain data, valid as long as the token is open. */
struct hsm_key {
    unsigned long handle;
};

/*
 * Opens the token below dir/softhsm, making it at the first time. Sets SOFTHSM2_CONF of this
 * process. SCA_IO when library cannot be loaded or refuses; the reason has been complained about.
 */
enum sca_status hsm_open(const char *library, const char *dir, struct hsm **ret_hsm);
void hsm_close(struct hsm *hsm);
void hsm_closep(struct hsm **hsm);

/*
 * The key pair called label, generated if there is none. The caller frees ret_public. May take half
 * a second. Safe from several threads, as long as they ask for different labels.
 */
enum sca_status hsm_key_get(struct hsm *hsm, const char *label, struct hsm_key *ret_key,
                            EVP_PKEY **ret_public);

/*
 * PKCS#1 v1.5 signature over the DigestInfo of hash, whose length (20, 32, 48 or 64) names the
 * algorithm. Safe from several threads. SCA_INVALID for another length.
 */
enum sca_status hsm_sign(struct hsm *hsm, struct hsm_key key, struct span hash,
                         uint8_t ret_signature[HSM_SIGNATURE_LEN]);

#endif
