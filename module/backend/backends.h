/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_BACKEND_BACKENDS_H
#define MODULE_BACKEND_BACKENDS_H

#include <stdatomic.h>

#include "module/backend/accounts.h"
#include "module/backend/forward.h"
#include "module/backend/stamp.h"
#include "remote/base/lock.h"

struct backends {
    const char *state_dir; /* borrowed from the configuration */
    char *catalogue_file;
    char *config_dir;
    struct accounts accounts;
    struct opened *opened;
    struct forwards forwards;
    bool is_discovered;
    atomic_bool is_doubtful; /* an account is missing in files that may be being written */
    struct lock lock;        /* guards the rest; backends_have_changed is asked by any thread */
    struct stamp catalogue_stamp;
    struct stamp config_stamp;
    bool has_strangers; /* the catalogue has accounts that the configuration did not have */
};

/* The catalogue as it is now; NULL when it cannot be read, which is logged. SCA_NOMEM: that says
 * nothing of what is in it. */
enum sca_status backends_catalogue(const struct backends *backends,
                                   struct catalogue **ret_catalogue);

#endif
