/* SPDX-License-Identifier: Apache-2.0 */
/* A host that closes every descriptor there is, as daemons do, and opens its own. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/module/child.h"
#include "tests/module/stage.h"

/* The numbers that the module's descriptors are among, and the host uses anew. */
static struct {
    int from;
    int to;
} numbers;

static int lowest_free(void)
{
    int fd = dup(STDIN_FILENO);
    (void)close(fd);
    return fd;
}

/* All below are taken, by the test's own among others. */
static void use_numbers_from_here(void)
{
    enum { FIRST = 20, HOSTS = 32 };

    while (dup(STDIN_FILENO) < FIRST - 1)
        ;
    numbers.from = FIRST;
    numbers.to = FIRST + HOSTS;
}

static int open_file(void)
{
    char path[] = "/tmp/host.XXXXXX";
    int fd = mkstemp(path);
    (void)unlink(path);
    return fd;
}

static int open_eventfd(void)
{
    return eventfd(0, EFD_NONBLOCK);
}

static int open_inotify(void)
{
    int fd = inotify_init1(IN_NONBLOCK);
    (void)inotify_add_watch(fd, "/", IN_DELETE_SELF);
    return fd;
}

/* The other end of each is the descriptor after it. */
static int open_socket(void)
{
    static int ends[2] = {-1, -1};
    int fd = ends[1];
    ends[1] = -1;
    if (fd >= 0)
        return fd;
    (void)socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends);
    return ends[0];
}

/* One call that waits, for which the module opens what it waits with. */
static CK_RV wait_once(CK_SLOT_ID gone)
{
    CK_SLOT_ID slot = 0;

    fake_play((struct fake_script){.gone = gone});
    return p11->C_WaitForSlotEvent(0, &slot, NULL);
}

/* Closes what there is and takes all its numbers. */
static bool replace_all(int (*open_one)(void))
{
    for (int fd = numbers.from; fd < numbers.to; fd++)
        (void)close(fd);
    for (int fd = numbers.from; fd < numbers.to; fd++)
        if (open_one() != fd)
            return false;
    return true;
}

/* All there, nothing written into them, and the inotify ones without another watch. */
static bool is_untouched(int (*open_one)(void))
{
    char byte = 0;

    for (int fd = numbers.from; fd < numbers.to; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            return false;
        if (open_one == open_file ? lseek(fd, 0, SEEK_END) != 0 : read(fd, &byte, 1) >= 0)
            return false;
        /* Watch descriptors are counted from 1 on. */
        if (open_one == open_inotify && inotify_add_watch(fd, "/tmp", IN_DELETE_SELF) != 2)
            return false;
    }
    return true;
}

static int finalize_leaves_them(void *arg)
{
    int (*const *open_one)(void) = arg;

    use_numbers_from_here();
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    CHECK(wait_once(FAKE_PIN) == CKR_OK);
    CHECK(replace_all(*open_one));
    CHECK(p11->C_Finalize(NULL) == CKR_OK);
    CHECK(is_untouched(*open_one));
    return 0;
}

/* Also with an event to tell, which would wake whoever waits. */
static int events_leave_them(void *arg)
{
    int (*const *open_one)(void) = arg;
    CK_ULONG count = 0;

    use_numbers_from_here();
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    CHECK(wait_once(FAKE_PIN) == CKR_OK);
    CHECK(replace_all(*open_one));
    CHECK(wait_once(0) == CKR_OK);
    fake_play((struct fake_script){.has_late_slot = true});
    CHECK(p11->C_GetSlotList(CK_FALSE, NULL, &count) == CKR_OK);
    CHECK(is_untouched(*open_one));
    CHECK(p11->C_Finalize(NULL) == CKR_OK);
    CHECK(is_untouched(*open_one));
    return 0;
}

static int initialize_leaves_them(void *arg)
{
    int (*const *open_one)(void) = arg;

    CHECK(replace_all(*open_one));
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    CHECK(is_untouched(*open_one));
    return 0;
}

static int (*kinds[])(void) = {open_file, open_eventfd, open_inotify, open_socket};

static void assert_story(int (*story)(void *), size_t kind)
{
    int line = child_run(story, &kinds[kind]);

    if (line != 0)
        fail_msg("kind %zu, line %d", kind, line);
}

static void what_the_host_opened_later_outlives_finalize(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        assert_story(finalize_leaves_them, i);
}

static void events_are_told_with_new_descriptors(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        assert_story(events_leave_them, i);
}

static void a_child_s_own_descriptors_are_not_taken_for_copies(void **state)
{
    (void)state;
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    numbers.from = lowest_free();
    EXPECT(CKR_OK, wait_once(FAKE_PIN));
    numbers.to = lowest_free();
    assert_true(numbers.to > numbers.from);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        assert_story(initialize_leaves_them, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFF(what_the_host_opened_later_outlives_finalize),
        OFF(events_are_told_with_new_descriptors),
        OFF(a_child_s_own_descriptors_are_not_taken_for_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
