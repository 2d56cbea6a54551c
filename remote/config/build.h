/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CONFIG_BUILD_H
#define REMOTE_CONFIG_BUILD_H

#include "remote/config/config.h"
#include "remote/config/document.h"

/*
 * Checks every section against the schema and fills in log_target, log_level, state_dir (where
 * said) and the accounts of config. Takes the values out of the document. SCA_OK, or SCA_NOMEM
 * with config in a state that config_free takes.
 */
enum sca_status build_config(struct document *document, struct config *config);

/* Releases what an account, or a token, owns. */
void account_fini(struct account_config *account);
void token_config_fini(struct token_config *token);

#endif
