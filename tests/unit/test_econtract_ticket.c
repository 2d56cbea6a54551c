/* SPDX-License-Identifier: Apache-2.0 */
/* The token on disk: for its owner with the password, and for nobody else. */
#include "remote/econtract/ticket.h"

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

enum { FILE_MAX = 8192 };

struct scene {
    char dir[64];
    char path[128];
    struct secret *password;
    struct secret *other_password;
    struct ticket_owner owner;
};

static int begin(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));

    assert_non_null(scene);
    (void)strcpy(scene->dir, "/tmp/ticket.XXXXXX");
    assert_non_null(mkdtemp(scene->dir));
    (void)snprintf(scene->path, sizeof(scene->path), "%s/vault/econtract", scene->dir);
    assert_int_equal(secret_new(span_text("word"), &scene->password), SCA_OK);
    assert_int_equal(secret_new(span_text("Word"), &scene->other_password), SCA_OK);
    scene->owner = (struct ticket_owner){scene->dir, "https://x", "ann", scene->password};
    *state = scene;
    return 0;
}

static int end(void **state)
{
    struct scene *scene = *state;

    secret_free(scene->password);
    secret_free(scene->other_password);
    int left = folder_remove(scene->dir);
    free(scene);
    return left;
}

static enum sca_status save(const struct scene *scene, const char *token, const char *company)
{
    AUTO(ticket_fini) struct ticket ticket = {.ends_at = 1780000000};

    assert_int_equal(secret_new(span_text(token), &ticket.token), SCA_OK);
    (void)snprintf(ticket.company_id, sizeof(ticket.company_id), "%s", company);
    return ticket_save(&scene->owner, &ticket);
}

static enum sca_status load(const struct ticket_owner *owner)
{
    AUTO(ticket_fini) struct ticket ticket = {.token = NULL};
    return ticket_load(owner, &ticket);
}

static void what_is_saved_is_loaded(void **state)
{
    const struct scene *scene = *state;
    AUTO(ticket_fini) struct ticket ticket = {.token = NULL};

    assert_int_equal(save(scene, "first", ""), SCA_OK);
    assert_int_equal(save(scene, "ey.token", "17"), SCA_OK);
    assert_int_equal(ticket_load(&scene->owner, &ticket), SCA_OK);

    assert_true(span_equal(secret_get(ticket.token), span_text("ey.token")));
    assert_int_equal(ticket.ends_at, 1780000000);
    assert_string_equal(ticket.company_id, "17");
}

static void the_longest_token_fits(void **state)
{
    const struct scene *scene = *state;
    AUTO(ticket_fini) struct ticket ticket = {.token = NULL};
    char token[SECRET_MAX + 1];
    char company[TICKET_COMPANY_MAX + 1];
    memset(token, 't', SECRET_MAX);
    token[SECRET_MAX] = 0;
    memset(company, 'c', TICKET_COMPANY_MAX);
    company[TICKET_COMPANY_MAX] = 0;

    assert_int_equal(save(scene, token, company), SCA_OK);
    assert_int_equal(ticket_load(&scene->owner, &ticket), SCA_OK);

    assert_true(span_equal(secret_get(ticket.token), span_text(token)));
    assert_string_equal(ticket.company_id, company);
}

static void without_a_file_there_is_no_token(void **state)
{
    const struct scene *scene = *state;

    assert_int_equal(load(&scene->owner), SCA_NOT_FOUND);
}

static void it_opens_for_its_owner_only(void **state)
{
    const struct scene *scene = *state;
    assert_int_equal(save(scene, "t", ""), SCA_OK);
    const struct ticket_owner others[] = {
        {scene->dir, "https://y", "ann", scene->password},
        {scene->dir, "https://x", "bob", scene->password},
        {scene->dir, "https://x\na", "nn", scene->password},
        {scene->dir, "https://x", "ann", scene->other_password},
    };

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(load(&others[i]), SCA_NOT_FOUND);
    assert_int_equal(load(&scene->owner), SCA_OK);
}

static size_t read_file(const struct scene *scene, uint8_t out[static FILE_MAX])
{
    AUTO(buf_fini) struct buf bytes;
    const char *why = NULL;

    assert_int_equal(file_read_trusted(scene->path, FILE_ANY, FILE_MAX, false, &bytes, &why),
                     SCA_OK);
    memcpy(out, bytes.ptr, bytes.len);
    return bytes.len;
}

static void write_file(const struct scene *scene, const uint8_t *bytes, size_t len)
{
    AUTO(fd_closep)
    int fd = open(scene->path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, span_of(bytes, len)), SCA_OK);
}

static void a_byte_changed_anywhere_is_no_token(void **state)
{
    const struct scene *scene = *state;
    enum { COST_AT = 8 };
    uint8_t bytes[FILE_MAX];
    assert_int_equal(save(scene, "tt", "17"), SCA_OK);
    size_t len = read_file(scene, bytes);

    /* Of the head every third byte: each takes the time of a login. */
    for (size_t i = 0; i < len; i += i < COST_AT ? 1 : 3) {
        uint8_t was = bytes[i];
        bytes[i] = i == COST_AT ? 99 : was ^ 1;
        write_file(scene, bytes, len);
        if (load(&scene->owner) != SCA_NOT_FOUND)
            fail_msg("byte %zu does not matter", i);
        bytes[i] = was;
    }
    write_file(scene, bytes, len);
    assert_int_equal(load(&scene->owner), SCA_OK);
}

static void a_file_cut_short_or_too_long_is_no_token(void **state)
{
    const struct scene *scene = *state;
    uint8_t bytes[FILE_MAX];
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(save(scene, "tt", "17"), SCA_OK);
    size_t len = read_file(scene, bytes);
    const size_t lengths[] = {0, 1, 8, 33, 34, 36, 63, 64, len - 1, len + 1, FILE_MAX};

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        write_file(scene, bytes, lengths[i]);
        assert_int_equal(load(&scene->owner), SCA_NOT_FOUND);
    }
}

static void a_file_open_to_others_is_no_token(void **state)
{
    const struct scene *scene = *state;
    assert_int_equal(save(scene, "t", ""), SCA_OK);

    assert_int_equal(chmod(scene->path, 0640), 0);
    assert_int_equal(load(&scene->owner), SCA_NOT_FOUND);
    assert_int_equal(chmod(scene->path, 0600), 0);
    assert_int_equal(load(&scene->owner), SCA_OK);
}

static void a_link_is_no_token(void **state)
{
    const struct scene *scene = *state;
    char elsewhere[160];
    assert_int_equal(save(scene, "t", ""), SCA_OK);
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s.real", scene->path);
    assert_int_equal(rename(scene->path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, scene->path), 0);

    assert_int_equal(load(&scene->owner), SCA_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_saved_is_loaded),
        TEST(the_longest_token_fits),
        TEST(without_a_file_there_is_no_token),
        TEST(it_opens_for_its_owner_only),
        TEST(a_byte_changed_anywhere_is_no_token),
        TEST(a_file_cut_short_or_too_long_is_no_token),
        TEST(a_file_open_to_others_is_no_token),
        TEST(a_link_is_no_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
