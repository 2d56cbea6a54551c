/* SPDX-License-Identifier: Apache-2.0 */
/* Which path means what. */
#ifndef TESTS_EMULATOR_ROUTES_H
#define TESTS_EMULATOR_ROUTES_H

#include "tests/emulator/exchange.h"

/* One row: a method, a path in which {id} stands for one segment, and who answers. */
struct route {
    const char *method;
    const char *path;
    enum endpoint endpoint;
    void (*answer)(struct exchange *x); /* sets the reply */
};

/* Fills in x->route, x->route_id and x->is_wrong_method. */
void routes_match(struct exchange *x, const char *method, const char *path);

#endif
