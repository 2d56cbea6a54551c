/* SPDX-License-Identifier: Apache-2.0 */
/* Files to sign: what is refused before anybody is asked, and how signatures get their names. */
#include "remote/cli/sign_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/live_file.h"
#include "remote/cli/sign_output.h"
#include "remote/cli/temporary.h"
#include "tests/lib/folder.h"

enum { PATH_SIZE = 256, OPERANDS_MAX = 4 };

static char dir[64];
static int locked_by_others; /* so many of the next flock calls find it so */

/* The C library's, for which somebody else may have been quicker. */
int flock(int fd, int operation)
{
    if (locked_by_others == 0)
        return (int)syscall(SYS_flock, fd, operation);
    locked_by_others--;
    assert_true(operation & LOCK_NB); /* else it would hang */
    errno = EWOULDBLOCK;
    return -1;
}

static int begin(void **state)
{
    (void)state;
    (void)strcpy(dir, "/tmp/sign.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return folder_remove(dir);
}

static char *at(const char *name, char out[static PATH_SIZE])
{
    (void)snprintf(out, PATH_SIZE, "%s/%s", dir, name);
    return out;
}

static void put(const char *name, const char *content)
{
    char path[PATH_SIZE];
    AUTO(fd_closep) int fd = open(at(name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, span_text(content)), SCA_OK);
}

static void assert_content(const char *name, const char *expected)
{
    AUTO(buf_fini) struct buf content;
    char path[PATH_SIZE];
    const char *why = NULL;

    assert_int_equal(file_read_trusted(at(name, path), FILE_ANY, 1000, false, &content, &why),
                     SCA_OK);
    assert_true(span_equal(buf_span(&content), span_text(expected)));
}

static bool is_there(const char *name)
{
    char path[PATH_SIZE];
    return access(at(name, path), F_OK) == 0;
}

/* The command line `sign A B`, in the test's folder. */
struct line {
    struct cli cli;
    char paths[OPERANDS_MAX][PATH_SIZE];
    char *operands[OPERANDS_MAX];
};

static void line_init(struct line *line, const char *first, const char *second)
{
    const char *const names[] = {first, second};

    *line = (struct line){.cli = {.operands = line->operands}};
    for (size_t i = 0; i < ARRAY_LEN(names) && names[i]; i++)
        line->operands[line->cli.operand_count++] = at(names[i], line->paths[i]);
}

static void a_file_is_refused_with_its_reason(void **state)
{
    static const struct {
        const char *first;
        const char *second;
        const char *out_dir; /* below the folder; NULL: beside the file */
        bool is_forced;
        const char *code;
    } rows[] = {
        {"nothing", NULL, NULL, false, "not_found"},
        {"folder", NULL, NULL, false, "invalid"},
        {"pipe", NULL, NULL, false, "invalid"},
        {"a", "a", NULL, false, "invalid"},
        {"a", "link", NULL, false, "invalid"},
        {"a", "folder/a", "folder", false, "invalid"},
        {"signed", NULL, NULL, false, "exists"},
        {"a", NULL, "nothing", false, "io"},
        {"a", NULL, "a", false, "io"},
        {"signed", "signed.p7s", NULL, true, "invalid"},
        {"blocked", NULL, NULL, true, "io"},
    };
    char path[PATH_SIZE];
    char other[PATH_SIZE];
    (void)state;
    put("a", "1");
    put("signed", "2");
    put("signed.p7s", "3");
    put("blocked", "4");
    assert_int_equal(mkdir(at("folder", path), 0700), 0);
    assert_int_equal(mkdir(at("blocked.p7s", path), 0700), 0);
    assert_int_equal(mkfifo(at("pipe", path), 0600), 0);
    assert_int_equal(link(at("a", path), at("link", other)), 0);
    put("folder/a", "5");

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(sign_files_fini) struct sign_files files;
        struct trouble trouble = {.code = "none"};
        struct line line;
        line_init(&line, rows[i].first, rows[i].second);
        line.cli.is_forced = rows[i].is_forced;
        line.cli.out_dir = rows[i].out_dir ? at(rows[i].out_dir, path) : NULL;
        print_message("%s %s\n", rows[i].first, rows[i].second ? rows[i].second : "");

        assert_false(sign_files_collect(&line.cli, &files, &trouble));

        assert_string_equal(trouble.code, rows[i].code);
    }
}

/* Two files, collected, with room for a signature each. */
static void collect_two(struct line *line, struct sign_files *files)
{
    struct trouble trouble = {.text = ""};

    put("a", "1");
    put("b", "2");
    line_init(line, "a", "b");
    assert_true(sign_files_collect(&line->cli, files, &trouble));
    for (size_t i = 0; i < files->count; i++) {
        assert_true(sign_output_reserve(&files->items[i], 5000, &trouble));
        assert_true(sign_output_write(&files->items[i], span_text("signature"), &trouble));
        files->items[i].state = SIGN_DONE;
    }
}

static void signatures_get_their_names_at_the_end(void **state)
{
    AUTO(sign_files_fini) struct sign_files files;
    struct trouble trouble;
    struct line line;
    (void)state;
    collect_two(&line, &files);
    assert_false(is_there("a.p7s"));

    assert_true(sign_output_place(&files, &trouble));

    assert_content("a.p7s", "signature");
    assert_content("b.p7s", "signature");
}

static void none_is_left_when_one_cannot_have_its_name(void **state)
{
    AUTO(sign_files_fini) struct sign_files files;
    struct trouble trouble;
    struct line line;
    (void)state;
    collect_two(&line, &files);
    put("b.p7s", "of somebody else, meanwhile");

    assert_false(sign_output_place(&files, &trouble));

    assert_string_equal(trouble.code, "io");
    assert_false(is_there("a.p7s"));
    assert_content("b.p7s", "of somebody else, meanwhile");
    assert_false(files.items[0].is_written); /* it is to be collected again */
    assert_false(files.items[1].is_written);
}

static void what_was_replaced_counts_as_written_though_a_later_one_fails(void **state)
{
    AUTO(sign_files_fini) struct sign_files files;
    struct trouble trouble;
    struct line line;
    char path[PATH_SIZE];
    (void)state;
    collect_two(&line, &files);
    files.is_forced = true;
    put("a.p7s", "old");
    assert_int_equal(mkdir(at("b.p7s", path), 0700), 0);

    assert_false(sign_output_place(&files, &trouble));

    assert_content("a.p7s", "signature");
    assert_true(files.items[0].is_written);
    assert_false(files.items[1].is_written);
}

static void with_force_what_was_there_is_replaced(void **state)
{
    AUTO(sign_files_fini) struct sign_files files;
    struct trouble trouble;
    struct line line;
    (void)state;
    collect_two(&line, &files);
    files.is_forced = true;
    put("b.p7s", "old");

    assert_true(sign_output_place(&files, &trouble));

    assert_content("b.p7s", "signature");
}

static void a_file_without_signature_gets_none(void **state)
{
    AUTO(sign_files_fini) struct sign_files files;
    struct trouble trouble;
    struct line line;
    (void)state;
    collect_two(&line, &files);
    files.items[0].state = SIGN_FALSE;

    assert_true(sign_output_place(&files, &trouble));

    assert_false(is_there("a.p7s"));
    assert_content("b.p7s", "signature");
}

/* Entries of the test's folder, but for "." and "..". */
static size_t count_entries(void)
{
    DIR *folder = opendir(dir);
    const struct dirent *item = NULL;
    size_t count = 0;

    assert_non_null(folder);
    while ((item = readdir(folder)))
        count += strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0;
    (void)closedir(folder);
    return count;
}

static void what_is_reserved_has_no_name(void **state)
{
    struct sign_files files;
    struct line line;
    (void)state;
    collect_two(&line, &files);
    bool is_nameless = !files.items[0].temporary; /* as the file system can */
    size_t before = count_entries();

    sign_files_fini(&files);

    assert_int_equal(before, is_nameless ? 2 : 4);
    assert_int_equal(count_entries(), 2);
}

/* Reserves again with the old manner, as on a file system that has no files without a name. */
static void name_it(struct sign_file *file, const char *name)
{
    char path[PATH_SIZE];

    sign_output_discard(file);
    assert_int_equal(live_file_create(at(name, path), 0600, &file->fd), SCA_OK);
    file->temporary = strdup(path);
    file->is_reserved = true;
    assert_non_null(file->temporary);
}

static void a_temporary_file_becomes_the_signature_or_goes(void **state)
{
    struct sign_files files;
    struct trouble trouble;
    struct line line;
    (void)state;
    collect_two(&line, &files);
    name_it(&files.items[0], ".smartca-0123456789abcdef.p7s");
    name_it(&files.items[1], ".smartca-fedcba9876543210.p7s");
    assert_true(sign_output_write(&files.items[0], span_text("other"), &trouble));
    files.items[1].state = SIGN_FAILED;

    assert_true(sign_output_place(&files, &trouble));
    sign_files_fini(&files);

    assert_content("a.p7s", "other");
    assert_int_equal(count_entries(), 3);
}

static void what_a_killed_run_left_is_swept_and_nothing_else(void **state)
{
    static const struct {
        const char *name;
        bool is_left;
    } rows[] = {
        {".smartca-0123456789abcdef.p7s", false}, {".smartca-0123456789abcde.p7s", true},
        {".smartca-0123456789abcdeg.p7s", true},  {".smartca-0123456789abcdef.p7", true},
        {"smartca-0123456789abcdef.p7s", true},   {".smartca-fedcba9876543210.p7s", true},
    };
    AUTO(fd_closep) int living = -1;
    char path[PATH_SIZE];
    (void)state;
    for (size_t i = 0; i + 1 < ARRAY_LEN(rows); i++)
        put(rows[i].name, "x");
    assert_int_equal(live_file_create(at(rows[ARRAY_LEN(rows) - 1].name, path), 0600, &living),
                     SCA_OK);

    temporary_sweep(dir);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].name);
        assert_int_equal(is_there(rows[i].name), rows[i].is_left);
    }
}

static void what_somebody_took_for_an_orphan_gets_another_name(void **state)
{
    AUTO(fd_closep) int fd = -1;
    char path[PATH_SIZE];
    (void)state;
    locked_by_others = 1;

    assert_int_equal(live_file_create(at("mine", path), 0600, &fd), SCA_BUSY);

    assert_false(is_there("mine"));
    assert_int_equal(fd, -1);
    assert_int_equal(live_file_create(path, 0600, &fd), SCA_OK);
}

static void a_file_in_the_place_of_another_is_noticed(void **state)
{
    AUTO(sign_files_fini) struct sign_files files;
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct trouble trouble;
    struct line line;
    char from[PATH_SIZE];
    char to[PATH_SIZE];
    (void)state;
    collect_two(&line, &files);
    put("c", "3");
    assert_int_equal(rename(at("c", from), at("a", to)), 0);

    assert_false(sign_file_digest(&files.items[0], crypto_md(CRYPTO_SHA256), digest, &trouble));

    assert_string_equal(trouble.code, "gone");
}

static void a_digest_is_that_of_the_whole_file(void **state)
{
    AUTO(sign_files_fini) struct sign_files files;
    AUTO(freep) char *large = malloc(1000001);
    uint8_t expected[EVP_MAX_MD_SIZE];
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct trouble trouble = {.text = ""};
    struct line line;
    (void)state;
    memset(large, 'x', 1000000);
    large[1000000] = 0;
    put("large", large);
    line_init(&line, "large", NULL);
    assert_true(sign_files_collect(&line.cli, &files, &trouble));
    assert_int_equal(EVP_Digest(large, 1000000, expected, NULL, crypto_md(CRYPTO_SHA256), NULL), 1);

    assert_true(sign_file_digest(&files.items[0], crypto_md(CRYPTO_SHA256), digest, &trouble));

    assert_memory_equal(digest, expected, 32);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_refused_with_its_reason),
        TEST(signatures_get_their_names_at_the_end),
        TEST(none_is_left_when_one_cannot_have_its_name),
        TEST(what_was_replaced_counts_as_written_though_a_later_one_fails),
        TEST(with_force_what_was_there_is_replaced),
        TEST(a_file_without_signature_gets_none),
        TEST(what_is_reserved_has_no_name),
        TEST(a_temporary_file_becomes_the_signature_or_goes),
        TEST(what_a_killed_run_left_is_swept_and_nothing_else),
        TEST(what_somebody_took_for_an_orphan_gets_another_name),
        TEST(a_file_in_the_place_of_another_is_noticed),
        TEST(a_digest_is_that_of_the_whole_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
