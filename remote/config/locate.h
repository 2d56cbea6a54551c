/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are: README.md has the list. Environment through secure_getenv only, and only
 * absolute paths from it; a program with raised privileges (AT_SECURE) sees /etc alone.
 */
#ifndef REMOTE_CONFIG_LOCATE_H
#define REMOTE_CONFIG_LOCATE_H

#include <stdbool.h>
#include <stddef.h>

#include "remote/base/status.h"
#include "remote/config/problems.h"

enum { CONF_D_FILES_MAX = 256 };

/*
 * The first place where the main file or a conf.d folder beside it is; where there is none, the
 * first place. The caller frees ret_path. SCA_NOMEM.
 */
enum sca_status locate_main_file(struct problems *problems, char **ret_path);

/*
 * The conf.d/ *.conf beside main_file in name order, at most CONF_D_FILES_MAX; the caller gives
 * them to locate_free_paths. SCA_NOMEM.
 */
enum sca_status locate_conf_d(const char *main_file, struct problems *problems, char ***ret_paths,
                              size_t *ret_count);
void locate_free_paths(char **paths, size_t count);

/*
 * Is there a folder of this user: $HOME, or, but for root, that of the user database? Without one,
 * and without $XDG_CONFIG_HOME and $XDG_STATE_HOME, all is in /etc and /var/lib.
 */
bool locate_has_home(void);

/* The default of state_dir. The caller frees it. SCA_NOMEM. */
enum sca_status locate_state_dir(char **ret_path);

#endif
