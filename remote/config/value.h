/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CONFIG_VALUE_H
#define REMOTE_CONFIG_VALUE_H

#include <stdbool.h>

#include "remote/base/status.h"
#include "remote/config/config.h"
#include "remote/config/schema.h"

/* One value as its rule understands it. Owns its texts, which are wiped: any may be a secret. */
struct value {
    char *text;
    unsigned number;
    struct secret_ref secret;
};

enum { VALUE_WHY_SIZE = 320 };

/*
 * SCA_INVALID with what it has to be in why ("must be ...", to follow the key's name; never the
 * value itself, which may be a secret in the wrong place), or SCA_NOMEM.
 */
enum sca_status value_parse(const struct key_rule *rule, const char *text, struct value *ret_value,
                            char why[static VALUE_WHY_SIZE]);
void value_fini(struct value *value);

/* True if the configuration file itself holds something that nobody else may read. */
bool value_is_confidential(const struct key_rule *rule, const struct value *value);

/* Wipes and releases a text; NULL is allowed. */
void value_free_text(char *text);

#endif
