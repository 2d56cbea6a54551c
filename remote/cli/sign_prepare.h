/* SPDX-License-Identifier: Apache-2.0 */
/* What exactly is to be signed, before anybody is asked for anything. */
#ifndef REMOTE_CLI_SIGN_PREPARE_H
#define REMOTE_CLI_SIGN_PREPARE_H

#include "remote/cli/sign_memory.h"
#include "remote/cli/sign_slot.h"

/*
 * Digests and drafts of all files. In the cloud a file that a run which is gone had asked for gets
 * the signing time of then, so that its signature is collected and not asked for again. The caller
 * sign_memory_end()s ret_memory, whatever is returned. False too after Ctrl-C.
 */
bool sign_prepare(const struct sign_slot *slot, const char *state_dir, struct sign_files *files,
                  struct sign_memory *ret_memory, struct trouble *trouble);

#endif
