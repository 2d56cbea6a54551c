/* SPDX-License-Identifier: Apache-2.0 */
/* A token that takes writes, in memory: for the rules of the token layer above it. */
#ifndef TESTS_MODULE_FAKE_DISK_H
#define TESTS_MODULE_FAKE_DISK_H

#include "module/backend/backend.h"

/* The token of FAKE_DISK (made already, with both PINs and no object) or FAKE_SPARE (empty). */
enum sca_status fake_disk_new(CK_SLOT_ID id, struct token **ret_token);

/* What apply and load_key answer from now on, SCA_OK: they work. Reset by fake_reset. */
void fake_disk_fail(enum sca_status status);

/* How often objects were written, and keys loaded, since fake_reset. */
unsigned fake_disk_writes(void);
unsigned fake_disk_loads(void);

/* As if another process had written: the next find lists again. */
void fake_disk_touch(void);
void fake_disk_reset(void);

#endif
