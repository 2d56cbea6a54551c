/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that look random and come again with the same seed. */
#ifndef TESTS_SOAK_DICE_H
#define TESTS_SOAK_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* Each stream of a seed is another row of numbers. */
struct dice dice_of(uint64_t seed, uint64_t stream);
uint32_t dice_below(struct dice *dice, uint32_t limit); /* limit > 0 */
bool dice_percent(struct dice *dice, uint32_t percent);

#endif
