/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forks at random moments while threads of the parent list, sign, log in and out.
 *   forks COUNT [SEED]
 *   forks fds        what a program that was exec'ed inherits
 * At the end it says how many SmartCA signatures were begun and made, in all processes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/guest/judge.h"
#include "tests/guest/worker.h"

/* SIGALRM ends a child that hangs. A login to a self-signed slot takes half a second of CPU, and
 * on a busy machine ten. */
enum { CHILD_LIMIT_S = 60, TEXT_LEN = 96, SLOW_ONE_IN = 25, FDS_MAX = 1024 };

/* Of all processes. */
struct tally {
    atomic_uint asked;
    atomic_uint made;
    atomic_uint lost;  /* children without the USB token that they were to sign with */
    atomic_uint found; /* children that signed with it */
};
static struct tally *tally;
static uint32_t dice;
static char *self;
static CK_SESSION_HANDLE inherited;

static void must_be_refused(void)
{
    CK_BYTE out[HOST_SIGNATURE_MAX];
    CK_ULONG len = sizeof(out);
    CK_INFO info;
    const CK_RV refusals[] = {
        p11->C_GetInfo(&info),
        p11->C_GetSlotList(CK_FALSE, NULL, &len),
        p11->C_Sign(inherited, out, 1, out, &len),
        p11->C_Logout(inherited),
        p11->C_CloseSession(inherited),
        p11->C_Finalize(NULL),
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (refusals[i] != CKR_CRYPTOKI_NOT_INITIALIZED)
            host_fail("call %zu in a child returned 0x%lx", i, refusals[i]);
}

static void sign(enum host_slot slot)
{
    char text[TEXT_LEN];
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_BYTE signature[HOST_SIGNATURE_MAX];
    CK_ULONG len = 0;

    host_start();
    host_text(text, sizeof(text), "child", 0);
    if (!host_has(slot) ||
        !host_worked(slot, host_open(slot, 0, &session), "C_OpenSession of a child") ||
        !host_worked(slot, host_login(session), "C_Login of a child")) {
        atomic_fetch_add(&tally->lost, 1);
        return;
    }
    if (slot == HOST_SMARTCA)
        atomic_fetch_add(&tally->asked, 1);
    host_must(host_sign(slot, session, text, signature, &len), "C_Sign of a child");
    judge_signature(slot, text, signature, len);
    if (slot == HOST_SMARTCA)
        atomic_fetch_add(&tally->made, 1);
    if (slot == HOST_USB)
        atomic_fetch_add(&tally->found, 1);
}

static void sign_smartca(void)
{
    sign(HOST_SMARTCA);
}

static void sign_usb(void)
{
    sign(HOST_USB);
    host_must(p11->C_Finalize(NULL), "C_Finalize of a child");
}

static void sign_self_signed(void)
{
    sign(host_dice(&dice, 2) ? HOST_RSA : HOST_EC);
}

static void list(void)
{
    host_start();
    for (enum host_slot slot = 0; slot < HOST_SLOTS; slot++) {
        CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
        CK_OBJECT_HANDLE objects[32];
        CK_ULONG count = 0;
        if (!host_has(slot) ||
            !host_worked(slot, host_open(slot, 0, &session), "C_OpenSession of a child") ||
            !host_worked(slot, p11->C_FindObjectsInit(session, NULL, 0), "C_FindObjectsInit") ||
            !host_worked(slot, p11->C_FindObjects(session, objects, 32, &count), "C_FindObjects"))
            continue;
        if (count == 0)
            host_fail("slot %s is empty in a child", host_slot_name(slot));
    }
    host_must(p11->C_Finalize(NULL), "C_Finalize of a child");
}

static void be_another_program(void)
{
    (void)execl(self, self, "fds", (char *)NULL);
    host_fail("exec: %s", strerror(errno));
}

/* While the child borrows the parent's memory, a thread of the parent's may well be in the module.
 */
static void vfork_another_program(void)
{
    int status = 0;
    pid_t child = vfork(); /* NOLINT: it is what is tested */
    if (child == 0) {
        (void)execl(self, self, "fds", (char *)NULL);
        _exit(HOST_FAILED);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        host_fail("vfork and exec: 0x%x", (unsigned)status);
}

static void close_everything(void)
{
    for (int fd = 0; fd < FDS_MAX; fd++)
        (void)close(fd);
}

/* As daemon(3) and systemd's notes have it. */
static void daemonise(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        (void)setsid();
        pid_t grandchild = fork();
        if (grandchild != 0) {
            if (waitpid(grandchild, &status, 0) != grandchild || status != 0)
                host_fail("a daemon ended with 0x%x", (unsigned)status);
            _exit(0);
        }
        (void)alarm(CHILD_LIMIT_S);
        if (chdir("/") != 0)
            host_fail("chdir: %s", strerror(errno));
        close_everything();
        (void)open("/dev/null", O_RDWR);
        (void)dup2(0, 1);
        (void)dup2(0, 2);
        must_be_refused();
        sign(HOST_SMARTCA);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        host_fail("daemonising ended with 0x%x", (unsigned)status);
}

/* Ends with exit, and the exit handlers of all libraries: it has not said C_Initialize. */
static void leave(void)
{
    exit(0);
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {
    {"signs with SmartCA", sign_smartca},
    {"signs with the USB token", sign_usb},
    {"lists", list},
    {"executes", be_another_program},
    {"vforks and executes", vfork_another_program},
    {"becomes a daemon", daemonise},
    {"exits", leave},
    {"signs with a self-signed token", sign_self_signed},
};
enum { ACTS = sizeof(acts) / sizeof(acts[0]) };

static void be_the_child(size_t act)
{
    (void)alarm(CHILD_LIMIT_S);
    must_be_refused();
    acts[act].act();
    if (host_dice(&dice, 2))
        exit(0);
    _exit(0);
}

static size_t choose_act(void)
{
    return host_dice(&dice, SLOW_ONE_IN) == 0 ? ACTS - 1 : host_dice(&dice, ACTS - 1);
}

/* One child in eight is killed, at any moment. */
static void fork_one(void)
{
    int status = 0;
    size_t act = choose_act();
    bool is_killed = host_dice(&dice, 8) == 0;

    host_rest_us(host_dice(&dice, 2000));
    pid_t child = fork();
    if (child < 0)
        host_fail("fork: %s", strerror(errno));
    if (child == 0)
        be_the_child(act);
    if (is_killed) {
        host_rest_us(host_dice(&dice, 20000));
        (void)kill(child, SIGKILL);
    }
    if (waitpid(child, &status, 0) != child)
        host_fail("waitpid: %s", strerror(errno));
    if (WIFSIGNALED(status) && !(is_killed && WTERMSIG(status) == SIGKILL))
        host_fail("a child that %s died of signal %d%s", acts[act].name, WTERMSIG(status),
                  WTERMSIG(status) == SIGALRM ? ": it hung" : "");
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        host_fail("a child that %s ended with %d", acts[act].name, WEXITSTATUS(status));
}

/* Of what is open here, only the script's may be: the module's are all closed by exec. */
static int list_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int failures = 0;
    if (!dir)
        host_fail("/proc/self/fd: %s", strerror(errno));
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char target[256];
        int fd = (int)strtol(entry->d_name, NULL, 10);
        ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
        if (fd <= STDERR_FILENO || fd == dirfd(dir) || len < 0)
            continue;
        target[len] = 0;
        if (strstr(target, "/tokens/")) /* SoftHSM2's own, which it does not close */
            continue;
        host_say("FAILED: inherited descriptor %d, %s", fd, target);
        failures++;
    }
    (void)closedir(dir);
    return failures ? HOST_FAILED : 0;
}

/* What this program was started with is not the module's: close it when another is executed. */
static void keep_descriptors_to_ourselves(void)
{
    for (int fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "fds") == 0)
        return list_descriptors();
    keep_descriptors_to_ourselves();
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
    dice = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
    self = argv[0];
    tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tally == MAP_FAILED)
        host_fail("mmap: %s", strerror(errno));

    host_load();
    judge_start();
    host_start();
    host_must(host_open(HOST_SMARTCA, 0, &inherited), "C_OpenSession");
    workers_start();
    workers_warm(2);
    for (unsigned i = 0; i < count; i++)
        fork_one();
    workers_warm(2);
    workers_stop();
    host_must(p11->C_CloseSession(inherited), "C_CloseSession");
    host_must(p11->C_Finalize(NULL), "C_Finalize");
    host_say("children with their USB token: %u, without: %u", atomic_load(&tally->found),
             atomic_load(&tally->lost));
    if (atomic_load(&tally->found) < atomic_load(&tally->lost))
        host_fail("most children lack the USB token");
    host_say("asked %u, signed %u", atomic_load(&tally->asked) + workers_asked(),
             atomic_load(&tally->made) + workers_signed());
    return 0;
}
