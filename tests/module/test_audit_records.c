/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls leave a line in the audit log, what it says, and when it is there. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "remote/audit/audit.h"
#include "remote/base/cleanup.h"
#include "tests/module/child.h"
#include "tests/module/local_stage.h"

#define DIGEST_SHOWN "30313233" /* of DIGEST */

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

static size_t lines(void)
{
    AUTO(freep) char *text = stage_audit();
    return count_of(text, "\n");
}

static bool says(const char *part)
{
    AUTO(freep) char *text = stage_audit();
    return strstr(text, part) != NULL;
}

static void expect_right(void)
{
    struct audit_report report = {.fault = AUDIT_BAD_LINE};
    char dir[96];
    (void)snprintf(dir, sizeof(dir), "%s/state", stage_folder());
    assert_int_equal(audit_verify(dir, &report), SCA_OK);
    assert_int_equal(report.fault, AUDIT_RIGHT);
    assert_int_equal(report.line_count, lines());
}

/* A session on FAKE_DISK with the user logged in, and a P-256 key. */
struct signing {
    CK_SESSION_HANDLE session;
    struct disk_pair pair;
};

static struct signing begin_local(void)
{
    struct signing signing = {.session = disk_logged_in()};
    signing.pair = local_generate(signing.session, LOCAL_P256, CK_TRUE, NULL);
    return signing;
}

static void sign_times(const struct signing *signing, size_t times)
{
    for (size_t i = 0; i < times; i++)
        EXPECT(CKR_OK, local_sign(signing->session, CKM_ECDSA, signing->pair.private_key));
}

static CK_RV sign_by_phone(void)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);
    return p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len);
}

static void a_local_signature_is_written_when_its_session_is_closed(void **state)
{
    (void)state;
    struct signing signing = begin_local();

    sign_times(&signing, 2);
    EXPECT(CKR_OK, p11->C_CloseSession(signing.session));

    assert_int_equal(lines(), 2);
    assert_true(says(",\"user\":\"disk\",\"program\":\"test_audit_records\",\"slot\":4103,"
                     "\"mechanism\":\"CKM_ECDSA\",\"digest\":\"" DIGEST_SHOWN
                     "\",\"outcome\":\"ok\",\"milliseconds\":"));
    expect_right();
}

static void a_logout_and_the_end_write_what_waits(void **state)
{
    (void)state;
    struct signing signing = begin_local();

    sign_times(&signing, 1);
    EXPECT(CKR_OK, p11->C_Logout(signing.session));
    assert_int_equal(lines(), 1);
    EXPECT(CKR_OK, stage_login(signing.session, FAKE_PIN_TEXT));
    sign_times(&signing, 1);
    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    assert_int_equal(lines(), 2);
    expect_right();
}

/* What audit.lock says: is the last line, of which it knows in any case, surely on the disk? */
static bool is_saved(void)
{
    enum { MARK = 85, NOTE = 209 };
    char path[96];
    char note[NOTE];
    (void)snprintf(path, sizeof(path), "%s/state/audit.lock", stage_folder());
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fread(note, 1, NOTE, file), NOTE);
    (void)fclose(file);
    return memcmp(note, note + MARK + 1, MARK) == 0;
}

static void the_end_saves_what_was_written_before(void **state)
{
    (void)state;
    struct signing signing = begin_local();

    sign_times(&signing, 1);
    EXPECT(CKR_OK, p11->C_CloseSession(signing.session));
    assert_int_equal(lines(), 1);
    assert_false(is_saved());
    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    assert_true(is_saved());
    assert_int_equal(lines(), 1);
    expect_right();
}

static void a_record_is_written_by_a_call_that_comes_later(void **state)
{
    enum { PATIENCE_S = 20 };
    CK_SESSION_INFO info;
    (void)state;
    struct signing signing = begin_local();
    time_t until = time(NULL) + PATIENCE_S;

    sign_times(&signing, 1);
    while (lines() == 0 && time(NULL) < until)
        EXPECT(CKR_OK, p11->C_GetSessionInfo(signing.session, &info));

    assert_int_equal(lines(), 1);
}

static void what_a_service_signed_is_written_at_once(void **state)
{
    (void)state;

    EXPECT(CKR_OK, sign_by_phone());

    assert_int_equal(lines(), 1);
    assert_true(says("\"user\":\"*********901\",\"account\":\"work\""));
    assert_true(says("\"mechanism\":\"CKM_SHA256_RSA_PKCS\",\"digest\":\""));
    assert_true(says("\"outcome\":\"ok\""));
    assert_false(says(FAKE_USER));
    expect_right();
}

static void every_refusal_is_written_at_once_by_its_name(void **state)
{
    static const struct {
        enum sca_status status;
        const char *outcome;
    } rows[] = {
        {SCA_REJECTED, "\"outcome\":\"CKR_FUNCTION_REJECTED\""},
        {SCA_UNCONFIRMED, "\"outcome\":\"CKR_FUNCTION_FAILED\""},
        {SCA_EXHAUSTED, "\"outcome\":\"CKR_TOKEN_RESOURCE_EXCEEDED\""},
        {SCA_NETWORK, "\"outcome\":\"CKR_DEVICE_ERROR\""},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fake_play((struct fake_script){.sign_status = rows[i].status});
        assert_int_not_equal(sign_by_phone(), CKR_OK);
        assert_int_equal(lines(), i + 1);
        assert_true(says(rows[i].outcome));
    }
    expect_right();
}

/* Another program may keep the log for seconds. */
static void who_gives_up_does_not_wait_for_the_log(void **state)
{
    (void)state;

    fake_play((struct fake_script){.sign_status = SCA_CANCELLED});
    EXPECT(CKR_FUNCTION_CANCELED, sign_by_phone());
    assert_int_equal(lines(), 0);
    fake_play((struct fake_script){.sign_status = SCA_OK});
    EXPECT(CKR_OK, sign_by_phone());

    assert_int_equal(lines(), 2);
    assert_true(says("\"outcome\":\"CKR_FUNCTION_CANCELED\""));
    expect_right();
}

static void a_local_refusal_takes_along_what_waits(void **state)
{
    CK_BYTE signature[LOCAL_SIGNATURE_MAX];
    CK_ULONG len = sizeof(signature);
    (void)state;
    struct signing signing = begin_local();
    struct disk_pair rsa = local_generate(signing.session, LOCAL_RSA, CK_TRUE, NULL);
    CK_BYTE too_much[SIGNATURE_LEN] = {1};
    sign_times(&signing, 1);

    EXPECT(CKR_OK, stage_sign_init(signing.session, CKM_RSA_PKCS, rsa.private_key));
    EXPECT(CKR_DATA_LEN_RANGE,
           p11->C_Sign(signing.session, too_much, sizeof(too_much), signature, &len));

    assert_int_equal(lines(), 2);
    assert_true(says("\"outcome\":\"CKR_DATA_LEN_RANGE\""));
}

static void what_makes_no_signature_leaves_no_line(void **state)
{
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = 0;
    CK_MECHANISM unknown = {.mechanism = CKM_RSA_X_509};
    (void)state;
    CK_SESSION_HANDLE session = stage_signing(FAKE_PHONE, CKM_SHA256_RSA_PKCS);

    EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, NULL, &len));
    len = 1;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, NULL));
    EXPECT(CKR_MECHANISM_INVALID,
           p11->C_SignInit(session, &unknown, stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY)));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    EXPECT(CKR_OK, p11->C_Finalize(NULL));

    assert_int_equal(lines(), 0);
}

static void several_parts_are_one_line(void **state)
{
    CK_BYTE signature[LOCAL_SIGNATURE_MAX];
    CK_ULONG len = sizeof(signature);
    (void)state;
    struct signing signing = begin_local();

    EXPECT(CKR_OK, stage_sign_init(signing.session, CKM_ECDSA_SHA256, signing.pair.private_key));
    EXPECT(CKR_OK, p11->C_SignUpdate(signing.session, MESSAGE, 4));
    EXPECT(CKR_OK, p11->C_SignUpdate(signing.session, MESSAGE + 4, MESSAGE_LEN - 4));
    EXPECT(CKR_OK, p11->C_SignFinal(signing.session, signature, &len));
    EXPECT(CKR_OK, p11->C_CloseSession(signing.session));

    assert_int_equal(lines(), 1);
    assert_true(says("\"mechanism\":\"CKM_ECDSA_SHA256\",\"digest\":\""));
}

static void content_stays_out(void **state)
{
    static CK_BYTE content[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    CK_BYTE signature[LOCAL_SIGNATURE_MAX];
    CK_ULONG len = 0;
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    struct disk_pair rsa = local_generate(session, LOCAL_RSA, CK_TRUE, NULL);
    struct disk_pair ed = local_generate(session, LOCAL_ED25519, CK_TRUE, NULL);
    const struct {
        CK_MECHANISM_TYPE mechanism;
        CK_OBJECT_HANDLE key;
    } rows[] = {{CKM_RSA_PKCS, rsa.private_key}, {CKM_EDDSA, ed.private_key}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        len = sizeof(signature);
        EXPECT(CKR_OK, stage_sign_init(session, rows[i].mechanism, rows[i].key));
        EXPECT(CKR_OK, p11->C_Sign(session, content, sizeof(content) - 1, signature, &len));
    }
    len = sizeof(signature);
    CK_MECHANISM mechanism = {.mechanism = CKM_RSA_PKCS};
    EXPECT(CKR_OK, p11->C_SignRecoverInit(session, &mechanism, rsa.private_key));
    EXPECT(CKR_OK, p11->C_SignRecover(session, content, sizeof(content) - 1, signature, &len));
    EXPECT(CKR_OK, p11->C_CloseSession(session));

    assert_int_equal(lines(), 3);
    assert_false(says("\"digest\""));
    assert_false(says("41424344"));
    assert_false(says("ABCD"));
}

static void input_that_the_signature_overwrites_is_seen_before(void **state)
{
    CK_BYTE both[LOCAL_SIGNATURE_MAX];
    CK_ULONG len = sizeof(both);
    (void)state;
    struct signing signing = begin_local();
    memcpy(both, DIGEST, DIGEST_LEN);

    EXPECT(CKR_OK, stage_sign_init(signing.session, CKM_ECDSA, signing.pair.private_key));
    EXPECT(CKR_OK, p11->C_Sign(signing.session, both, DIGEST_LEN, both, &len));
    EXPECT(CKR_OK, p11->C_CloseSession(signing.session));

    assert_true(says("\"digest\":\"" DIGEST_SHOWN "\""));
}

static void too_many_to_keep_are_written_on_the_way(void **state)
{
    enum { MANY = 2500 };
    (void)state;
    struct signing signing = begin_local();

    sign_times(&signing, MANY);
    assert_in_range(lines(), 1, MANY);
    EXPECT(CKR_OK, p11->C_CloseSession(signing.session));

    assert_int_equal(lines(), MANY);
    expect_right();
}

static void *sign_some(void *arg)
{
    const struct signing *signing = arg;
    uintptr_t failed = 0;
    for (int i = 0; i < 300; i++)
        failed += local_sign(signing->session, CKM_ECDSA, signing->pair.private_key) != CKR_OK;
    return (void *)failed;
}

static void threads_lose_no_line(void **state)
{
    enum { THREADS = 6 };
    pthread_t threads[THREADS];
    struct signing all[THREADS];
    (void)state;

    all[0] = begin_local();
    for (size_t i = 0; i < THREADS; i++) {
        all[i] = all[0];
        all[i].session = i ? stage_open(FAKE_DISK) : all[0].session;
        assert_int_equal(pthread_create(&threads[i], NULL, sign_some, &all[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    EXPECT(CKR_OK, p11->C_CloseAllSessions(FAKE_DISK));

    assert_int_equal(lines(), THREADS * 300);
    expect_right();
}

/* Each with the number of lines that the log had when its own call was over. */
static void *sign_there(void *arg)
{
    size_t *ret_lines = arg;
    CK_BYTE signature[SIGNATURE_LEN];
    CK_ULONG len = sizeof(signature);
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_MECHANISM mechanism = {.mechanism = CKM_SHA256_RSA_PKCS};
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG count = 0;

    bool is_done =
        p11->C_OpenSession(FAKE_PHONE, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK &&
        p11->C_FindObjectsInit(session, &template, 1) == CKR_OK &&
        p11->C_FindObjects(session, &key, 1, &count) == CKR_OK &&
        p11->C_FindObjectsFinal(session) == CKR_OK &&
        p11->C_SignInit(session, &mechanism, key) == CKR_OK &&
        p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len) == CKR_OK;
    *ret_lines = is_done ? lines() : 0;
    return NULL;
}

static void calls_that_end_together_end_with_their_lines_written(void **state)
{
    enum { THREADS = 24 };
    pthread_t threads[THREADS];
    size_t seen[THREADS];
    (void)state;
    fake_play((struct fake_script){.is_holding = true});

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_there, &seen[i]), 0);
    assert_true(fake_await_held(THREADS));
    fake_release();
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_in_range(seen[i], 1, THREADS);
    }

    assert_int_equal(lines(), THREADS);
    expect_right();
}

static int live_and_end(void *arg)
{
    (void)arg;
    CHECK(p11->C_Initialize(NULL) == CKR_OK);
    CHECK(sign_by_phone() == CKR_OK);
    CHECK(p11->C_Finalize(NULL) == CKR_OK);
    return 0;
}

static void a_child_leaves_its_parents_records_to_the_parent(void **state)
{
    (void)state;
    struct signing signing = begin_local();
    sign_times(&signing, 3);

    assert_int_equal(child_run(live_and_end, NULL), 0);
    assert_int_equal(lines(), 1); /* the child's own */
    EXPECT(CKR_OK, p11->C_CloseSession(signing.session));

    assert_int_equal(lines(), 4);
    expect_right();
}

static void the_configuration_says_what_is_written(void **state)
{
    static const struct {
        const char *line;
        size_t count;
    } rows[] = {{"audit = remote", 1}, {"audit = none", 0}};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        (void)disk_begin(state);
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
        stage_configure(rows[i].line);
        EXPECT(CKR_OK, p11->C_Initialize(NULL));
        struct signing signing = begin_local();
        sign_times(&signing, 2);
        EXPECT(CKR_OK, sign_by_phone());
        EXPECT(CKR_OK, p11->C_Finalize(NULL));
        assert_int_equal(lines(), rows[i].count);
        (void)stage_end(state);
    }
}

static void a_log_that_cannot_be_written_is_one_warning_and_fails_nothing(void **state)
{
    char path[96];
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/state", stage_folder());
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/state/audit.jsonl", stage_folder());
    assert_int_equal(mkdir(path, 0700), 0);

    for (int i = 0; i < 3; i++)
        EXPECT(CKR_OK, sign_by_phone());

    AUTO(freep) char *log = stage_log();
    assert_int_equal(count_of(log, "cannot be written"), 1);
    assert_int_equal(rmdir(path), 0);
    EXPECT(CKR_OK, sign_by_phone());
    AUTO(freep) char *later = stage_log();
    assert_int_equal(count_of(later, "is written again"), 1);
    assert_int_equal(lines(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(a_local_signature_is_written_when_its_session_is_closed),
        disk_test(a_logout_and_the_end_write_what_waits),
        disk_test(the_end_saves_what_was_written_before),
        disk_test(a_record_is_written_by_a_call_that_comes_later),
        ON(what_a_service_signed_is_written_at_once),
        ON(every_refusal_is_written_at_once_by_its_name),
        disk_test(who_gives_up_does_not_wait_for_the_log),
        disk_test(a_local_refusal_takes_along_what_waits),
        ON(what_makes_no_signature_leaves_no_line),
        disk_test(several_parts_are_one_line),
        disk_test(content_stays_out),
        disk_test(input_that_the_signature_overwrites_is_seen_before),
        disk_test(too_many_to_keep_are_written_on_the_way),
        disk_test(threads_lose_no_line),
        ON(calls_that_end_together_end_with_their_lines_written),
        disk_test(a_child_leaves_its_parents_records_to_the_parent),
        cmocka_unit_test(the_configuration_says_what_is_written),
        ON(a_log_that_cannot_be_written_is_one_warning_and_fails_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
