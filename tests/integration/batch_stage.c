/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/batch_stage.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct world world;

int batch_start(void **state)
{
    (void)state;
    world_start(&world, NULL, PATIENT);
    return 0;
}

int batch_stop(void **state)
{
    (void)state;
    world_stop(&world);
    return 0;
}

void batch_set_stage(const char *lines)
{
    world_configure(&world, lines);
    world_restart_module(&world);
    world_control(&world, "reset", "{}");
    world_control(&world, "behaviour", "{\"documents_max\":1000}");
    world_control(&world, "phone", "{\"action\":\"never\"}");
}

void batch_let_phone(const char *action)
{
    char json[64];
    (void)snprintf(json, sizeof(json), "{\"action\":\"%s\"}", action);
    world_control(&world, "phone", json);
}

static void *sign_on_thread(void *arg)
{
    struct signer *signer = arg;
    signer->rv = world_sign(&world, signer->session, signer->text, signer->signature);
    return NULL;
}

void signers_start(struct signer *signers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        signers[i] = (struct signer){.session = world_session(&world, NULL, NULL)};
        (void)snprintf(signers[i].text, sizeof(signers[i].text), "%.20s %zu", name, i);
        assert_int_equal(pthread_create(&signers[i].thread, NULL, sign_on_thread, &signers[i]), 0);
    }
}

void signers_join(struct signer *signers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(signers[i].thread, NULL), 0);
}

size_t signers_count_signed(struct signer *signers, size_t count)
{
    size_t good = 0;

    for (size_t i = 0; i < count; i++) {
        good += signers[i].rv == CKR_OK &&
                world_verifies(&world, signers[i].session, signers[i].text, signers[i].signature);
        assert_int_equal(world.p11->C_CloseSession(signers[i].session), CKR_OK);
    }
    return good;
}

size_t signers_count_answers(const struct signer *signers, size_t count, CK_RV rv)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += signers[i].rv == rv;
    return found;
}

void batch_await_transactions(unsigned count)
{
    while (world_transactions(&world) < count)
        continue;
}

void batch_await_poll(void)
{
    unsigned before = world_requests(&world, "status");
    while (world_requests(&world, "status") == before)
        continue;
}

pid_t process_start(size_t threads, const char *name)
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
    _exit((int)signers_count_signed(signers, threads));
}

int process_end(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void processes_start(pid_t *children, size_t count, size_t threads)
{
    char name[32];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof(name), "process %zu", i);
        children[i] = process_start(threads, name);
    }
}

CK_SESSION_HANDLE async_begin(const char *text, CK_BYTE *signature)
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

CK_RV async_complete(CK_SESSION_HANDLE session)
{
    CK_UTF8CHAR function[] = "C_Sign";
    CK_ASYNC_DATA data = {.ulVersion = 0};
    CK_RV rv = CKR_PENDING;

    while (rv == CKR_PENDING)
        rv = world.p11_32->C_AsyncComplete(session, function, &data);
    return rv;
}
