/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_BACKEND_REMOTE_LOAD_H
#define MODULE_BACKEND_REMOTE_LOAD_H

#include "remote/remote.h"

/*
 * The network half, loaded at the first call and never unloaded: SCA_OK, or SCA_IO with the reason
 * in the call's note. A file beside the module wins over the installed one, so that an uninstalled
 * tree works.
 */
enum sca_status remote_load(struct call *call, const struct remote_ops **ret_ops);

/* At C_Finalize: lets it close its idle connections, if it was loaded. */
void remote_close_idle(void);

/* In a forked child: tells it, if it was loaded. */
void remote_abandon(void);

#endif
