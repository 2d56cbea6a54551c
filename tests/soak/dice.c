/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/dice.h"

/* splitmix64: any state is good, neighbouring seeds share nothing. */
static uint64_t roll(struct dice *dice)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

struct dice dice_of(uint64_t seed, uint64_t stream)
{
    struct dice first = {seed};
    struct dice dice = {roll(&first) + stream * 0xd1342543de82ef95U};
    return dice;
}

uint32_t dice_below(struct dice *dice, uint32_t limit)
{
    return (uint32_t)(roll(dice) >> 32) % limit;
}

bool dice_percent(struct dice *dice, uint32_t percent)
{
    return dice_below(dice, 100) < percent;
}
