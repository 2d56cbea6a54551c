/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that stands still, and does not wait. */
#ifndef TESTS_FUZZ_STILL_H
#define TESTS_FUZZ_STILL_H

#include "remote/base/clock.h"

enum { STILL_S = 1780000000 };

extern const struct clock still;

#endif
