/* SPDX-License-Identifier: Apache-2.0 */
/* What is done without memory, too, and what is not. Linked with --wrap=calloc, --wrap=realloc and
 * --wrap=pthread_atfork. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/module/background.h"
#include "tests/module/child.h"
#include "tests/module/local_stage.h"

static atomic_bool is_scarce;
static atomic_bool has_no_handlers; /* no memory for one more, that is */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
int __real_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

void *__wrap_calloc(size_t count, size_t size)
{
    return atomic_load(&is_scarce) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return atomic_load(&is_scarce) ? NULL : __real_realloc(block, size);
}

int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return atomic_load(&has_no_handlers) ? ENOMEM : __real_pthread_atfork(prepare, parent, child);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static int nothing_is_there(void *arg)
{
    CK_INFO info;
    (void)arg;
    CHECK(p11->C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED);
    return 0;
}

/* The first of all: later the handler is there. */
static void without_a_handler_for_fork_nothing_starts(void **state)
{
    (void)state;

    atomic_store(&has_no_handlers, true);
    CK_RV rv = p11->C_Initialize(NULL);
    atomic_store(&has_no_handlers, false);

    EXPECT(CKR_HOST_MEMORY, rv);
    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    assert_int_equal(child_run(nothing_is_there, NULL), 0);
}

static void a_first_session_without_memory_is_not_called_one_too_many(void **state)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    (void)state;

    atomic_store(&is_scarce, true);
    CK_RV rv = p11->C_OpenSession(FAKE_PIN, CKF_SERIAL_SESSION, NULL, NULL, &session);
    atomic_store(&is_scarce, false);

    EXPECT(CKR_HOST_MEMORY, rv);
    EXPECT(CKR_OK, p11->C_OpenSession(FAKE_PIN, CKF_SERIAL_SESSION, NULL, NULL, &session));
}

static void a_logout_ends_what_was_begun(void **state)
{
    CK_BYTE signature[LOCAL_SIGNATURE_MAX];
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair pair = local_generate(session, LOCAL_P256, CK_TRUE, NULL);
    EXPECT(CKR_OK, stage_sign_init(session, CKM_ECDSA, pair.private_key));

    atomic_store(&is_scarce, true);
    CK_RV rv = p11->C_Logout(session);
    atomic_store(&is_scarce, false);

    EXPECT(CKR_OK, rv);
    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_Sign(session, DIGEST, DIGEST_LEN, signature, &len));
}

static void finalize_wakes_a_waiting_signature(void **state)
{
    static struct background signing;
    (void)state;
    fake_play((struct fake_script){.is_holding = true});
    background_sign(&signing, stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS));
    assert_true(fake_await_held(1));

    atomic_store(&is_scarce, true);
    CK_RV rv = p11->C_Finalize(NULL);
    atomic_store(&is_scarce, false);

    EXPECT(CKR_OK, rv);
    assert_int_equal(fake_counted().live, 0); /* else its memory was given up */
    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, background_join(&signing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFF(without_a_handler_for_fork_nothing_starts),
        ON(a_first_session_without_memory_is_not_called_one_too_many),
        disk_test(a_logout_ends_what_was_begun),
        ON(finalize_wakes_a_waiting_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
