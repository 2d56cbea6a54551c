/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/live_stage.h"
#include "module/token/slot_look.h"

#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/catalogue/catalogue.h"
#include "tests/lib/folder.h"

#define ACCOUNT "[account work]\nuser_id = " ALICE "\n"

const struct cryptoki_list_3_2 *p11;
static CK_UTF8CHAR so_pin[] = SO_PIN;
static CK_UTF8CHAR pin[] = PIN;
static const char *self; /* how this program was called */

struct live_stage live;

void live_expect(CK_RV expected, CK_RV actual, int line)
{
    if (expected != actual)
        fail_msg("line %d: 0x%lx instead of 0x%lx", line, actual, expected);
}

static struct certificate certificate(const char *serial)
{
    return (struct certificate){
        .der = span_text("a certificate"),
        .subject = span_of("\x30\x00", 2),
        .issuer = span_of("\x30\x00", 2),
        .serial = span_text(serial),
        .spki = span_text("a key"),
        .id = span_text("01234567890123456789"),
        .modulus = span_text("0123456789012345678901234567890123456789012345678901234567890123"
                             "0123456789012345678901234567890123456789012345678901234567890123"
                             "0123456789012345678901234567890123456789012345678901234567890123"
                             "0123456789012345678901234567890123456789012345678901234567890123"),
        .exponent = span_of("\x01\x00\x01", 3),
        .common_name = span_text("Nguyễn Văn A"),
        .not_after = INT64_C(1) << 40,
    };
}

static enum sca_status store(const char *state, const char *user_id, const char *letters)
{
    enum { MAX = 8 };
    struct certificate leaves[MAX];
    struct fetched_certificate items[MAX];
    char serials[MAX][2];
    size_t count = strlen(letters);

    for (size_t i = 0; i < count && i < MAX; i++) {
        memcpy(serials[i], (char[]){letters[i], 0}, 2);
        leaves[i] = certificate(serials[i]);
        items[i] = (struct fetched_certificate){.service_serial = serials[i],
                                                .service_status = "ACTIVE",
                                                .state = CERTIFICATE_ACTIVE,
                                                .leaf = &leaves[i]};
    }
    return catalogue_store(state, LIVE_URL, user_id, 1780000000, items, count);
}

bool live_is_other(int argc, char **argv)
{
    enum { NAMED = 4 }; /* state folder, user and letters follow */
    self = argv[0];
    return argc == NAMED;
}

int live_be_other(char **argv)
{
    enum { CHURNS = 200 };
    static const char *const turns[] = {"a", "ab", "b", "abc", "", "ac"};

    if (strcmp(argv[3], "churn") != 0)
        return store(argv[1], argv[2], argv[3]) == SCA_OK ? 0 : 1;
    for (size_t i = 0; i < CHURNS; i++)
        if (store(argv[1], argv[2], turns[i % ARRAY_LEN(turns)]) != SCA_OK)
            return 1;
    return 0;
}

pid_t live_start_other(const char *user_id, const char *letters)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)execl(self, self, live.state, user_id, letters, (char *)NULL);
        _exit(99);
    }
    return child;
}

void live_end_other(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

void live_other_stores(const char *user_id, const char *letters)
{
    live_end_other(live_start_other(user_id, letters));
}

static void write_main(const char *accounts)
{
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   "[module]\nstate_dir = %s\nlog = %s/log\n"
                   "[smartca]\nurl = " LIVE_URL "\nsp_id = us\nsp_password = word\n%s",
                   live.state, live.dir, accounts);
    assert_int_equal(file_replace(live.dir, "main.conf", span_text(text)), SCA_OK);
}

int live_begin_off(void **state)
{
    char path[96];
    CK_INTERFACE *interface = NULL;
    (void)state;

    EXPECT(CKR_OK, C_GetInterface(NULL, NULL, &interface, 0));
    p11 = interface->pFunctionList;
    (void)strcpy(live.dir, "/tmp/live.XXXXXX");
    assert_non_null(mkdtemp(live.dir));
    (void)snprintf(live.state, sizeof(live.state), "%s/state", live.dir);
    (void)snprintf(path, sizeof(path), "%s/main.conf", live.dir);
    assert_int_equal(setenv("SMARTCA_PKCS11_CONF", path, 1), 0);
    write_main(ACCOUNT);
    assert_int_equal(store(live.state, ALICE, ""), SCA_OK);
    return 0;
}

CK_ULONG live_count_slots(CK_BBOOL present)
{
    CK_ULONG count = 0;
    slot_look_forget_pace();
    EXPECT(CKR_OK, p11->C_GetSlotList(present, NULL, &count));
    return count;
}

int live_begin(void **state)
{
    (void)live_begin_off(state);
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    assert_int_equal(live_count_slots(CK_FALSE), 2); /* the account's and the empty one */
    assert_int_equal(live_count_slots(CK_TRUE), 1);
    return 0;
}

int live_end(void **state)
{
    (void)state;
    (void)p11->C_Finalize(NULL);
    return folder_remove(live.dir);
}

uint64_t live_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void *run_wait(void *arg)
{
    struct live_waiter *waiter = arg;
    waiter->rv = p11->C_WaitForSlotEvent(0, &waiter->slot, NULL);
    waiter->ended_ms = live_now_ms();
    return NULL;
}

static int descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count;
}

void live_wait(struct live_waiter *waiter)
{
    *waiter = (struct live_waiter){.rv = CKR_GENERAL_ERROR};
    assert_int_equal(pthread_create(&waiter->thread, NULL, run_wait, waiter), 0);
}

void live_wait_first(struct live_waiter *waiter)
{
    int before = descriptors();
    live_wait(waiter);
    while (descriptors() < before + 2)
        (void)sched_yield();
}

CK_RV live_join(struct live_waiter *waiter)
{
    assert_int_equal(pthread_join(waiter->thread, NULL), 0);
    return waiter->rv;
}

CK_SLOT_ID live_next_event(void)
{
    CK_SLOT_ID slot = 0;
    CK_RV rv = p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL);
    EXPECT(slot ? CKR_OK : CKR_NO_EVENT, rv);
    return slot;
}

void live_init_token(CK_SLOT_ID slot)
{
    CK_UTF8CHAR label[32];
    memset(label, ' ', sizeof(label));
    EXPECT(CKR_OK, p11->C_InitToken(slot, so_pin, strlen(SO_PIN), label));
}

CK_SESSION_HANDLE live_login(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    EXPECT(CKR_OK,
           p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    EXPECT(CKR_OK, p11->C_Login(session, CKU_SO, so_pin, strlen(SO_PIN)));
    EXPECT(CKR_OK, p11->C_InitPIN(session, pin, strlen(PIN)));
    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_OK, p11->C_Login(session, CKU_USER, pin, strlen(PIN)));
    return session;
}
