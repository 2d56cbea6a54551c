/* SPDX-License-Identifier: Apache-2.0 */
/* Objects made, changed, copied and destroyed on a token that takes writes. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/module/disk_stage.h"

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

static CK_RV set_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                      CK_BBOOL value)
{
    CK_ATTRIBUTE change = {type, &value, sizeof(value)};
    return p11->C_SetAttributeValue(session, object, &change, 1);
}

static CK_RV get_one(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BYTE room[4096];
    CK_ATTRIBUTE wanted = {type, room, sizeof(room)};
    return p11->C_GetAttributeValue(session, object, &wanted, 1);
}

static void what_is_written_is_there_for_every_session(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_SESSION_HANDLE other = stage_open(FAKE_DISK);

    CK_OBJECT_HANDLE object = disk_create_data(session, "note", CK_TRUE, CK_FALSE);

    assert_int_equal(stage_find(other, CKO_DATA, "note"), object);
    assert_true(disk_bool(other, object, CKA_TOKEN));
    assert_int_equal(fake_disk_writes(), 1);
}

static void private_objects_need_the_user(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE object = disk_create_data(session, "diary", CK_TRUE, CK_TRUE);

    EXPECT(CKR_OK, p11->C_Logout(session));

    assert_int_equal(stage_find(session, CKO_DATA, "diary"), CK_INVALID_HANDLE);
    EXPECT(CKR_OBJECT_HANDLE_INVALID, get_one(session, object, CKA_VALUE));
    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_DestroyObject(session, object));
    EXPECT(CKR_OK, disk_login_so(session, FAKE_SO_PIN_TEXT));
    assert_int_equal(stage_find(session, CKO_DATA, "diary"), CK_INVALID_HANDLE);
    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    assert_int_equal(stage_find(session, CKO_DATA, "diary"), object);
}

static void writing_needs_the_right_session_and_login(void **state)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_ATTRIBUTE on_token[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, &yes, 1}};
    CK_ATTRIBUTE secret[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_PRIVATE, &yes, 1}};
    CK_OBJECT_HANDLE made = 77;
    (void)state;
    CK_SESSION_HANDLE ro = stage_open(FAKE_DISK);

    EXPECT(CKR_SESSION_READ_ONLY, p11->C_CreateObject(ro, on_token, 2, &made));
    EXPECT(CKR_USER_NOT_LOGGED_IN, p11->C_CreateObject(ro, secret, 2, &made));
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_DISK);
    CK_OBJECT_HANDLE object = disk_create_data(rw, "public", CK_TRUE, CK_FALSE);
    EXPECT(CKR_SESSION_READ_ONLY, set_bool(ro, object, CKA_MODIFIABLE, CK_TRUE));
    EXPECT(CKR_SESSION_READ_ONLY, p11->C_DestroyObject(ro, object));
    assert_int_equal(made, 77);
    assert_int_equal(fake_disk_writes(), 1);
}

static void a_session_object_dies_with_its_session(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_DISK);
    CK_SESSION_HANDLE other = stage_open(FAKE_DISK);
    CK_OBJECT_HANDLE object = disk_create_data(session, "scratch", CK_FALSE, CK_FALSE);

    assert_int_equal(stage_find(other, CKO_DATA, "scratch"), object);
    EXPECT(CKR_OK, p11->C_CloseSession(session));

    assert_int_equal(stage_find(other, CKO_DATA, "scratch"), CK_INVALID_HANDLE);
    EXPECT(CKR_OBJECT_HANDLE_INVALID, get_one(other, object, CKA_VALUE));
    assert_int_equal(fake_disk_writes(), 0);
}

static void private_session_objects_die_at_logout(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE secret = disk_create_data(session, "secret", CK_FALSE, CK_TRUE);
    CK_OBJECT_HANDLE open_object = disk_create_data(session, "open", CK_FALSE, CK_FALSE);

    EXPECT(CKR_OK, p11->C_Logout(session));
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));

    assert_int_equal(stage_find(session, CKO_DATA, "secret"), CK_INVALID_HANDLE);
    EXPECT(CKR_OBJECT_HANDLE_INVALID, get_one(session, secret, CKA_VALUE));
    assert_int_equal(stage_find(session, CKO_DATA, "open"), open_object);
}

static void a_destroyed_object_is_gone_at_once(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE on_token = disk_create_data(session, "stored", CK_TRUE, CK_FALSE);
    CK_OBJECT_HANDLE in_session = disk_create_data(session, "scratch", CK_FALSE, CK_FALSE);

    EXPECT(CKR_OK, p11->C_DestroyObject(session, on_token));
    EXPECT(CKR_OK, p11->C_DestroyObject(session, in_session));

    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_DestroyObject(session, on_token));
    EXPECT(CKR_OBJECT_HANDLE_INVALID, p11->C_DestroyObject(session, in_session));
    assert_int_equal(stage_find(session, CKO_DATA, NULL), CK_INVALID_HANDLE);
}

static void what_may_not_be_destroyed_stays(void **state)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, &yes, 1}, {CKA_DESTROYABLE, &no, 1}};
    CK_OBJECT_HANDLE object = 0;
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();

    EXPECT(CKR_OK, p11->C_CreateObject(session, template, ARRAY_LEN(template), &object));
    EXPECT(CKR_ACTION_PROHIBITED, p11->C_DestroyObject(session, object));
    template[1].pValue = &no;
    EXPECT(CKR_OK, p11->C_CreateObject(session, template, ARRAY_LEN(template), &object));
    EXPECT(CKR_ACTION_PROHIBITED, p11->C_DestroyObject(session, object));
}

static void a_change_keeps_the_handle(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE objects[] = {
        disk_create_data(session, "old", CK_TRUE, CK_FALSE),
        disk_create_data(session, "old", CK_FALSE, CK_FALSE),
    };
    CK_ATTRIBUTE change = {CKA_LABEL, disk_text("new"), 3};

    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        EXPECT(CKR_OK, p11->C_SetAttributeValue(session, objects[i], &change, 1));
        assert_int_equal(stage_find(session, CKO_DATA, "new"), objects[i]);
        EXPECT(CKR_OK, p11->C_DestroyObject(session, objects[i]));
    }
    assert_int_equal(stage_find(session, CKO_DATA, "old"), CK_INVALID_HANDLE);
}

static void what_may_not_be_changed_stays_as_it_is(void **state)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE other_class = {CKA_CLASS, &class, sizeof(class)};
    CK_ATTRIBUTE unique_id = {CKA_UNIQUE_ID, disk_text("mine"), 4};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE object = disk_create_data(session, "note", CK_TRUE, CK_FALSE);

    EXPECT(CKR_ATTRIBUTE_READ_ONLY, p11->C_SetAttributeValue(session, object, &other_class, 1));
    EXPECT(CKR_ATTRIBUTE_READ_ONLY, p11->C_SetAttributeValue(session, object, &unique_id, 1));
    EXPECT(CKR_OBJECT_HANDLE_INVALID, set_bool(session, 0x12345678, CKA_MODIFIABLE, CK_FALSE));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_SetAttributeValue(session, object, NULL, 1));
}

static void a_key_pair_signs_and_verifies(void **state)
{
    static const CK_BBOOL places[] = {CK_TRUE, CK_FALSE};
    CK_MECHANISM mechanism = {.mechanism = CKM_ECDSA_SHA256};
    CK_BYTE signature[64];
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        CK_ULONG len = sizeof(signature);
        struct disk_pair pair = disk_generate(session, "pair", places[i]);
        EXPECT(CKR_OK, p11->C_SignInit(session, &mechanism, pair.private_key));
        EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
        assert_int_equal(len, sizeof(signature));
        EXPECT(CKR_OK, p11->C_VerifyInit(session, &mechanism, pair.public_key));
        EXPECT(CKR_OK, p11->C_Verify(session, MESSAGE, MESSAGE_LEN, signature, len));
    }
}

static void a_generated_private_key_keeps_its_secret(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE key = disk_generate(session, "pair", CK_TRUE).private_key;

    EXPECT(CKR_ATTRIBUTE_SENSITIVE, get_one(session, key, CKA_VALUE));
    assert_true(disk_bool(session, key, CKA_SENSITIVE));
    assert_true(disk_bool(session, key, CKA_ALWAYS_SENSITIVE));
    assert_true(disk_bool(session, key, CKA_NEVER_EXTRACTABLE));
    assert_true(disk_bool(session, key, CKA_LOCAL));
    assert_false(disk_bool(session, key, CKA_EXTRACTABLE));
    assert_false(disk_bool(session, key, CKA_DECRYPT));
    assert_false(disk_bool(session, key, CKA_UNWRAP));
    assert_false(disk_bool(session, key, CKA_DERIVE));
}

/* Known attacks: what hides a key is taken off it by a change, or left out of a copy. */
static void no_change_and_no_copy_opens_a_key(void **state)
{
    CK_ATTRIBUTE readable[] = {{CKA_SENSITIVE, &no, 1}};
    CK_ATTRIBUTE extractable[] = {{CKA_EXTRACTABLE, &yes, 1}};
    CK_OBJECT_HANDLE copy = 77;
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE key = disk_generate(session, "pair", CK_TRUE).private_key;

    EXPECT(CKR_ATTRIBUTE_READ_ONLY, set_bool(session, key, CKA_SENSITIVE, CK_FALSE));
    EXPECT(CKR_ATTRIBUTE_READ_ONLY, set_bool(session, key, CKA_EXTRACTABLE, CK_TRUE));
    EXPECT(CKR_ATTRIBUTE_READ_ONLY, p11->C_CopyObject(session, key, readable, 1, &copy));
    EXPECT(CKR_ATTRIBUTE_READ_ONLY, p11->C_CopyObject(session, key, extractable, 1, &copy));
    assert_int_equal(copy, 77);
    EXPECT(CKR_OK, p11->C_CopyObject(session, key, NULL, 0, &copy));
    assert_int_not_equal(copy, key);
    EXPECT(CKR_ATTRIBUTE_SENSITIVE, get_one(session, copy, CKA_VALUE));
}

static void a_copy_of_a_key_signs_too(void **state)
{
    static const CK_BBOOL places[] = {CK_TRUE, CK_FALSE};
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE key = disk_generate(session, "pair", CK_TRUE).private_key;

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        CK_BBOOL place = places[i];
        CK_ATTRIBUTE template = {CKA_TOKEN, &place, 1};
        CK_OBJECT_HANDLE copy = 0;
        CK_BYTE signature[64];
        CK_ULONG len = sizeof(signature);
        EXPECT(CKR_OK, p11->C_CopyObject(session, key, &template, 1, &copy));
        EXPECT(CKR_OK, stage_sign_init(session, CKM_ECDSA_SHA256, copy));
        EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    }
}

static void a_key_is_of_no_use_after_logout(void **state)
{
    CK_BYTE signature[64];
    CK_ULONG len = sizeof(signature);
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE on_token = disk_generate(session, "pair", CK_TRUE).private_key;
    CK_OBJECT_HANDLE in_session = disk_generate(session, "pair", CK_FALSE).private_key;
    EXPECT(CKR_OK, stage_sign_init(session, CKM_ECDSA_SHA256, on_token));

    EXPECT(CKR_OK, p11->C_Logout(session));

    EXPECT(CKR_OPERATION_NOT_INITIALIZED,
           p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    EXPECT(CKR_KEY_HANDLE_INVALID, stage_sign_init(session, CKM_ECDSA_SHA256, on_token));
    EXPECT(CKR_KEY_HANDLE_INVALID, stage_sign_init(session, CKM_ECDSA_SHA256, in_session));
}

static void a_key_is_decoded_once_a_login(void **state)
{
    CK_BYTE signature[64];
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE key = disk_generate(session, "pair", CK_TRUE).private_key;

    for (int i = 0; i < 5; i++) {
        CK_ULONG len = sizeof(signature);
        EXPECT(CKR_OK, stage_sign_init(session, CKM_ECDSA_SHA256, key));
        EXPECT(CKR_OK, p11->C_Sign(session, MESSAGE, MESSAGE_LEN, signature, &len));
    }
    assert_int_equal(fake_disk_loads(), 1);
}

static void a_failing_disk_leaves_everything_as_it_was(void **state)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, &yes, 1}};
    CK_OBJECT_HANDLE made = 77;
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    CK_OBJECT_HANDLE object = disk_create_data(session, "note", CK_TRUE, CK_FALSE);

    fake_disk_fail(SCA_NO_SPACE);
    EXPECT(CKR_DEVICE_MEMORY, p11->C_CreateObject(session, template, 2, &made));
    fake_disk_fail(SCA_IO);
    EXPECT(CKR_DEVICE_ERROR, p11->C_DestroyObject(session, object));
    fake_disk_fail(SCA_GONE);
    EXPECT(CKR_DEVICE_REMOVED, set_bool(session, object, CKA_COPYABLE, CK_FALSE));

    assert_int_equal(made, 77);
    assert_int_equal(stage_find(session, CKO_DATA, "note"), object);
}

static void nothing_is_generated_where_it_could_not_be_kept(void **state)
{
    CK_MECHANISM mechanism = {.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN};
    CK_ULONG bits = 2048;
    CK_ATTRIBUTE template[] = {{CKA_TOKEN, &yes, 1}, {CKA_MODULUS_BITS, &bits, sizeof(bits)}};
    CK_OBJECT_HANDLE a = 77;
    CK_OBJECT_HANDLE b = 77;
    (void)state;
    CK_SESSION_HANDLE ro = stage_open(FAKE_DISK);
    CK_SESSION_HANDLE rw = stage_open_rw(FAKE_DISK);

    EXPECT(CKR_SESSION_READ_ONLY,
           p11->C_GenerateKeyPair(ro, &mechanism, template, 2, template, 1, &a, &b));
    EXPECT(CKR_USER_NOT_LOGGED_IN,
           p11->C_GenerateKeyPair(rw, &mechanism, template, 2, template, 1, &a, &b));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GenerateKeyPair(rw, NULL, template, 2, template, 1, &a, &b));
    EXPECT(CKR_ARGUMENTS_BAD,
           p11->C_GenerateKeyPair(rw, &mechanism, template, 2, template, 1, NULL, &b));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GenerateKeyPair(rw, &mechanism, NULL, 2, template, 1, &a, &b));
    mechanism.mechanism = CKM_DSA_KEY_PAIR_GEN;
    EXPECT(CKR_MECHANISM_INVALID,
           p11->C_GenerateKeyPair(rw, &mechanism, template, 2, template, 1, &a, &b));
    assert_int_equal(a, 77);
    assert_int_equal(b, 77);
}

static void what_another_process_wrote_is_found(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = disk_logged_in();
    unsigned writes = fake_disk_writes();
    disk_create_data(session, "note", CK_TRUE, CK_FALSE);
    assert_int_not_equal(stage_find(session, CKO_DATA, "note"), CK_INVALID_HANDLE);

    fake_disk_touch();

    assert_int_not_equal(stage_find(session, CKO_DATA, "note"), CK_INVALID_HANDLE);
    assert_int_equal(fake_disk_writes(), writes + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(what_is_written_is_there_for_every_session),
        disk_test(private_objects_need_the_user),
        disk_test(writing_needs_the_right_session_and_login),
        disk_test(a_session_object_dies_with_its_session),
        disk_test(private_session_objects_die_at_logout),
        disk_test(a_destroyed_object_is_gone_at_once),
        disk_test(what_may_not_be_destroyed_stays),
        disk_test(a_change_keeps_the_handle),
        disk_test(what_may_not_be_changed_stays_as_it_is),
        disk_test(a_key_pair_signs_and_verifies),
        disk_test(a_generated_private_key_keeps_its_secret),
        disk_test(no_change_and_no_copy_opens_a_key),
        disk_test(a_copy_of_a_key_signs_too),
        disk_test(a_key_is_of_no_use_after_logout),
        disk_test(a_key_is_decoded_once_a_login),
        disk_test(a_failing_disk_leaves_everything_as_it_was),
        disk_test(nothing_is_generated_where_it_could_not_be_kept),
        disk_test(what_another_process_wrote_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
