/* SPDX-License-Identifier: Apache-2.0 */
/* Values in the structs of config.h, reached through the schema: no key is named outside it. */
#ifndef REMOTE_CONFIG_FIELDS_H
#define REMOTE_CONFIG_FIELDS_H

#include "remote/config/schema.h"
#include "remote/config/value.h"

/* Moves value into the struct that rule->target names, in place of what was there. */
void fields_set(const struct key_rule *rule, struct value *take_value, void *target);

/* Fallbacks of every key of that target. SCA_NOMEM. */
enum sca_status fields_set_fallbacks(enum key_target target, void *to);

/* A deep copy of every key of that target into to, which is empty. SCA_NOMEM leaves a part of it.
 */
enum sca_status fields_copy(enum key_target target, const void *from, void *to);

/* Wipes and releases every key of that target. */
void fields_fini(enum key_target target, void *at);

#endif
