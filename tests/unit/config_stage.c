/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/config_stage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/lib/folder.h"

enum { FOUND_MAX = 1024 * 1024 };

static const char *const variables[] = {"SMARTCA_PKCS11_CONF", "SMARTCA_PKCS11_LOG",
                                        "XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"};

char *config_stage_path(const struct config_stage *stage, const char *name)
{
    char *path = path_join(stage->dir, name);
    assert_non_null(path);
    return path;
}

int config_stage_begin(void **state)
{
    struct config_stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    (void)strcpy(stage->dir, "/tmp/config.XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        assert_int_equal(unsetenv(variables[i]), 0);
    AUTO(freep) char *main_file = config_stage_path(stage, MAIN);
    assert_int_equal(setenv("SMARTCA_PKCS11_CONF", main_file, 1), 0);
    assert_int_equal(setenv("HOME", stage->dir, 1), 0);
    *state = stage;
    return 0;
}

int config_stage_end(void **state)
{
    struct config_stage *stage = *state;

    config_free(stage->config);
    (void)folder_remove(stage->dir);
    free(stage);
    return 0;
}

void config_stage_write(const struct config_stage *stage, const char *name, const char *text,
                        mode_t mode)
{
    AUTO(freep) char *path = config_stage_path(stage, name);
    char *slash = strrchr(path, '/');

    *slash = 0;
    (void)mkdir(path, 0700); /* there already, most of the time */
    *slash = '/';
    AUTO(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, span_text(text)), SCA_OK);
    assert_int_equal(fchmod(fd, mode), 0);
}

const struct config *config_stage_load(struct config_stage *stage)
{
    config_freep(&stage->config);
    assert_int_equal(config_load(&stage->config), SCA_OK);
    return stage->config;
}

const struct config *config_stage_load_text(struct config_stage *stage, const char *text)
{
    config_stage_write(stage, MAIN, text, 0600);
    return config_stage_load(stage);
}

void config_stage_expect(const struct config_stage *stage, const char *problems)
{
    struct buf found;

    buf_init(&found, FOUND_MAX, false);
    assert_int_equal(buf_append(&found, span_text("")), SCA_OK);
    for (size_t i = 0; i < stage->config->problem_count; i++) {
        const struct config_problem *problem = &stage->config->problems[i];
        size_t dir_len = strlen(stage->dir);
        bool is_ours = strncmp(problem->file, stage->dir, dir_len) == 0;
        char *line = NULL;
        assert_true(asprintf(&line, "%s:%u: %s\n", problem->file + (is_ours ? dir_len + 1 : 0),
                             problem->line, problem->reason) > 0);
        assert_int_equal(buf_append(&found, span_text(line)), SCA_OK);
        free(line);
    }
    assert_string_equal((const char *)found.ptr, problems);
    buf_fini(&found);
}
