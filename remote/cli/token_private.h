/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys that leave a token, or come to one. */
#ifndef REMOTE_CLI_TOKEN_PRIVATE_H
#define REMOTE_CLI_TOKEN_PRIVATE_H

#include "remote/cli/token.h"

/* The whole key of a pair, if the token lets it out. The caller EVP_PKEY_free()s ret_key. */
bool token_private_read(struct token *token, const struct token_pair *pair, EVP_PKEY **ret_key,
                        struct trouble *trouble);

/* A key pair's two objects, if they are not there, CKA_ID as x509_key_id() has it. spec:
 * key_spec_of(key). */
bool token_private_store(struct token *token, EVP_PKEY *key, const struct key_spec *spec,
                         const char *label, bool is_exportable, struct trouble *trouble);

#endif
