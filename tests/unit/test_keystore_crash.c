/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that die while they write, many at once, and disks that do not take what is written. */
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/unit/keystore_stage.h"

static int answer_of(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Two objects that always change together, so that half a write would show. */
static void write_for_ever(struct keystore_stage *stage, int told)
{
    char body[32];

    for (uint32_t i = 1;; i++) {
        (void)snprintf(body, sizeof(body), "%u", i);
        struct keystore_change changes[] = {
            {.object = {.number = 1, .body = span_text(body)}},
            {.object = {.number = 2,
                        .is_private = true,
                        .body = span_text(body),
                        .key = span_text(body)}},
        };
        if (keystore_write(&stage->keystore, &stage->call, stage->master_key, changes, 2) !=
                SCA_OK ||
            write(told, &i, sizeof(i)) != sizeof(i))
            _exit(1);
    }
}

/* The number of the last write that the process knew to be done. */
static uint32_t kill_writer_after(struct keystore_stage *stage, long delay_ns)
{
    const struct timespec delay = {.tv_nsec = delay_ns};
    uint32_t last = 0;
    uint32_t next = 0;
    int pipe_fds[2];

    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)close(pipe_fds[0]);
        /* Its parent's secrets are not for it; it logs in by itself. */
        stage->master_key = NULL;
        if (keystore_stage_login(stage, KEYSTORE_USER, USER_PIN) != SCA_OK)
            _exit(1);
        write_for_ever(stage, pipe_fds[1]);
    }
    (void)close(pipe_fds[1]);
    (void)nanosleep(&delay, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(pipe_fds[0], &next, sizeof(next)) == sizeof(next))
        last = next;
    (void)close(pipe_fds[0]);
    return last;
}

static void a_killed_writer_leaves_the_old_or_the_new_state(void **state)
{
    enum { ROUNDS = 60, MOST_NS = 15000000 };
    struct keystore_stage *stage = *state;
    char expected[2][64];
    char found[STAGE_TEXT_SIZE];
    char leftover[128];

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    (void)keystore_stage_add(stage, "0", NULL, NULL);
    (void)keystore_stage_add(stage, "0", "0", NULL);
    for (long i = 0; i < ROUNDS; i++) {
        struct keystore_change zeros[] = {
            {.object = {.number = 1, .body = span_text("0")}},
            {.object =
                 {.number = 2, .is_private = true, .body = span_text("0"), .key = span_text("0")}},
        };
        assert_int_equal(
            keystore_write(&stage->keystore, &stage->call, stage->master_key, zeros, 2), SCA_OK);
        uint32_t last = kill_writer_after(stage, i * MOST_NS / ROUNDS);
        for (uint32_t j = 0; j < 2; j++)
            (void)snprintf(expected[j], sizeof(expected[j]), "1:%u 2:%u/%u", last + j, last + j,
                           last + j);
        assert_int_equal(keystore_stage_read(stage, found), SCA_OK);
        if (strcmp(found, expected[0]) != 0 && strcmp(found, expected[1]) != 0)
            fail_msg("round %ld: %s after %s", i, found, expected[0]);
    }

    /* What the killed ones left behind is gone with the next write. */
    (void)keystore_stage_add(stage, "last", NULL, NULL);
    keystore_stage_path(stage, "token.new", leftover);
    assert_int_equal(access(leftover, F_OK), -1);
    keystore_stage_path(stage, "token.old.new", leftover);
    assert_int_equal(access(leftover, F_OK), -1);
}

static void leftovers_of_a_crash_are_no_hindrance(void **state)
{
    static const char *const leftovers[] = {"token.new", "token.old.new", "pins.new"};
    struct keystore_stage *stage = *state;
    char token[128];
    char old[128];

    for (size_t i = 0; i < ARRAY_LEN(leftovers); i++)
        keystore_stage_put(stage, leftovers[i], span_text("half a fi"));
    /* Killed between its two renames: both names are of one file. */
    keystore_stage_path(stage, "token", token);
    keystore_stage_path(stage, "token.old", old);
    assert_int_equal(unlink(old), 0);
    assert_int_equal(link(token, old), 0);

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    (void)keystore_stage_add(stage, "x", NULL, NULL);
    (void)keystore_stage_add(stage, "y", NULL, NULL);

    keystore_stage_holds(stage, "1:x 2:y");
    for (size_t i = 0; i < ARRAY_LEN(leftovers); i++)
        assert_false(keystore_stage_has(stage, leftovers[i]));
}

/* What is left of a token whose making was killed. */
static void leave_half_a_token(struct keystore_stage *stage)
{
    static const char *const parts[] = {"token.new", "pins", "login", "lock"};

    assert_int_equal(keystore_remove(&stage->keystore), SCA_OK);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        keystore_stage_put(stage, parts[i], span_text("x"));
}

static void what_is_left_of_a_token_that_never_came_to_be_is_swept_away(void **state)
{
    struct keystore_stage *stage = *state;

    leave_half_a_token(stage);
    keystore_sweep("/nowhere");
    keystore_sweep(stage->dir);

    assert_false(keystore_stage_has(stage, "token.new"));
    assert_false(keystore_stage_has(stage, "pins"));
    assert_false(keystore_stage_has(stage, "login"));
    assert_false(keystore_stage_has(stage, "lock"));
    assert_int_equal(keystore_stage_create(stage), SCA_OK);
}

static void a_token_and_one_that_is_being_made_are_not_swept_away(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(fd_unlock_closep) int maker = -1;
    char path[128];

    keystore_sweep(stage->dir);
    assert_true(keystore_stage_has(stage, "lock"));
    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);

    leave_half_a_token(stage);
    keystore_stage_path(stage, "lock", path);
    maker = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fd_lock(maker, 0), SCA_OK);
    keystore_sweep(stage->dir);

    assert_true(keystore_stage_has(stage, "lock"));
    assert_true(keystore_stage_has(stage, "token.new"));
}

static void the_generation_before_is_kept(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(buf_fini) struct buf before;
    AUTO(buf_fini) struct buf old;

    (void)keystore_stage_add(stage, "x", NULL, NULL);
    keystore_stage_load(stage, "token", &before);
    (void)keystore_stage_add(stage, "y", NULL, NULL);

    keystore_stage_load(stage, "token.old", &old);
    assert_true(span_equal(buf_span(&before), buf_span(&old)));
    keystore_stage_holds(stage, "1:x 2:y");
}

enum { WRITERS = 8, WRITES = 12 };

static int add_some(struct keystore_stage *stage, int writer)
{
    char body[32];

    stage->master_key = NULL;
    if (keystore_stage_login(stage, KEYSTORE_USER, USER_PIN) != SCA_OK)
        return 1;
    for (int i = 0; i < WRITES; i++) {
        (void)snprintf(body, sizeof(body), "%d-%d", writer, i);
        struct keystore_change change = {.object = {.is_private = i % 2, .body = span_text(body)}};
        if (keystore_write(&stage->keystore, &stage->call, stage->master_key, &change, 1) != SCA_OK)
            return 1;
    }
    return 0;
}

struct tally {
    uint32_t last;
    unsigned of_writer[WRITERS];
};

/* Every writer's bodies come in its own order, and none twice. */
static enum sca_status count_one(void *arg, const struct keystore_object *object)
{
    struct tally *tally = arg;
    char expected[32];
    int writer = object->body.ptr[0] - '0';

    assert_in_range(writer, 0, WRITERS - 1);
    (void)snprintf(expected, sizeof(expected), "%d-%u", writer, tally->of_writer[writer]++);
    assert_true(span_equal(object->body, span_text(expected)));
    assert_int_equal(object->number, ++tally->last);
    return SCA_OK;
}

static void eight_processes_that_write_lose_nothing(void **state)
{
    struct keystore_stage *stage = *state;
    struct tally tally = {.last = 0};
    pid_t children[WRITERS];
    const char *why = NULL;

    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(add_some(stage, i));
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(answer_of(children[i]), 0);

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    assert_int_equal(keystore_read(&stage->keystore, stage->master_key, 0, count_one, &tally, &why),
                     SCA_OK);
    assert_int_equal(tally.last, WRITERS * WRITES);
}

/* A thread's own call and memory; the token is everybody's. */
static void *log_in_and_write(void *arg)
{
    const struct keystore_stage *shared = arg;
    struct keystore_stage own = *shared;

    own.keystore.name = shared->name;
    call_init(&own.call, &clock_system, 30000);
    enum sca_status st = keystore_stage_login(&own, KEYSTORE_USER, "no such pin");
    if (st == SCA_USER_AUTH)
        st = keystore_stage_login(&own, KEYSTORE_USER, USER_PIN);
    if (st == SCA_OK)
        (void)keystore_stage_add(&own, "x", "y", &st);
    secret_free(own.master_key);
    call_fini(&own.call);
    return st == SCA_OK ? arg : NULL;
}

static void threads_take_turns_as_processes_do(void **state)
{
    enum { THREADS = 8 };
    struct keystore_stage *stage = *state;
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_in_and_write, stage), 0);
    for (int i = 0; i < THREADS; i++) {
        void *answer = NULL;
        assert_int_equal(pthread_join(threads[i], &answer), 0);
        assert_ptr_equal(answer, stage);
    }

    assert_int_equal(keystore_stage_login(stage, KEYSTORE_USER, USER_PIN), SCA_OK);
    keystore_stage_holds(stage, "1:x/y 2:x/y 3:x/y 4:x/y 5:x/y 6:x/y 7:x/y 8:x/y");
}

static int write_beyond_the_limit(struct keystore_stage *stage)
{
    static const char large[4096];
    const struct rlimit limit = {.rlim_cur = 2048, .rlim_max = RLIM_INFINITY};
    struct keystore_change change = {.object = {.body = span_of(large, sizeof(large))}};

    /* SIGXFSZ is not ignored: it must not be sent. */
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return SCA_STATUS_COUNT;
    return (int)keystore_write(&stage->keystore, &stage->call, NULL, &change, 1);
}

static void a_full_disk_leaves_the_token_as_it_was(void **state)
{
    struct keystore_stage *stage = *state;

    (void)keystore_stage_add(stage, "x", NULL, NULL);
    uint64_t stamp = keystore_stamp(&stage->keystore);
    pid_t child = fork();
    if (child == 0)
        _exit(write_beyond_the_limit(stage));

    assert_int_equal(answer_of(child), SCA_NO_SPACE);
    assert_int_equal(keystore_stamp(&stage->keystore), stamp);
    assert_false(keystore_stage_has(stage, "token.new"));
    keystore_stage_holds(stage, "1:x");
}

/* As somebody who may read the folder and not write there. */
static int use_read_only(struct keystore_stage *stage)
{
    enum { NOBODY = 65534 };
    enum sca_status st = SCA_OK;
    char found[STAGE_TEXT_SIZE];
    char path[128];

    keystore_stage_path(stage, "token", path);
    if (geteuid() == 0 && (chown(stage->dir, NOBODY, NOBODY) != 0 || chown(path, NOBODY, 0) != 0))
        return 1;
    *strrchr(path, '/') = 0;
    if ((geteuid() == 0 && chown(path, NOBODY, NOBODY) != 0) || chmod(path, 0500) != 0)
        return 2;
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                           setresuid(NOBODY, NOBODY, NOBODY) != 0))
        return 3;
    if (keystore_stage_read(stage, found) != SCA_OK || strcmp(found, "1:x") != 0)
        return 4;
    (void)keystore_stage_add(stage, "y", NULL, &st);
    if (st != SCA_IO)
        return 5;
    return keystore_stage_login(stage, KEYSTORE_USER, USER_PIN) == SCA_IO ? 0 : 6;
}

static void a_read_only_folder_can_be_read(void **state)
{
    struct keystore_stage *stage = *state;
    char path[128];

    (void)keystore_stage_add(stage, "x", NULL, NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(use_read_only(stage));

    assert_int_equal(answer_of(child), 0);
    keystore_stage_path(stage, "token", path);
    *strrchr(path, '/') = 0;
    assert_int_equal(chmod(path, 0700), 0);
}

static void a_writer_that_does_not_let_go_is_not_waited_for(void **state)
{
    struct keystore_stage *stage = *state;
    AUTO(fd_closep) int lock = -1;
    enum sca_status st = SCA_OK;
    char path[128];
    char file[64];

    keystore_stage_path(stage, "", path);
    *strrchr(path, '/') = 0;
    (void)snprintf(file, sizeof(file), "%s.lock", stage->name);
    assert_int_equal(file_lock(path, file, 0, &lock), SCA_OK);
    call_fini(&stage->call);
    call_init(&stage->call, &clock_system, 50);

    (void)keystore_stage_add(stage, "x", NULL, &st);
    assert_int_equal(st, SCA_IO);
    assert_non_null(strstr(stage->call.note, "locked"));
    keystore_stage_holds(stage, "");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, keystore_stage_begin, keystore_stage_end)
    const struct CMUnitTest tests[] = {
        WITH(a_killed_writer_leaves_the_old_or_the_new_state),
        WITH(leftovers_of_a_crash_are_no_hindrance),
        WITH(what_is_left_of_a_token_that_never_came_to_be_is_swept_away),
        WITH(a_token_and_one_that_is_being_made_are_not_swept_away),
        WITH(the_generation_before_is_kept),
        WITH(eight_processes_that_write_lose_nothing),
        WITH(threads_take_turns_as_processes_do),
        WITH(a_full_disk_leaves_the_token_as_it_was),
        WITH(a_read_only_folder_can_be_read),
        WITH(a_writer_that_does_not_let_go_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
