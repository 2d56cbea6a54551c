/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with a section by itself, and with two of the same name. */
#ifndef REMOTE_CONFIG_INSPECT_H
#define REMOTE_CONFIG_INSPECT_H

#include "remote/config/document.h"

/*
 * Finds the rule and the value of every entry, marks entries and sections that are wrong, and
 * adds a problem for each. SCA_NOMEM, or SCA_OK.
 */
enum sca_status inspect_document(struct document *document);

/* It has a rule and an acceptable value. An empty value is as if the line were not there. */
bool entry_is_good(const struct entry *entry);

#endif
