/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong at the service, and what the person with the phone does. */
#ifndef TESTS_SOAK_TROUBLE_H
#define TESTS_SOAK_TROUBLE_H

#include "tests/integration/harness.h"
#include "tests/soak/dice.h"

/* Sees to it that about one request in a hundred meets each kind of fault. Call it often. */
void trouble_keep_up(const struct world *world, struct dice *dice);

/* What the person does with the next confirmations. */
void trouble_set_phone(const struct world *world, struct dice *dice);

/* Nothing goes wrong any more, the person confirms whatever comes, and what was left ends. */
void trouble_end(const struct world *world);

#endif
