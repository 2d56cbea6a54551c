/* SPDX-License-Identifier: Apache-2.0 */
/* The tool as a person would run it, and what it and the module wrote, searched for secrets. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/integration/matrix.h"
#include "tests/integration/matrix_people.h"

enum { PATH_SIZE = 128, WORDS_MAX = 16, CODE_SIZE = 32 };

static const char *const canaries[] = {
    MATRIX_SP_PASSWORD, MATRIX_PASSWORD,    MATRIX_ECONTRACT_PASSWORD, MATRIX_PIN,
    MATRIX_TOTP_BASE32, MATRIX_TOTP_BASE64, MATRIX_TOTP_PLAIN,         MATRIX_JWT,
};

static void path_in(const struct matrix_stage *stage, const char *name, char out[static PATH_SIZE])
{
    (void)snprintf(out, PATH_SIZE, "%s/%s", stage->world.folder, name);
}

static int run(const struct matrix_stage *stage, char *const *args)
{
    char out[PATH_SIZE];
    pid_t child = -1;
    int status = 0;
    posix_spawn_file_actions_t actions;

    path_in(stage, "out", out);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    assert_int_equal(posix_spawn(&child, args[0], &actions, NULL, args, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status))
        fail_msg("smartca %s was ended by signal %d", args[2], WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void read_said(struct matrix_stage *stage)
{
    char path[PATH_SIZE];
    path_in(stage, "out", path);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    stage->said[fread(stage->said, 1, sizeof(stage->said) - 1, file)] = 0;
    (void)fclose(file);
}

/* {"error":{"code":"network", ...}} behind whatever was printed before. */
static const char *code_said(const struct matrix_stage *stage)
{
    static char code[CODE_SIZE];
    const char *at = strstr(stage->said, "\"code\":");
    if (!at || sscanf(at, "\"code\": \"%31[a-z_]\"", code) != 1)
        fail_msg("no code of an error: %s", stage->said);
    return code;
}

const char *matrix_tool(struct matrix_stage *stage, const char *const *words)
{
    static char program[] = SMARTCA_TOOL;
    static char json[] = "--json";
    char *args[WORDS_MAX] = {program, json};

    for (size_t count = 2; *words && count < WORDS_MAX - 1; count++)
        args[count] = (char *)(uintptr_t)*words++;
    int status = run(stage, args);
    read_said(stage);
    if (status == 0)
        return "ok";
    assert_int_equal(status, 1);
    return code_said(stage);
}

static void assert_clean(const char *where, const char *bytes, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(canaries); i++)
        if (memmem(bytes, len, canaries[i], strlen(canaries[i])))
            fail_msg("'%s' is in %s", canaries[i], where);
}

/* What a file has from there on; the caller frees. */
static char *read_from(const char *path, long from, size_t *ret_len)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long end = ftell(file);
    assert_true(end >= from);
    char *bytes = malloc((size_t)(end - from) + 1);
    assert_non_null(bytes);
    assert_int_equal(fseek(file, from, SEEK_SET), 0);
    *ret_len = fread(bytes, 1, (size_t)(end - from), file);
    bytes[*ret_len] = 0;
    (void)fclose(file);
    return bytes;
}

static int look_at_file(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    size_t len = 0;
    (void)info;
    (void)walk;
    AUTO(freep) char *bytes = kind == FTW_F ? read_from(path, 0, &len) : NULL;
    if (bytes)
        assert_clean(path, bytes, len);
    return 0;
}

static void look_at_log(struct matrix_stage *stage)
{
    char path[PATH_SIZE];
    size_t len = 0;
    path_in(stage, "log", path);
    AUTO(freep) char *bytes = read_from(path, stage->log_seen, &len);
    assert_non_null(bytes);
    assert_true(len > 0);
    assert_clean(path, bytes, len);
    assert_null(strstr(bytes, MATRIX_PHONE)); /* national identity numbers are masked there */
    assert_null(strstr(bytes, MATRIX_UNATTENDED));
    stage->log_seen += (long)len;
}

void matrix_assert_no_secret(struct matrix_stage *stage)
{
    enum { DESCRIPTORS = 16 };
    char path[PATH_SIZE];

    look_at_log(stage);
    assert_clean("what the tool prints", stage->said, strlen(stage->said));
    path_in(stage, "state", path);
    assert_int_equal(nftw(path, look_at_file, DESCRIPTORS, FTW_PHYS), 0);
}
