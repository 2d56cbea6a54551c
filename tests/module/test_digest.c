/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "tests/module/stage.h"

/* Digests of "abc", FIPS 180-4. */
static const struct {
    CK_MECHANISM_TYPE type;
    const char *hex;
} digests[] = {
    {CKM_SHA_1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {CKM_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {CKM_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                 "8086072ba1e7cc2358baeca134c825a7"},
    {CKM_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                 "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
};

static CK_BYTE abc[] = "abc";

static CK_SESSION_HANDLE digesting(CK_MECHANISM_TYPE type)
{
    CK_MECHANISM mechanism = {.mechanism = type};
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    EXPECT(CKR_OK, p11->C_DigestInit(session, &mechanism));
    return session;
}

static bool was_digesting(CK_SESSION_HANDLE session)
{
    return p11->C_DigestFinal(session, NULL, NULL) != CKR_OPERATION_NOT_INITIALIZED;
}

static void assert_digest(const CK_BYTE *digest, CK_ULONG len, const char *hex)
{
    char text[129];
    assert_true(len <= 64);
    hex_encode(span_of(digest, len), text);
    assert_string_equal(text, hex);
}

static void a_message_is_digested_whole_or_in_parts(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
        CK_BYTE digest[64];
        CK_ULONG len = sizeof(digest);
        EXPECT(CKR_OK, p11->C_Digest(digesting(digests[i].type), abc, 3, digest, &len));
        assert_digest(digest, len, digests[i].hex);

        CK_SESSION_HANDLE session = digesting(digests[i].type);
        len = sizeof(digest);
        EXPECT(CKR_OK, p11->C_DigestUpdate(session, abc, 1));
        EXPECT(CKR_OK, p11->C_DigestUpdate(session, NULL, 0));
        EXPECT(CKR_OK, p11->C_DigestUpdate(session, abc + 1, 2));
        EXPECT(CKR_OK, p11->C_DigestFinal(session, digest, &len));
        assert_digest(digest, len, digests[i].hex);
        assert_false(was_digesting(session));
    }
}

static void the_size_is_answered_and_nothing_lost(void **state)
{
    CK_BYTE digest[64];
    CK_ULONG len = 0;
    (void)state;

    CK_SESSION_HANDLE session = digesting(CKM_SHA256);
    EXPECT(CKR_OK, p11->C_Digest(session, abc, 3, NULL, &len));
    assert_int_equal(len, 32);
    len = 31;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_Digest(session, abc, 3, digest, &len));
    assert_int_equal(len, 32);
    EXPECT(CKR_OK, p11->C_Digest(session, abc, 3, digest, &len));
    assert_digest(digest, len, digests[1].hex);

    session = digesting(CKM_SHA256);
    EXPECT(CKR_OK, p11->C_DigestUpdate(session, abc, 3));
    EXPECT(CKR_OK, p11->C_DigestFinal(session, NULL, &len));
    len = 0;
    EXPECT(CKR_BUFFER_TOO_SMALL, p11->C_DigestFinal(session, digest, &len));
    assert_int_equal(len, 32);
    EXPECT(CKR_OK, p11->C_DigestFinal(session, digest, &len));
    assert_digest(digest, len, digests[1].hex);
}

static void wrong_arguments_end_it(void **state)
{
    CK_BYTE digest[64];
    CK_ULONG len = sizeof(digest);
    (void)state;

    CK_SESSION_HANDLE session = digesting(CKM_SHA256);
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_Digest(session, abc, 3, digest, NULL));
    assert_false(was_digesting(session));
    session = digesting(CKM_SHA256);
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_Digest(session, NULL, 3, digest, &len));
    assert_false(was_digesting(session));
    session = digesting(CKM_SHA256);
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_DigestUpdate(session, NULL, 3));
    assert_false(was_digesting(session));
    session = digesting(CKM_SHA256);
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_DigestFinal(session, digest, NULL));
    assert_false(was_digesting(session));
}

static void whole_and_parts_do_not_mix(void **state)
{
    CK_BYTE digest[64];
    CK_ULONG len = sizeof(digest);
    (void)state;

    CK_SESSION_HANDLE session = digesting(CKM_SHA256);
    EXPECT(CKR_OK, p11->C_DigestUpdate(session, abc, 3));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_Digest(session, abc, 3, digest, &len));
    assert_false(was_digesting(session));
    session = digesting(CKM_SHA256);
    EXPECT(CKR_OK, p11->C_Digest(session, abc, 3, NULL, &len));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_DigestFinal(session, digest, &len));
    assert_false(was_digesting(session));
    session = digesting(CKM_SHA256);
    EXPECT(CKR_OK, p11->C_Digest(session, abc, 3, NULL, &len));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_DigestUpdate(session, abc, 3));
    assert_false(was_digesting(session));
}

static void keys_are_not_digested(void **state)
{
    (void)state;

    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);
    CK_OBJECT_HANDLE key = stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY);
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_DigestKey(session, key));
    EXPECT(CKR_KEY_INDIGESTIBLE, p11->C_DigestKey(digesting(CKM_SHA256), key));
    session = digesting(CKM_SHA256);
    EXPECT(CKR_KEY_HANDLE_INVALID, p11->C_DigestKey(session, 0));
    assert_false(was_digesting(session));
}

static void beginning_and_ending_follow_the_rules(void **state)
{
    CK_MECHANISM mechanism = {.mechanism = CKM_SHA256};
    CK_MECHANISM signing = {.mechanism = CKM_SHA256_RSA_PKCS};
    CK_MECHANISM unknown = {.mechanism = CKM_MD5};
    CK_MECHANISM with_parameter = {CKM_SHA256, abc, 3};
    CK_BYTE digest[64];
    CK_ULONG len = sizeof(digest);
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_Digest(session, abc, 3, digest, &len));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_DigestUpdate(session, abc, 3));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_DigestFinal(session, digest, &len));
    EXPECT(CKR_MECHANISM_INVALID, p11->C_DigestInit(session, &signing));
    EXPECT(CKR_MECHANISM_INVALID, p11->C_DigestInit(session, &unknown));
    EXPECT(CKR_MECHANISM_PARAM_INVALID, p11->C_DigestInit(session, &with_parameter));
    EXPECT(CKR_OK, p11->C_DigestInit(session, &mechanism));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_DigestInit(session, &mechanism));
    EXPECT(CKR_OPERATION_ACTIVE, p11->C_FindObjectsInit(session, NULL, 0));
    EXPECT(CKR_OK, p11->C_DigestInit(session, NULL));
    EXPECT(CKR_OPERATION_NOT_INITIALIZED, p11->C_DigestUpdate(session, abc, 3));
    EXPECT(CKR_OK, p11->C_DigestInit(session, &mechanism));
    EXPECT(CKR_OK, p11->C_SessionCancel(session, CKF_DIGEST));
    assert_false(was_digesting(session));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(a_message_is_digested_whole_or_in_parts),
        ON(the_size_is_answered_and_nothing_lost),
        ON(wrong_arguments_end_it),
        ON(whole_and_parts_do_not_mix),
        ON(keys_are_not_digested),
        ON(beginning_and_ending_follow_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
