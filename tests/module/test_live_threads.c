/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that open sessions and sign while another process makes certificates come and go. */
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/live_stage.h"

/* A key on a token of this computer, for threads that sign meanwhile. */
static void make_key(CK_SLOT_ID slot)
{
    static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, sizeof(yes)}, {CKA_EC_PARAMS, p256, sizeof(p256)}};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof(yes)}, {CKA_SIGN, &yes, sizeof(yes)}};
    CK_MECHANISM generate = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_OBJECT_HANDLE keys[2];

    live_init_token(slot);
    CK_SESSION_HANDLE session = live_login(slot);
    EXPECT(CKR_OK,
           p11->C_GenerateKeyPair(session, &generate, public, 2, private, 2, &keys[0], &keys[1]));
}

/* One thread of the storm. */
struct signer {
    pthread_t thread;
    bool is_roaming; /* uses whatever slot there is, not the one with the key */
    atomic_bool *is_over;
    CK_RV strange; /* a code that should not have come */
    unsigned done;
};

static CK_RV sign_with(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_BYTE signature[256];
    CK_BYTE text[] = "what is signed";
    CK_ULONG count = 0;
    CK_ULONG len = sizeof(signature);

    CK_RV rv = p11->C_FindObjectsInit(session, &template, 1);
    if (rv == CKR_OK)
        rv = p11->C_FindObjects(session, &key, 1, &count);
    if (rv == CKR_OK)
        rv = p11->C_FindObjectsFinal(session);
    if (rv == CKR_OK)
        rv = p11->C_SignInit(session, &mechanism, key);
    return rv == CKR_OK ? p11->C_Sign(session, text, sizeof(text), signature, &len) : rv;
}

/* What a token in the cloud may answer that goes at any moment and whose service is not there. */
static bool belongs(CK_RV rv)
{
    static const CK_RV known[] = {CKR_OK,
                                  CKR_TOKEN_NOT_PRESENT,
                                  CKR_SESSION_HANDLE_INVALID,
                                  CKR_DEVICE_ERROR,
                                  CKR_SESSION_CLOSED,
                                  CKR_TOKEN_NOT_RECOGNIZED,
                                  CKR_BUFFER_TOO_SMALL};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i] == rv)
            return true;
    return false;
}

static CK_RV use_any_slot(unsigned turn)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_SLOT_ID slots[64];
    CK_ULONG count = ARRAY_LEN(slots);

    CK_RV rv = p11->C_GetSlotList(CK_TRUE, NULL, &count);
    count = ARRAY_LEN(slots);
    if (rv == CKR_OK)
        rv = p11->C_GetSlotList(CK_TRUE, slots, &count);
    if (rv != CKR_OK || count == 0 || slots[turn % count] == 0)
        return rv; /* slot 0 has the key of the others */
    rv = p11->C_OpenSession(slots[turn % count], CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv == CKR_OK)
        rv = sign_with(session, CKM_SHA256_RSA_PKCS);
    (void)p11->C_CloseSession(session);
    return rv;
}

static void *sign_until_over(void *arg)
{
    struct signer *signer = arg;

    while (!atomic_load(signer->is_over)) {
        CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
        CK_RV rv = CKR_OK;
        if (signer->is_roaming) {
            rv = use_any_slot(signer->done);
        } else {
            rv = p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session);
            if (rv == CKR_OK)
                rv = sign_with(session, CKM_ECDSA_SHA256);
            if (rv == CKR_OK)
                rv = p11->C_CloseSession(session);
        }
        if (signer->is_roaming ? !belongs(rv) : rv != CKR_OK)
            signer->strange = rv;
        signer->done++;
    }
    return NULL;
}

static void threads_sign_while_certificates_come_and_go(void **state)
{
    enum { THREADS = 8 };
    struct signer signers[THREADS];
    atomic_bool is_over = false;
    (void)state;
    make_key(0);

    pid_t other = live_start_other(ALICE, "churn");
    for (size_t i = 0; i < THREADS; i++) {
        signers[i] = (struct signer){.is_roaming = i % 2, .is_over = &is_over};
        assert_int_equal(pthread_create(&signers[i].thread, NULL, sign_until_over, &signers[i]), 0);
    }
    live_end_other(other);
    atomic_store(&is_over, true);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(signers[i].thread, NULL), 0);

    for (size_t i = 0; i < THREADS; i++) {
        EXPECT(CKR_OK, signers[i].strange);
        assert_true(signers[i].done > 0);
    }
    live_other_stores(ALICE, "z");
    CK_ULONG count = live_count_slots(CK_TRUE);
    assert_int_equal(count, 3); /* the new one, the key's, the empty one */
    unsigned events = 0;
    while (live_next_event())
        events++;
    assert_true(events > 0);
    assert_int_equal(live_next_event(), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(threads_sign_while_certificates_come_and_go, live_begin,
                                        live_end),
    };
    return LIVE_RUN(tests, argc, argv);
}
