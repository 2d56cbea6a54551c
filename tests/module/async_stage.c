/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/async_stage.h"

int async_begin_stage(void **state)
{
    (void)stage_begin_off(state);
    fake_async_play((struct fake_async_script){.is_offered = true});
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    return 0;
}

int async_end_stage(void **state)
{
    int rc = stage_end(state);
    struct fake_async_counts counts = fake_async_counted();
    assert_int_equal(counts.live, 0);
    assert_int_equal(counts.overlapped, 0);
    assert_int_equal(counts.under_lock, 0);
    return rc;
}

void async_play_pendings(unsigned pendings)
{
    fake_async_play((struct fake_async_script){.is_offered = true, .pendings = pendings});
}

CK_SESSION_HANDLE async_open(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    EXPECT(CKR_OK,
           p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_ASYNC_SESSION, NULL, NULL, &session));
    return session;
}

CK_SESSION_HANDLE async_signing(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = async_open(slot);
    if (slot == FAKE_PIN) {
        CK_RV rv = stage_login(session, FAKE_PIN_TEXT);
        assert_true(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN);
    }
    EXPECT(CKR_OK, stage_sign_init(session, CKM_SHA256_RSA_PKCS,
                                   stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY)));
    return session;
}

void async_sign(struct async_signature *signature, CK_SLOT_ID slot)
{
    *signature = (struct async_signature){
        .session = async_signing(slot),
        .len = sizeof(signature->bytes),
    };
    EXPECT(CKR_PENDING, p11->C_Sign(signature->session, MESSAGE, MESSAGE_LEN, signature->bytes,
                                    &signature->len));
}

CK_UTF8CHAR *async_text(const char *text)
{
    return (CK_UTF8CHAR *)(uintptr_t)text;
}

CK_RV async_complete_only(CK_SESSION_HANDLE session, const char *function)
{
    CK_ASYNC_DATA result = {0};
    return p11->C_AsyncComplete(session, async_text(function), &result);
}

CK_RV async_await(struct async_signature *signature, const char *function)
{
    CK_ASYNC_DATA result = {0};
    CK_RV rv = CKR_PENDING;
    while (rv == CKR_PENDING)
        rv = p11->C_AsyncComplete(signature->session, async_text(function), &result);
    if (rv == CKR_OK) {
        assert_ptr_equal(result.pValue, signature->bytes);
        signature->len = result.ulValue;
    }
    return rv;
}

bool async_is_good(const struct async_signature *signature)
{
    return signature->len == SIGNATURE_LEN &&
           fake_verifies(CRYPTO_SHA256, span_of(MESSAGE, MESSAGE_LEN),
                         span_of(signature->bytes, signature->len));
}

bool async_is_busy(CK_SESSION_HANDLE session)
{
    CK_ULONG len = 0;
    return p11->C_GetOperationState(session, NULL, &len) == CKR_STATE_UNSAVEABLE;
}
