/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CATALOGUE_MAPPING_H
#define REMOTE_CATALOGUE_MAPPING_H

#include "remote/base/bytes.h"
#include "remote/base/status.h"

#define CATALOGUE_FILE "catalogue"

/*
 * Maps state_dir/catalogue read-only; the caller releases it with mapping_fini. An empty span:
 * there is none. SCA_IO with the reason in why when it cannot or must not be read, SCA_INVALID
 * when its length alone says that it is no catalogue.
 */
enum sca_status mapping_open(const char *state_dir, struct span *ret_bytes, const char **why);
void mapping_fini(struct span *bytes);

#endif
