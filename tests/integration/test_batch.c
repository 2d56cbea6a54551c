/* SPDX-License-Identifier: Apache-2.0 */
/* Many documents, one confirmation: among threads, and among processes (design.md promise 4). */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "tests/integration/harness.h"

enum { SIGNERS_MAX = 64 };

#define PATIENT "poll_interval = 0.1\nconfirm_timeout = 30\nbatch_max = 100\nreject_cooldown = 0\n"
#define WINDOW  PATIENT "batch_window = 1500\n"

static struct world world;

static int start(void **state)
{
    (void)state;
    world_start(&world, NULL, PATIENT);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop(&world);
    return 0;
}

/* Settings of [smartca] for one story; the phone answers only when told to. */
static void set_stage(const char *lines)
{
    world_configure(&world, lines);
    world_restart_module(&world);
    world_control(&world, "reset", "{}");
    world_control(&world, "behaviour", "{\"documents_max\":1000}");
    world_control(&world, "phone", "{\"action\":\"never\"}");
}

static void let_phone(const char *action)
{
    char json[64];
    (void)snprintf(json, sizeof(json), "{\"action\":\"%s\"}", action);
    world_control(&world, "phone", json);
}

/* A C_Sign on a thread of its own. */
struct signer {
    pthread_t thread;
    CK_SESSION_HANDLE session;
    char text[48];
    CK_BYTE signature[256];
    CK_RV rv;
};

static void *sign_on_thread(void *arg)
{
    struct signer *signer = arg;
    signer->rv = world_sign(&world, signer->session, signer->text, signer->signature);
    return NULL;
}

static void signers_start(struct signer *signers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        signers[i] = (struct signer){.session = world_session(&world, NULL, NULL)};
        (void)snprintf(signers[i].text, sizeof(signers[i].text), "%s %zu", name, i);
        assert_int_equal(pthread_create(&signers[i].thread, NULL, sign_on_thread, &signers[i]), 0);
    }
}

static void signers_join(struct signer *signers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(signers[i].thread, NULL), 0);
}

/* How many got a signature that is right for their document; the sessions are closed. */
static size_t count_signed(struct signer *signers, size_t count)
{
    size_t good = 0;

    for (size_t i = 0; i < count; i++) {
        good += signers[i].rv == CKR_OK &&
                world_verifies(&world, signers[i].session, signers[i].text, signers[i].signature);
        assert_int_equal(world.p11->C_CloseSession(signers[i].session), CKR_OK);
    }
    return good;
}

static size_t count_answers(const struct signer *signers, size_t count, CK_RV rv)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += signers[i].rv == rv;
    return found;
}

/* Until the service has so many transactions, or was asked so often for an outcome. */
static void await_transactions(unsigned count)
{
    while (world_transactions(&world) < count)
        continue;
}

static void await_poll(void)
{
    unsigned before = world_requests(&world, "status");
    while (world_requests(&world, "status") == before)
        continue;
}

static void sixty_four_threads_cost_one_confirmation(void **state)
{
    static struct signer signers[SIGNERS_MAX];
    (void)state;
    set_stage(WINDOW);
    let_phone("approve");

    signers_start(signers, SIGNERS_MAX, "thread");
    signers_join(signers, SIGNERS_MAX);

    assert_int_equal(count_signed(signers, SIGNERS_MAX), SIGNERS_MAX);
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world_requests(&world, "sign"), 1);
    assert_int_equal(world_requests(&world, "pushes"), 1);
}

static void what_arrives_while_one_waits_forms_the_next(void **state)
{
    enum { LATE = 20 };
    static struct signer first;
    static struct signer late[LATE];
    (void)state;
    set_stage(PATIENT);

    signers_start(&first, 1, "first");
    await_transactions(1);
    signers_start(late, LATE, "late");
    await_poll();
    world_approve(&world);
    signers_join(&first, 1);
    await_transactions(2);
    let_phone("approve");
    world_approve(&world);
    signers_join(late, LATE);

    assert_int_equal(count_signed(&first, 1), 1);
    assert_int_equal(count_signed(late, LATE), LATE);
    assert_true(world_transactions(&world) <= 3); /* a thread may come when the others are off */
}

static void a_rejection_fails_all_and_nothing_is_signed(void **state)
{
    enum { COUNT = 8 };
    static struct signer signers[COUNT];
    (void)state;
    set_stage(WINDOW);
    let_phone("reject");

    signers_start(signers, COUNT, "reject");
    signers_join(signers, COUNT);

    assert_int_equal(count_answers(signers, COUNT, CKR_FUNCTION_REJECTED), COUNT);
    assert_int_equal(count_signed(signers, COUNT), 0);
    assert_int_equal(world_transactions(&world), 1);
}

/* The fault is about the first document of the answer. */
static void one_bad_result_fails_its_own_call_only(void **state)
{
    enum { COUNT = 8 };
    static const char *const faults[] = {
        "{\"kind\":\"swap_one\",\"endpoint\":\"status\"}",
        "{\"kind\":\"missing_one\",\"endpoint\":\"status\"}",
    };
    static struct signer signers[COUNT];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        set_stage(WINDOW);
        world_control(&world, "fault", faults[i]);
        let_phone("approve");

        signers_start(signers, COUNT, "bad");
        signers_join(signers, COUNT);

        assert_int_equal(count_answers(signers, COUNT, CKR_DEVICE_ERROR), 1);
        assert_int_equal(count_signed(signers, COUNT), COUNT - 1);
        assert_int_equal(world_transactions(&world), 1);
    }
}

static void a_cancelled_caller_leaves_the_others_alone_whether_it_leads_or_not(void **state)
{
    enum { COUNT = 6 };
    static struct signer signers[COUNT];
    (void)state;

    for (size_t who = 0; who < COUNT; who += COUNT - 1) {
        set_stage(WINDOW);
        signers_start(signers, COUNT, "cancel");
        await_transactions(1);
        await_poll();

        assert_int_equal(world.p11_3->C_SessionCancel(signers[who].session, CKF_SIGN), CKR_OK);
        assert_int_equal(pthread_join(signers[who].thread, NULL), 0);
        await_poll();
        let_phone("approve");
        world_approve(&world);
        for (size_t i = 0; i < COUNT; i++)
            if (i != who)
                assert_int_equal(pthread_join(signers[i].thread, NULL), 0);

        assert_int_equal(signers[who].rv, CKR_FUNCTION_CANCELED);
        assert_int_equal(count_signed(signers, COUNT), COUNT - 1);
        assert_int_equal(world_transactions(&world), 1);
        assert_int_equal(world_requests(&world, "sign"), 1);
    }
}

static void what_a_cancelled_caller_wanted_is_there_when_it_asks_again(void **state)
{
    enum { COUNT = 3 };
    static struct signer signers[COUNT];
    CK_BYTE signature[256];
    (void)state;
    set_stage(WINDOW);
    signers_start(signers, COUNT, "again");
    await_transactions(1);
    await_poll();
    assert_int_equal(world.p11_3->C_SessionCancel(signers[1].session, CKF_SIGN), CKR_OK);
    assert_int_equal(pthread_join(signers[1].thread, NULL), 0);
    let_phone("approve");
    world_approve(&world);
    assert_int_equal(pthread_join(signers[0].thread, NULL), 0);
    assert_int_equal(pthread_join(signers[2].thread, NULL), 0);

    assert_int_equal(world_sign(&world, signers[1].session, signers[1].text, signature), CKR_OK);

    assert_true(world_verifies(&world, signers[1].session, signers[1].text, signature));
    assert_int_equal(count_signed(signers, COUNT), COUNT - 1);
    assert_int_equal(world_transactions(&world), 1);
}

/* In a child: so many threads sign; the exit status is how many signatures were right. */
static pid_t process_start(size_t threads, const char *name)
{
    static struct signer signers[SIGNERS_MAX];
    pid_t child = fork();

    assert_true(child >= 0);
    if (child)
        return child;
    if (world.p11->C_Initialize(NULL) != CKR_OK)
        _exit(100);
    signers_start(signers, threads, name);
    signers_join(signers, threads);
    _exit((int)count_signed(signers, threads));
}

static int process_end(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void processes_start(pid_t *children, size_t count, size_t threads)
{
    char name[24];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof(name), "process %zu", i);
        children[i] = process_start(threads, name);
    }
}

static void eight_processes_of_eight_threads_cost_one_confirmation(void **state)
{
    enum { PROCESSES = 8, THREADS = 8 };
    pid_t children[PROCESSES];
    (void)state;
    set_stage(PATIENT "batch_window = 5000\n");
    let_phone("approve");

    processes_start(children, PROCESSES, THREADS);

    for (size_t i = 0; i < PROCESSES; i++)
        assert_int_equal(process_end(children[i]), THREADS);
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world_requests(&world, "sign"), 1);
    assert_int_equal(world_requests(&world, "pushes"), 1);
}

static void processes_that_come_while_one_waits_share_the_next(void **state)
{
    enum { PROCESSES = 6 };
    pid_t first = 0;
    pid_t children[PROCESSES];
    (void)state;
    set_stage(PATIENT);

    first = process_start(1, "first");
    await_transactions(1);
    processes_start(children, PROCESSES, 1);
    for (int i = 0; i < 10; i++)
        await_poll(); /* long enough for all of them to stand in line */
    assert_int_equal(world_transactions(&world), 1);
    let_phone("approve");
    world_approve(&world);

    assert_int_equal(process_end(first), 1);
    for (size_t i = 0; i < PROCESSES; i++)
        assert_int_equal(process_end(children[i]), 1);
    assert_int_equal(world_transactions(&world), 2);
}

/* How many documents the last transaction had. */
static int count_last_documents(void)
{
    cJSON *transactions = world_ask(&world, "transactions");
    const cJSON *last = cJSON_GetArrayItem(transactions, cJSON_GetArraySize(transactions) - 1);
    int count = cJSON_GetObjectItem(last, "documents")->valueint;

    cJSON_Delete(transactions);
    return count;
}

static void what_all_callers_gave_up_is_in_nobodys_transaction(void **state)
{
    enum { COUNT = 6 };
    static struct signer signers[COUNT];
    (void)state;
    set_stage(PATIENT);

    pid_t first = process_start(1, "first");
    await_transactions(1);
    signers_start(signers, COUNT, "given up");
    for (int i = 0; i < 10; i++)
        await_poll(); /* long enough to stand in line */
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(world.p11_3->C_SessionCancel(signers[i].session, CKF_SIGN), CKR_OK);
    signers_join(signers, COUNT);
    let_phone("approve");
    world_approve(&world);
    assert_int_equal(process_end(first), 1);

    assert_int_equal(process_end(process_start(1, "third")), 1);

    assert_int_equal(count_answers(signers, COUNT, CKR_FUNCTION_CANCELED), COUNT);
    assert_int_equal(count_signed(signers, COUNT), 0);
    assert_int_equal(world_transactions(&world), 2);
    assert_int_equal(count_last_documents(), 1);
}

static void a_confirmation_that_followers_wait_for_is_open_when_its_leader_left(void **state)
{
    enum { COUNT = 3 };
    static struct signer signers[COUNT];
    (void)state;
    set_stage(WINDOW);
    signers_start(signers, COUNT, "followers");
    await_transactions(1);
    await_poll();
    assert_int_equal(world.p11_3->C_SessionCancel(signers[0].session, CKF_SIGN), CKR_OK);
    assert_int_equal(pthread_join(signers[0].thread, NULL), 0);

    pid_t other = process_start(1, "other");
    for (int i = 0; i < 25; i++)
        await_poll(); /* longer than the other's window */
    assert_int_equal(world_transactions(&world), 1);
    let_phone("approve");
    world_approve(&world);
    for (size_t i = 1; i < COUNT; i++)
        assert_int_equal(pthread_join(signers[i].thread, NULL), 0);

    assert_int_equal(process_end(other), 1);
    assert_int_equal(count_signed(signers, COUNT), COUNT - 1);
    assert_int_equal(world_transactions(&world), 2);
}

static void when_the_leading_process_dies_another_takes_over_without_a_second_prompt(void **state)
{
    enum { PROCESSES = 4 };
    pid_t children[PROCESSES];
    int answers = 0;
    (void)state;
    set_stage(WINDOW);

    processes_start(children, PROCESSES, 1);
    await_transactions(1);
    for (int i = 0; i < 10; i++)
        await_poll();
    assert_int_equal(kill(children[0], SIGKILL), 0);
    assert_int_equal(process_end(children[0]), -1);
    let_phone("approve");
    world_approve(&world);

    for (size_t i = 1; i < PROCESSES; i++)
        answers += process_end(children[i]);
    assert_int_equal(answers, PROCESSES - 1);
    assert_int_equal(world_transactions(&world), 1);
}

static void what_a_killed_process_had_in_it_is_collected_by_the_next_one(void **state)
{
    pid_t children[2];
    (void)state;
    set_stage(WINDOW);
    processes_start(children, 2, 1);
    await_transactions(1);
    for (int i = 0; i < 10; i++)
        await_poll();
    assert_int_equal(kill(children[1], SIGKILL), 0);
    assert_int_equal(process_end(children[1]), -1);
    let_phone("approve");
    world_approve(&world);
    assert_int_equal(process_end(children[0]), 1);

    pid_t again = process_start(1, "process 1");

    assert_int_equal(process_end(again), 1);
    assert_int_equal(world_transactions(&world), 1);
}

static void a_rejection_fails_all_processes(void **state)
{
    enum { PROCESSES = 4 };
    pid_t children[PROCESSES];
    (void)state;
    set_stage(WINDOW);
    let_phone("reject");

    processes_start(children, PROCESSES, 2);

    for (size_t i = 0; i < PROCESSES; i++)
        assert_int_equal(process_end(children[i]), 0);
    assert_int_equal(world_transactions(&world), 1);
}

static void a_rejected_document_is_not_asked_for_again_at_once(void **state)
{
    CK_BYTE signature[256];
    (void)state;
    set_stage("poll_interval = 0.1\nreject_cooldown = 2\n");
    let_phone("reject");
    CK_SESSION_HANDLE session = world_session(&world, NULL, NULL);
    assert_int_equal(world_sign(&world, session, "no", signature), CKR_FUNCTION_REJECTED);
    let_phone("approve");

    CK_RV same = world_sign(&world, session, "no", signature);
    CK_RV other = world_sign(&world, session, "yes", signature);
    uint64_t began_ms = world_now_ms();
    CK_RV later = CKR_FUNCTION_REJECTED;
    while (later == CKR_FUNCTION_REJECTED && world_now_ms() - began_ms < 5000)
        later = world_sign(&world, session, "no", signature);

    assert_int_equal(same, CKR_FUNCTION_REJECTED);
    assert_int_equal(other, CKR_OK);
    assert_int_equal(later, CKR_OK);
    assert_int_equal(world_transactions(&world), 3);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
}

static CK_SESSION_HANDLE begin_one(const char *text, CK_BYTE *signature)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_ULONG len = 256;

    assert_int_equal(world.p11->C_OpenSession(world_slot(&world),
                                              CKF_SERIAL_SESSION | CKF_ASYNC_SESSION, NULL, NULL,
                                              &session),
                     CKR_OK);
    assert_int_equal(
        world.p11->C_SignInit(session, &mechanism, world_key(&world, session, CKO_PRIVATE_KEY)),
        CKR_OK);
    assert_int_equal(
        world.p11->C_Sign(session, (CK_BYTE *)(uintptr_t)text, strlen(text), signature, &len),
        CKR_PENDING);
    return session;
}

/* Until it is something else than pending. */
static CK_RV complete(CK_SESSION_HANDLE session)
{
    CK_UTF8CHAR function[] = "C_Sign";
    CK_ASYNC_DATA data = {.ulVersion = 0};
    CK_RV rv = CKR_PENDING;

    while (rv == CKR_PENDING)
        rv = world.p11_32->C_AsyncComplete(session, function, &data);
    return rv;
}

static void ten_asynchronous_sessions_of_one_thread_are_one_transaction(void **state)
{
    enum { COUNT = 10 };
    CK_SESSION_HANDLE sessions[COUNT];
    CK_BYTE signatures[COUNT][256];
    char texts[COUNT][16];
    (void)state;
    set_stage(PATIENT);
    let_phone("approve");

    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "async %d", i);
        sessions[i] = begin_one(texts[i], signatures[i]);
    }
    assert_int_equal(world_requests(&world, "sign"), 0);

    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(complete(sessions[i]), CKR_OK);
        assert_true(world_verifies(&world, sessions[i], texts[i], signatures[i]));
        assert_int_equal(world.p11->C_CloseSession(sessions[i]), CKR_OK);
    }
    assert_int_equal(world_transactions(&world), 1);
}

/* In a child: fetches by its number what the parent began. Its exit status is 0 if it is right. */
static pid_t start_fetcher(CK_ULONG number, const char *text)
{
    CK_UTF8CHAR function[] = "C_Sign";
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_BYTE signature[256];
    pid_t child = fork();

    assert_true(child >= 0);
    if (child)
        return child;
    if (world.p11->C_Initialize(NULL) != CKR_OK ||
        world.p11->C_OpenSession(world_slot(&world), CKF_SERIAL_SESSION | CKF_ASYNC_SESSION, NULL,
                                 NULL, &session) != CKR_OK)
        _exit(2);
    if (world.p11_32->C_AsyncJoin(session, function, number + 1, signature, 256) !=
        CKR_SAVED_STATE_INVALID)
        _exit(3);
    if (world.p11_32->C_AsyncJoin(session, function, number, signature, 256) != CKR_OK ||
        complete(session) != CKR_OK)
        _exit(4);
    _exit(world_verifies(&world, session, text, signature) ? 0 : 5);
}

static void another_process_fetches_a_signature_by_its_number(void **state)
{
    CK_UTF8CHAR function[] = "C_Sign";
    CK_BYTE signature[256];
    CK_ULONG number = 0;
    (void)state;
    set_stage(PATIENT);

    CK_SESSION_HANDLE session = begin_one("fetched", signature);
    assert_int_equal(world.p11_32->C_AsyncGetID(session, function, &number), CKR_OK);
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(world.p11->C_CloseSession(session), CKR_OK);
    let_phone("approve");
    world_approve(&world);

    assert_int_equal(process_end(start_fetcher(number, "fetched")), 0);
    assert_int_equal(world_transactions(&world), 1);
    assert_int_equal(process_end(start_fetcher(number, "fetched")), 4); /* it was handed over */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_four_threads_cost_one_confirmation),
        cmocka_unit_test(what_arrives_while_one_waits_forms_the_next),
        cmocka_unit_test(a_rejection_fails_all_and_nothing_is_signed),
        cmocka_unit_test(one_bad_result_fails_its_own_call_only),
        cmocka_unit_test(a_cancelled_caller_leaves_the_others_alone_whether_it_leads_or_not),
        cmocka_unit_test(what_a_cancelled_caller_wanted_is_there_when_it_asks_again),
        cmocka_unit_test(eight_processes_of_eight_threads_cost_one_confirmation),
        cmocka_unit_test(processes_that_come_while_one_waits_share_the_next),
        cmocka_unit_test(what_all_callers_gave_up_is_in_nobodys_transaction),
        cmocka_unit_test(a_confirmation_that_followers_wait_for_is_open_when_its_leader_left),
        cmocka_unit_test(when_the_leading_process_dies_another_takes_over_without_a_second_prompt),
        cmocka_unit_test(what_a_killed_process_had_in_it_is_collected_by_the_next_one),
        cmocka_unit_test(a_rejection_fails_all_processes),
        cmocka_unit_test(ten_asynchronous_sessions_of_one_thread_are_one_transaction),
        cmocka_unit_test(another_process_fetches_a_signature_by_its_number),
        cmocka_unit_test(a_rejected_document_is_not_asked_for_again_at_once),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
