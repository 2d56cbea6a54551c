/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/module/stage.h"

static void a_token_without_a_generator_says_so(void **state)
{
    CK_BYTE bytes[16];
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PHONE);

    EXPECT(CKR_RANDOM_NO_RNG, p11->C_GenerateRandom(session, bytes, sizeof(bytes)));
    EXPECT(CKR_RANDOM_NO_RNG, p11->C_GenerateRandom(session, NULL, 5));
    EXPECT(CKR_RANDOM_NO_RNG, p11->C_SeedRandom(session, bytes, sizeof(bytes)));
}

static void a_token_with_one_fills_what_it_is_given(void **state)
{
    CK_BYTE zeros[64] = {0};
    CK_BYTE bytes[64] = {0};
    CK_BYTE again[64] = {0};
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);

    EXPECT(CKR_OK, p11->C_GenerateRandom(session, bytes, 32));
    EXPECT(CKR_OK, p11->C_GenerateRandom(session, again, 32));

    assert_memory_not_equal(bytes, zeros, 32);
    assert_memory_not_equal(bytes, again, 32);
    assert_memory_equal(bytes + 32, zeros, 32);
}

static void lengths_and_pointers_are_checked(void **state)
{
    CK_BYTE bytes[4];
    (void)state;
    CK_SESSION_HANDLE session = stage_open(FAKE_PIN);

    EXPECT(CKR_ARGUMENTS_BAD, p11->C_GenerateRandom(session, NULL, 1));
    EXPECT(CKR_OK, p11->C_GenerateRandom(session, NULL, 0));
    EXPECT(CKR_OK, p11->C_GenerateRandom(session, bytes, 0));
    EXPECT(CKR_ARGUMENTS_BAD, p11->C_SeedRandom(session, NULL, 1));
    EXPECT(CKR_RANDOM_SEED_NOT_SUPPORTED, p11->C_SeedRandom(session, bytes, sizeof(bytes)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(a_token_without_a_generator_says_so),
        ON(a_token_with_one_fills_what_it_is_given),
        ON(lengths_and_pointers_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
