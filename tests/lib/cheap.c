/* SPDX-License-Identifier: Apache-2.0 */
/* PINs that cost little, in any build: linked with --wrap=crypt_stretch. */
#include "remote/keystore/crypt.h"

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
enum sca_status __real_crypt_stretch(struct span pin, struct span salt, unsigned cost,
                                     uint8_t ret_key[static CRYPT_KEY_SIZE]);
enum sca_status __wrap_crypt_stretch(struct span pin, struct span salt, unsigned cost,
                                     uint8_t ret_key[static CRYPT_KEY_SIZE]);

enum sca_status __wrap_crypt_stretch(struct span pin, struct span salt, unsigned cost,
                                     uint8_t ret_key[static CRYPT_KEY_SIZE])
{
    if (cost > CRYPT_COST_MIN && cost <= CRYPT_COST_MAX)
        cost = CRYPT_COST_MIN;
    return __real_crypt_stretch(pin, salt, cost, ret_key);
}
/* NOLINTEND(bugprone-reserved-identifier) */
