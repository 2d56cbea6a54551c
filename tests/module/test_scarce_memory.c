/* SPDX-License-Identifier: Apache-2.0 */
/* What has to be done without memory, too. Linked with --wrap=calloc. */
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/module/background.h"
#include "tests/module/local_stage.h"

static atomic_bool is_scarce;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return atomic_load(&is_scarce) ? NULL : __real_calloc(count, size);
}
/* NOLINTEND(bugprone-reserved-identifier) */

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
        disk_test(a_logout_ends_what_was_begun),
        ON(finalize_wakes_a_waiting_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
