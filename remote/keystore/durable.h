/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are replaced under a lock, so that no crash leaves a half or more than one leftover.
 */
#ifndef REMOTE_KEYSTORE_DURABLE_H
#define REMOTE_KEYSTORE_DURABLE_H

#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"

struct durable_file {
    const char *dir;
    const char *name;
    struct span bytes;
    uint64_t generation; /* kept in the nanoseconds of its time, so that two in a row differ there,
                            however coarse the clock of the file system is */
    struct span old;     /* what the file holds now, to be kept as name.old; empty: it is not */
};

/*
 * Replaces dir/name (mode 0600): temporary file, write, fsync, rename, fsync of dir. At every
 * instant there is the old or the new one. The caller holds a lock that all writers of this file
 * take. SCA_NO_SPACE, SCA_IO, SCA_NOMEM: the old file is there.
 */
enum sca_status durable_replace(const struct durable_file *file);

#endif
