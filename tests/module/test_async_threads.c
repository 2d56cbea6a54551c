/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at a signature that other threads interfere with. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/async_stage.h"

/* A C_AsyncComplete on a thread of its own. */
struct looker {
    pthread_t thread;
    struct async_signature *signature;
    CK_ASYNC_DATA result;
    CK_RV rv;
};

static void *run_look(void *arg)
{
    struct looker *looker = arg;
    looker->rv =
        p11->C_AsyncComplete(looker->signature->session, async_text("C_Sign"), &looker->result);
    return NULL;
}

static void look_in_background(struct looker *looker, struct async_signature *signature)
{
    *looker = (struct looker){.signature = signature};
    assert_int_equal(pthread_create(&looker->thread, NULL, run_look, looker), 0);
}

static CK_RV join(struct looker *looker)
{
    assert_int_equal(pthread_join(looker->thread, NULL), 0);
    return looker->rv;
}

/* A look that is inside the backend. */
static void begin_holding(struct looker *looker, struct async_signature *signature,
                          struct fake_script script)
{
    async_sign(signature, FAKE_PHONE);
    script.is_holding = true;
    fake_play(script);
    look_in_background(looker, signature);
    assert_true(fake_await_held(1));
}

static bool is_blank(const struct async_signature *signature)
{
    static const CK_BYTE nothing[SIGNATURE_LEN];
    return memcmp(signature->bytes, nothing, sizeof(nothing)) == 0;
}

static void one_of_two_looks_is_refused(void **state)
{
    struct async_signature signature;
    struct looker looker;
    CK_ULONG id = 0;
    (void)state;
    begin_holding(&looker, &signature, (struct fake_script){.sign_status = SCA_OK});

    EXPECT(CKR_OPERATION_ACTIVE, async_complete_only(signature.session, "C_Sign"));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_AsyncGetID(signature.session, async_text("C_Sign"), &id));
    fake_release();

    EXPECT(CKR_OK, join(&looker));
    signature.len = looker.result.ulValue;
    assert_true(async_is_good(&signature));
    assert_int_equal(fake_async_counted().poll, 1);
}

/* The result names the buffer, so that it can be freed. */
static void assert_ended(const struct looker *looker)
{
    assert_ptr_equal(looker->result.pValue, looker->signature->bytes);
    assert_int_equal(looker->result.ulValue, 0);
    assert_true(is_blank(looker->signature));
}

static void cancelling_ends_a_look(void **state)
{
    struct async_signature signature;
    struct looker looker;
    (void)state;
    begin_holding(&looker, &signature, (struct fake_script){.sign_status = SCA_OK});

    EXPECT(CKR_OK, p11->C_SessionCancel(signature.session, CKF_SIGN));

    EXPECT(CKR_FUNCTION_CANCELED, join(&looker));
    assert_ended(&looker);
    assert_false(async_is_busy(signature.session));
    assert_int_equal(fake_async_counted().live, 0);
}

static void closing_ends_a_look(void **state)
{
    struct async_signature signature;
    struct looker looker;
    (void)state;
    begin_holding(&looker, &signature, (struct fake_script){.sign_status = SCA_OK});

    EXPECT(CKR_OK, p11->C_CloseSession(signature.session));

    EXPECT(CKR_SESSION_CLOSED, join(&looker));
    assert_ended(&looker);
    assert_int_equal(fake_async_counted().live, 0);
}

static void finalize_ends_a_look(void **state)
{
    struct async_signature signature;
    struct looker looker;
    (void)state;
    begin_holding(&looker, &signature, (struct fake_script){.sign_status = SCA_OK});

    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, join(&looker));
    assert_ended(&looker);
    assert_int_equal(fake_async_counted().live, 0);
}

/* A backend that comes back with the signature, or with "not yet", all the same. */
static void a_buffer_is_not_written_after_a_cancel(void **state)
{
    (void)state;

    for (unsigned pendings = 0; pendings < 2; pendings++) {
        struct async_signature signature;
        struct looker looker;
        async_play_pendings(pendings);
        begin_holding(&looker, &signature, (struct fake_script){.is_deaf = true});
        EXPECT(CKR_OK, p11->C_SessionCancel(signature.session, CKF_SIGN));
        fake_play((struct fake_script){.sign_status = SCA_OK});
        EXPECT(CKR_FUNCTION_CANCELED, join(&looker));
        assert_ended(&looker);
        assert_int_equal(fake_async_counted().keep, 1); /* the first one had a signature */
    }
}

static void a_buffer_is_not_written_after_a_close(void **state)
{
    struct async_signature signature;
    struct looker looker;
    (void)state;
    begin_holding(&looker, &signature, (struct fake_script){.is_deaf = true});

    EXPECT(CKR_OK, p11->C_CloseSession(signature.session));
    fake_play((struct fake_script){.sign_status = SCA_OK});

    EXPECT(CKR_SESSION_CLOSED, join(&looker));
    assert_ended(&looker);
    assert_int_equal(fake_async_counted().keep, 1);
}

static void cancelling_another_session_does_not(void **state)
{
    struct async_signature signature;
    struct looker looker;
    (void)state;
    begin_holding(&looker, &signature, (struct fake_script){.sign_status = SCA_OK});
    CK_SESSION_HANDLE other = async_signing(FAKE_PHONE);

    EXPECT(CKR_OK, p11->C_SessionCancel(other, CKF_SIGN));
    assert_true(async_is_busy(signature.session));
    fake_release();

    EXPECT(CKR_OK, join(&looker));
}

static CK_RV give_up(CK_SESSION_HANDLE session, CK_NOTIFICATION event, void *application)
{
    (void)event;
    *(CK_RV *)application = async_complete_only(session, "C_Sign"); /* it is being looked for */
    return CKR_CANCEL;
}

static void the_application_is_asked_and_may_give_up(void **state)
{
    struct async_signature signature = {.len = SIGNATURE_LEN};
    CK_RV inside = CKR_OK;
    (void)state;
    EXPECT(CKR_OK, p11->C_OpenSession(FAKE_PHONE, CKF_SERIAL_SESSION | CKF_ASYNC_SESSION, &inside,
                                      give_up, &signature.session));
    EXPECT(CKR_OK, stage_sign_init(signature.session, CKM_SHA256_RSA_PKCS,
                                   stage_find(signature.session, CKO_PRIVATE_KEY, FAKE_KEY)));
    EXPECT(CKR_PENDING,
           p11->C_Sign(signature.session, MESSAGE, MESSAGE_LEN, signature.bytes, &signature.len));
    fake_play((struct fake_script){.is_holding = true, .is_ticking = true});

    EXPECT(CKR_FUNCTION_CANCELED, async_complete_only(signature.session, "C_Sign"));

    EXPECT(CKR_OPERATION_ACTIVE, inside);
    assert_false(async_is_busy(signature.session));
}

/* Threads that do everything to the same few sessions. */
enum { SAILORS = 8, SHARED = 4, ROUNDS = 150 };

static atomic_ulong shared[SHARED];
static CK_BYTE buffers[SHARED][SIGNATURE_LEN];

struct sailor {
    pthread_t thread;
    uint32_t dice;
    CK_RV strange;
};

static uint32_t roll(struct sailor *sailor, uint32_t sides)
{
    sailor->dice = sailor->dice * 1664525U + 1013904223U;
    return (sailor->dice >> 16) % sides;
}

static CK_RV begin_again(CK_SESSION_HANDLE session, size_t place)
{
    CK_ULONG len = SIGNATURE_LEN;
    CK_RV rv = stage_sign_init(session, CKM_SHA256_RSA_PKCS, FAKE_PHONE * 256 + 1);
    return rv == CKR_OK ? p11->C_Sign(session, MESSAGE, MESSAGE_LEN, buffers[place], &len) : rv;
}

static CK_RV replace(CK_SESSION_HANDLE session, size_t place)
{
    CK_SESSION_HANDLE fresh = CK_INVALID_HANDLE;
    CK_RV rv = p11->C_CloseSession(session);
    if (rv != CKR_OK)
        return rv;
    rv = p11->C_OpenSession(FAKE_PHONE, CKF_SERIAL_SESSION | CKF_ASYNC_SESSION, NULL, NULL, &fresh);
    atomic_store(&shared[place], fresh);
    return rv;
}

static CK_RV act(struct sailor *sailor)
{
    size_t place = roll(sailor, SHARED);
    CK_SESSION_HANDLE session = atomic_load(&shared[place]);
    CK_ULONG id = 0;

    switch (roll(sailor, 8)) {
    case 0:
        return p11->C_SessionCancel(session, CKF_SIGN);
    case 1:
        return replace(session, place);
    case 2:
        return p11->C_AsyncGetID(session, async_text("C_Sign"), &id);
    case 3:
    case 4:
        return begin_again(session, place);
    default:
        return async_complete_only(session, "C_Sign");
    }
}

static bool is_expected(CK_RV rv)
{
    static const CK_RV expected[] = {CKR_OK,
                                     CKR_PENDING,
                                     CKR_OPERATION_ACTIVE,
                                     CKR_OPERATION_NOT_INITIALIZED,
                                     CKR_SESSION_HANDLE_INVALID,
                                     CKR_SESSION_CLOSED,
                                     CKR_FUNCTION_CANCELED};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        if (rv == expected[i])
            return true;
    return false;
}

static void *sail(void *arg)
{
    struct sailor *sailor = arg;
    for (int i = 0; i < ROUNDS; i++) {
        CK_RV rv = act(sailor);
        if (!is_expected(rv))
            sailor->strange = rv;
    }
    return NULL;
}

static void a_storm_leaves_nothing_behind(void **state)
{
    struct sailor sailors[SAILORS];
    (void)state;
    async_play_pendings(1);
    for (size_t i = 0; i < SHARED; i++)
        atomic_store(&shared[i], async_open(FAKE_PHONE));

    for (uint32_t i = 0; i < SAILORS; i++) {
        sailors[i] = (struct sailor){.dice = i + 1};
        assert_int_equal(pthread_create(&sailors[i].thread, NULL, sail, &sailors[i]), 0);
    }
    for (size_t i = 0; i < SAILORS; i++) {
        assert_int_equal(pthread_join(sailors[i].thread, NULL), 0);
        EXPECT(CKR_OK, sailors[i].strange);
    }

    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_PHONE));
    assert_int_equal(fake_async_counted().live, 0);
    assert_true(fake_async_counted().poll > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASYNC(one_of_two_looks_is_refused),
        ASYNC(cancelling_ends_a_look),
        ASYNC(closing_ends_a_look),
        ASYNC(finalize_ends_a_look),
        ASYNC(a_buffer_is_not_written_after_a_cancel),
        ASYNC(a_buffer_is_not_written_after_a_close),
        ASYNC(cancelling_another_session_does_not),
        ASYNC(the_application_is_asked_and_may_give_up),
        ASYNC(a_storm_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
