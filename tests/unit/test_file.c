/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/clock.h"
#include "tests/lib/folder.h"

static char dir[64];

static int begin(void **state)
{
    (void)state;
    (void)strcpy(dir, "/tmp/file.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return folder_remove(dir);
}

/* dir/name with that content and mode; the path is static. */
static const char *make(const char *name, const char *content, mode_t mode)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, span_text(content)), SCA_OK);
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
    return path;
}

static void trust_is_decided_by_mode(void **state)
{
    static const struct {
        mode_t mode;
        unsigned trust;
        enum sca_status expected;
    } rows[] = {
        {0600, FILE_NOT_READABLE_BY_OTHERS | FILE_NOT_WRITABLE_BY_OTHERS, SCA_OK},
        {0644, FILE_NOT_WRITABLE_BY_OTHERS, SCA_OK},
        {0666, FILE_ANY, SCA_OK},
        {0664, FILE_NOT_WRITABLE_BY_OTHERS, SCA_INVALID},
        {0602, FILE_NOT_WRITABLE_BY_OTHERS, SCA_INVALID},
        {0640, FILE_NOT_READABLE_BY_OTHERS, SCA_INVALID},
        {0604, FILE_NOT_READABLE_BY_OTHERS, SCA_INVALID},
        {0610, FILE_NOT_READABLE_BY_OTHERS, SCA_INVALID},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(fd_closep) int fd = -1;
        const char *why = NULL;
        enum sca_status st =
            file_open_trusted(make("f", "x", rows[i].mode), rows[i].trust, &fd, &why);
        if (st != rows[i].expected)
            fail_msg("row %zu: %s", i, sca_status_name(st));
        assert_int_equal(fd >= 0, st == SCA_OK);
        assert_int_equal(why == NULL, st == SCA_OK);
        if (fd >= 0)
            assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    }
}

static void what_is_no_file_is_refused_without_hanging(void **state)
{
    char path[128];
    int fd = -1;
    const char *why = NULL;
    (void)state;

    assert_int_equal(file_open_trusted(dir, FILE_ANY, &fd, &why), SCA_INVALID);
    (void)snprintf(path, sizeof(path), "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_open_trusted(path, FILE_ANY, &fd, &why), SCA_INVALID);
    assert_string_equal(why, "not a regular file");
    (void)snprintf(path, sizeof(path), "%s/none", dir);
    assert_int_equal(file_open_trusted(path, FILE_ANY, &fd, &why), SCA_NOT_FOUND);
    (void)snprintf(path, sizeof(path), "%s/fifo/below", dir);
    assert_int_equal(file_open_trusted(path, FILE_ANY, &fd, &why), SCA_NOT_FOUND);
    assert_string_equal(why, "not there");
    assert_int_equal(fd, -1);
}

static void a_link_is_followed_unless_the_file_itself_is_wanted(void **state)
{
    char path[128];
    AUTO(fd_closep) int fd = -1;
    int none = -1;
    const char *why = NULL;
    (void)state;

    (void)snprintf(path, sizeof(path), "%s/link", dir);
    assert_int_equal(symlink(make("f", "x", 0600), path), 0);

    assert_int_equal(file_open_trusted(path, FILE_NOT_WRITABLE_BY_OTHERS, &fd, &why), SCA_OK);
    assert_int_equal(file_open_trusted(path, FILE_NOT_A_LINK, &none, &why), SCA_INVALID);
    assert_non_null(strstr(why, "symbolic link"));
    assert_int_equal(none, -1);
}

static void a_file_is_read_up_to_its_limit(void **state)
{
    struct buf bytes;
    const char *why = "something";
    (void)state;

    const char *path = make("f", "0123456789", 0600);
    assert_int_equal(file_read_trusted(path, FILE_ANY, 10, true, &bytes, &why), SCA_OK);
    assert_true(span_equal(buf_span(&bytes), span_text("0123456789")));
    assert_null(why);
    assert_true(bytes.is_sensitive);
    buf_fini(&bytes);
    assert_int_equal(file_read_trusted(path, FILE_ANY, 9, false, &bytes, &why), SCA_INVALID);
    assert_string_equal(why, "too large");
    assert_int_equal(bytes.len, 0);
    assert_null(bytes.ptr);
    path = make("empty", "", 0600);
    assert_int_equal(file_read_trusted(path, FILE_ANY, 0, false, &bytes, &why), SCA_OK);
    assert_int_equal(bytes.len, 0);
    buf_fini(&bytes);
}

static void a_file_larger_than_a_chunk_is_whole(void **state)
{
    char content[10001];
    struct buf bytes;
    const char *why = NULL;
    (void)state;
    memset(content, 'a', sizeof(content) - 1);
    content[sizeof(content) - 1] = 0;

    assert_int_equal(
        file_read_trusted(make("f", content, 0600), FILE_ANY, 20000, false, &bytes, &why), SCA_OK);

    assert_true(span_equal(buf_span(&bytes), span_text(content)));
    buf_fini(&bytes);
}

static unsigned count_entries(void)
{
    unsigned count = 0;
    DIR *open_dir = opendir(dir);
    assert_non_null(open_dir);
    while (readdir(open_dir))
        count++;
    (void)closedir(open_dir);
    return count - 2; /* . and .. */
}

static void a_replaced_file_is_new_private_and_alone(void **state)
{
    struct stat info;
    struct buf bytes;
    const char *why = NULL;
    (void)state;
    const char *path = make("f", "old", 0644);
    mode_t before = umask(0);

    assert_int_equal(file_replace(dir, "f", span_text("new")), SCA_OK);

    (void)umask(before);
    assert_int_equal(file_read_trusted(path, FILE_ANY, 10, false, &bytes, &why), SCA_OK);
    assert_true(span_equal(buf_span(&bytes), span_text("new")));
    buf_fini(&bytes);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(count_entries(), 1);
}

static void a_failed_replace_leaves_nothing_behind(void **state)
{
    char path[128];
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/folder", dir);
    assert_int_equal(mkdir(path, 0700), 0);

    assert_int_equal(file_replace(dir, "folder", span_text("new")), SCA_IO);
    (void)snprintf(path, sizeof(path), "%s/none", dir);
    assert_int_equal(file_replace(path, "f", span_text("new")), SCA_IO);

    assert_int_equal(count_entries(), 1);
}

static void a_draft_shows_when_it_is_published(void **state)
{
    AUTO(file_draft_fini) struct file_draft draft = FILE_DRAFT_INIT;
    AUTO(buf_fini) struct buf bytes;
    const char *why = NULL;
    const char *path = make("f", "old", 0644);
    (void)state;

    assert_int_equal(file_draft_write(dir, "f", span_text("new"), &draft), SCA_OK);
    assert_int_equal(file_read_trusted(path, FILE_ANY, 10, false, &bytes, &why), SCA_OK);
    assert_true(span_equal(buf_span(&bytes), span_text("old")));
    buf_fini(&bytes);
    assert_int_equal(file_draft_publish(&draft), SCA_OK);

    assert_int_equal(file_read_trusted(path, FILE_ANY, 10, false, &bytes, &why), SCA_OK);
    assert_true(span_equal(buf_span(&bytes), span_text("new")));
    assert_int_equal(count_entries(), 1);
}

static void a_draft_that_is_not_published_leaves_nothing(void **state)
{
    struct file_draft draft = FILE_DRAFT_INIT;
    char path[128];
    (void)state;
    (void)make("f", "old", 0644);
    (void)snprintf(path, sizeof(path), "%s/none", dir);

    assert_int_equal(file_draft_write(path, "f", span_text("new"), &draft), SCA_IO);
    assert_null(draft.temporary);
    assert_int_equal(file_draft_write(dir, "f", span_text("new"), &draft), SCA_OK);
    assert_int_equal(count_entries(), 2);
    file_draft_fini(&draft);
    file_draft_fini(&draft);

    assert_int_equal(count_entries(), 1);
}

static void a_removed_file_is_gone_and_a_folder_is_not_one(void **state)
{
    char path[128];
    (void)state;
    (void)make("f", "old", 0644);
    (void)snprintf(path, sizeof(path), "%s/folder", dir);
    assert_int_equal(mkdir(path, 0700), 0);

    assert_int_equal(file_remove(dir, "f"), SCA_OK);
    assert_int_equal(file_remove(dir, "f"), SCA_NOT_FOUND);
    assert_int_equal(file_remove(dir, "folder"), SCA_IO);

    assert_int_equal(count_entries(), 1);
}

static void folders_are_made_private_with_their_parents(void **state)
{
    char path[128];
    struct stat info;
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/a/b/c", dir);
    mode_t before = umask(0);

    assert_int_equal(dir_ensure_private(path), SCA_OK);
    assert_int_equal(dir_ensure_private(path), SCA_OK);

    (void)umask(before);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    (void)snprintf(path, sizeof(path), "%s/a", dir);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
}

static void a_file_in_the_place_of_a_folder_is_an_error(void **state)
{
    char path[140];
    (void)state;
    const char *file = make("f", "x", 0600);

    assert_int_equal(dir_ensure_private(file), SCA_IO);
    (void)snprintf(path, sizeof(path), "%s/below", file);
    assert_int_equal(dir_ensure_private(path), SCA_IO);
    assert_int_equal(dir_ensure_private("/proc/none"), SCA_IO);
}

static void notice(int number)
{
    (void)number;
}

static void a_lock_is_waited_for_as_long_as_said_whatever_signals_come(void **state)
{
    const struct itimerval often = {{.tv_usec = 200}, {.tv_usec = 200}};
    const struct itimerval never = {{0}, {0}};
    const struct sigaction action = {.sa_handler = notice};
    int holder = -1;
    int fd = -1;
    (void)state;
    assert_int_equal(file_lock(dir, "lock", 0, &holder), SCA_OK);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    uint64_t begun = clock_system.now_ms(&clock_system);

    assert_int_equal(file_lock(dir, "lock", 150, &fd), SCA_IO);

    uint64_t took = clock_system.now_ms(&clock_system) - begun;
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_true(took >= 150);
    fd_unlock_closep(&holder);
}

static void a_lock_keeps_others_out_until_it_is_closed(void **state)
{
    char path[128];
    struct stat info;
    int first = -1;
    int second = -1;
    (void)state;

    assert_int_equal(file_lock(dir, "lock", 0, &first), SCA_OK);
    assert_int_equal(file_lock(dir, "lock", 12, &second), SCA_IO);
    assert_int_equal(second, -1);
    fd_closep(&first);
    assert_int_equal(file_lock(dir, "lock", 0, &second), SCA_OK);
    assert_int_equal(fcntl(second, F_GETFD), FD_CLOEXEC);
    fd_closep(&second);

    (void)snprintf(path, sizeof(path), "%s/lock", dir);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void a_lock_file_is_not_followed_elsewhere(void **state)
{
    char path[128];
    int fd = -1;
    (void)state;
    const char *victim = make("victim", "x", 0600);
    (void)snprintf(path, sizeof(path), "%s/lock", dir);
    assert_int_equal(symlink(victim, path), 0);

    assert_int_equal(file_lock(dir, "lock", 0, &fd), SCA_IO);
    assert_int_equal(file_lock("/nowhere/at/all", "lock", 0, &fd), SCA_IO);

    assert_int_equal(fd, -1);
}

static void writing_to_what_takes_nothing_fails(void **state)
{
    (void)state;
    AUTO(fd_closep) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);

    assert_int_equal(fd_write_all(full, span_text("x")), SCA_NO_SPACE);
    assert_int_equal(fd_write_all(full, span_of(NULL, 0)), SCA_OK);
    assert_int_equal(fd_write_all(-1, span_text("x")), SCA_IO);
}

static void what_a_killed_replacement_left_is_swept_away(void **state)
{
    static const char *const others[] = {".f.smartca-12345",  ".f.smartca-1234567",
                                         ".g.smartca-123456", ".f.123456",
                                         "f.smartca-123456",  "f"};
    char left[128];
    (void)state;
    (void)strcpy(left, make(".f.smartca-a1B2c3", "secret", 0600));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        (void)make(others[i], "", 0600);

    file_sweep(dir, "f");
    file_sweep("/nowhere", "f");

    assert_int_not_equal(access(left, F_OK), 0);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        AUTO(freep) char *path = path_join(dir, others[i]);
        assert_int_equal(access(path, F_OK), 0);
    }
}

static void a_replacement_sweeps_what_killed_ones_left(void **state)
{
    (void)state;
    (void)make(".f.smartca-a1B2c3", "secret", 0600);

    assert_int_equal(file_replace(dir, "f", span_text("new")), SCA_OK);

    assert_int_equal(count_entries(), 1);
}

static void what_somebody_writes_right_now_is_not_swept_away(void **state)
{
    AUTO(file_draft_fini) struct file_draft draft = FILE_DRAFT_INIT;
    AUTO(fd_closep) int fd = -1;
    (void)state;

    assert_int_equal(file_draft_write(dir, "f", span_text("new"), &draft), SCA_OK);
    assert_int_equal(file_replace(dir, "f", span_text("other")), SCA_OK);
    assert_int_equal(file_draft_publish(&draft), SCA_OK);

    /* Nobody has to wait for the file in its place. */
    fd = open(draft.path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fd_lock(fd, 0), SCA_OK);
    assert_int_equal(count_entries(), 1);
}

static void paths_are_joined(void **state)
{
    (void)state;
    AUTO(freep) char *path = path_join("/a/b", "c");

    assert_string_equal(path, "/a/b/c");
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(trust_is_decided_by_mode),
        STAGED(what_is_no_file_is_refused_without_hanging),
        STAGED(a_link_is_followed_unless_the_file_itself_is_wanted),
        STAGED(a_file_is_read_up_to_its_limit),
        STAGED(a_file_larger_than_a_chunk_is_whole),
        STAGED(a_replaced_file_is_new_private_and_alone),
        STAGED(a_failed_replace_leaves_nothing_behind),
        STAGED(a_draft_shows_when_it_is_published),
        STAGED(a_draft_that_is_not_published_leaves_nothing),
        STAGED(a_removed_file_is_gone_and_a_folder_is_not_one),
        STAGED(what_a_killed_replacement_left_is_swept_away),
        STAGED(a_replacement_sweeps_what_killed_ones_left),
        STAGED(what_somebody_writes_right_now_is_not_swept_away),
        STAGED(folders_are_made_private_with_their_parents),
        STAGED(a_file_in_the_place_of_a_folder_is_an_error),
        STAGED(a_lock_is_waited_for_as_long_as_said_whatever_signals_come),
        STAGED(a_lock_keeps_others_out_until_it_is_closed),
        STAGED(a_lock_file_is_not_followed_elsewhere),
        cmocka_unit_test(writing_to_what_takes_nothing_fails),
        cmocka_unit_test(paths_are_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
