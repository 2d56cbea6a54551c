/* SPDX-License-Identifier: Apache-2.0 */
/* C_Finalize while the audit log hangs in a disk that does not answer. Linked with --wrap=fsync. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#include "remote/audit/audit.h"
#include "tests/module/background.h"
#include "tests/module/child.h"

/* What the next fsync does; the ones after it are as ever. */
static void (*instead)(void);

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    void (*now)(void) = instead;
    instead = NULL;
    if (now)
        now();
    return __real_fsync(fd);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static sem_t is_hanging;
static sem_t may_go_on;

static void hang(void)
{
    (void)sem_post(&is_hanging);
    while (sem_wait(&may_go_on) != 0)
        ;
}

static size_t right_lines(void)
{
    struct audit_report report = {.fault = AUDIT_BAD_LINE};
    char dir[96];

    (void)snprintf(dir, sizeof(dir), "%s/state", stage_folder());
    return audit_verify(dir, &report) == SCA_OK && report.fault == AUDIT_RIGHT ? report.line_count
                                                                               : 0;
}

static void begin_signing(struct background *signing)
{
    background_sign(signing, stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS));
}

static int end_while_it_hangs(void *arg)
{
    static struct background signings[3];
    (void)arg;
    CHECK(sem_init(&is_hanging, 0, 0) == 0 && sem_init(&may_go_on, 0, 0) == 0);
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    instead = hang;
    begin_signing(&signings[0]);
    CHECK(sem_wait(&is_hanging) == 0);
    fake_play((struct fake_script){.is_holding = true, .is_deaf = true});
    begin_signing(&signings[1]);
    CHECK(fake_await_held(1));
    fake_release(); /* it is signed, and waits for the first one's fsync */

    CHECK(p11->C_Finalize(NULL) == CKR_OK);

    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    begin_signing(&signings[2]);
    CHECK(sem_post(&may_go_on) == 0);
    for (size_t i = 0; i < 3; i++)
        CHECK(background_join(&signings[i]) == CKR_OK);
    CHECK(p11->C_Finalize(NULL) == CKR_OK);
    CHECK(right_lines() == 3);
    return 0;
}

static void a_disk_that_hangs_does_not_keep_finalize(void **state)
{
    (void)state;

    assert_int_equal(child_run(end_while_it_hangs, NULL), 0);
}

static CK_RV ended;

static void finalize(void)
{
    ended = p11->C_Finalize(NULL);
}

static int end_in_a_handler(void *arg)
{
    static struct background signing;
    (void)arg;
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    ended = CKR_GENERAL_ERROR;
    instead = finalize;

    begin_signing(&signing);
    CHECK(background_join(&signing) == CKR_OK);

    CHECK(ended == CKR_OK);
    CHECK(right_lines() == 1);
    return 0;
}

/* As a signal's handler does that calls exit, with C_Finalize among the exit handlers. */
static void a_writer_that_is_interrupted_does_not_wait_for_itself(void **state)
{
    (void)state;

    assert_int_equal(child_run(end_in_a_handler, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFF(a_disk_that_hangs_does_not_keep_finalize),
        OFF(a_writer_that_is_interrupted_does_not_wait_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
