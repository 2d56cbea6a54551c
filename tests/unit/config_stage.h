/* SPDX-License-Identifier: Apache-2.0 */
/* A home folder of its own for tests of remote/config, named to it by the environment. */
#ifndef TESTS_UNIT_CONFIG_STAGE_H
#define TESTS_UNIT_CONFIG_STAGE_H

#include <sys/types.h>

#include "remote/config/config.h"

#define MAIN "smartca-pkcs11.conf"
#define SP   "[smartca]\nsp_id = shop\nsp_password = word\n"

struct config_stage {
    char dir[64]; /* SMARTCA_PKCS11_CONF is MAIN in it, HOME is it */
    struct config *config;
};

int config_stage_begin(void **state);
int config_stage_end(void **state);

/* Writes dir/name, making one folder on the way. */
void config_stage_write(const struct config_stage *stage, const char *name, const char *text,
                        mode_t mode);

/* Loads, again if need be. */
const struct config *config_stage_load(struct config_stage *stage);

/* The same of one main file with mode 0600. */
const struct config *config_stage_load_text(struct config_stage *stage, const char *text);

/* Lines "file:line: reason", files as they are called below dir. */
void config_stage_expect(const struct config_stage *stage, const char *problems);

/* dir/name; the caller frees it. */
char *config_stage_path(const struct config_stage *stage, const char *name);

#endif
