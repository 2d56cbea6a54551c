/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of a private key in this process when it has been used: nothing, in any writable
 * memory, not even in dead parts of the stack and the heap. The numbers come masked from a child,
 * so that only the code under test has ever seen them here.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "module/token/key_material.h"
#include "remote/base/cleanup.h"
#include "tests/unit/blueprint_stage.h"

enum { MASK = 0xa5, NEEDLE_LEN = 16, NEEDLES_MAX = 8, MAPPING_MAX = 1 << 30 };

/* Parts of secret numbers, masked. */
struct needles {
    uint8_t list[NEEDLES_MAX][NEEDLE_LEN];
    size_t count;
};

/* The lowest bytes of a number, which no leading zeros are in. */
static void needles_add(struct needles *needles, const uint8_t *number, size_t len, uint8_t mask)
{
    assert_true(needles->count < NEEDLES_MAX && len >= NEEDLE_LEN);
    for (size_t i = 0; i < NEEDLE_LEN; i++)
        needles->list[needles->count][i] = number[len - NEEDLE_LEN + i] ^ mask;
    needles->count++;
}

__attribute__((no_sanitize("address", "thread"))) static bool
is_at(const volatile uint8_t *at, const uint8_t masked[static NEEDLE_LEN])
{
    size_t same = 0;
    while (same < NEEDLE_LEN && (at[same] ^ MASK) == masked[same])
        same++;
    if (same == NEEDLE_LEN)
        return true;
    for (same = 0; same < NEEDLE_LEN && (at[same] ^ MASK) == masked[NEEDLE_LEN - 1 - same];)
        same++;
    return same == NEEDLE_LEN; /* BIGNUMs are little endian here */
}

static size_t count_in(const volatile uint8_t *start, size_t len, const struct needles *needles)
{
    size_t found = 0;
    for (size_t i = 0; i + NEEDLE_LEN <= len; i++)
        for (size_t k = 0; k < needles->count; k++)
            found += is_at(start + i, needles->list[k]);
    return found;
}

/* In all writable memory of the process. */
static size_t count_copies(const struct needles *needles)
{
    char line[512];
    size_t found = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        char *rest = NULL;
        unsigned long start = strtoul(line, &rest, 16);
        unsigned long end = *rest == '-' ? strtoul(rest + 1, &rest, 16) : start;
        if (strncmp(rest, " rw", 3) == 0 && end - start <= MAPPING_MAX)
            found += count_in((const volatile uint8_t *)start, end - start, needles);
    }
    (void)fclose(maps);
    return found;
}

/* A child makes the template of a key; its values come through a pipe, masked. */
static void template_of_child(struct stage_template *template, enum stage_key which)
{
    int pipe_ends[2];
    int status = 0;
    size_t got = 0;
    struct stage_template *masked = calloc(1, sizeof(*masked));
    assert_non_null(masked);
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        stage_private(masked, which);
        for (size_t i = 0; i < sizeof(masked->room); i++)
            masked->room[i] ^= MASK;
        for (CK_ULONG i = 0; i < masked->count; i++)
            masked->list[i].pValue =
                (void *)((uintptr_t)masked->list[i].pValue - (uintptr_t)masked->room);
        _exit(write(pipe_ends[1], masked, sizeof(*masked)) == (ssize_t)sizeof(*masked) ? 0 : 1);
    }
    (void)close(pipe_ends[1]);
    while (got < sizeof(*template)) {
        ssize_t one = read(pipe_ends[0], (char *)template + got, sizeof(*template) - got);
        assert_true(one > 0);
        got += (size_t)one;
    }
    (void)close(pipe_ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    free(masked);
    for (CK_ULONG i = 0; i < template->count; i++)
        template->list[i].pValue = template->room + (uintptr_t) template->list[i].pValue;
}

static void unmask(struct stage_template *template)
{
    for (size_t i = 0; i < sizeof(template->room); i++)
        template->room[i] ^= MASK;
}

static void needles_of(const struct stage_template *template, struct needles *ret_needles)
{
    ret_needles->count = 0;
    for (CK_ULONG i = 0; i < template->count; i++)
        if (key_part_is_secret(CKO_PRIVATE_KEY, template->list[i].type))
            needles_add(ret_needles, template->list[i].pValue, template->list[i].ulValueLen, 0);
}

static void wipe(struct stage_template *template)
{
    secret_wipe(template->room, sizeof(template->room));
}

static void the_search_finds_what_is_there(void **state)
{
    uint8_t *kept = malloc(3 * NEEDLE_LEN);
    struct needles needles = {.count = 0};
    (void)state;
    assert_non_null(kept);
    for (size_t i = 0; i < (size_t)3 * NEEDLE_LEN; i++)
        kept[i] = (uint8_t)(0x31 + 7 * i);
    needles_add(&needles, kept, 2 * NEEDLE_LEN + 5, MASK);

    assert_int_equal(count_copies(&needles), 1);

    for (size_t i = 0; i < NEEDLE_LEN; i++)
        kept[NEEDLE_LEN + 5 - 1 + NEEDLE_LEN - i] = (uint8_t)(needles.list[0][i] ^ MASK);
    assert_int_equal(count_copies(&needles), 1); /* the other way round */
    secret_wipe(kept, 3 * NEEDLE_LEN);
    assert_int_equal(count_copies(&needles), 0);
    free(kept);
}

static void create_and_forget(enum stage_key which)
{
    struct stage_template template;
    struct needles needles;
    struct blueprint blueprint;
    template_of_child(&template, which);
    needles_of(&template, &needles);
    assert_int_equal(count_copies(&needles), 0);
    unmask(&template);
    assert_true(count_copies(&needles) >= needles.count);

    stage_create(&template, &blueprint);
    wipe(&template);
    assert_true(count_copies(&needles) >= 1); /* in the key */
    blueprint_fini(&blueprint);

    assert_int_equal(count_copies(&needles), 0);
}

static void nothing_is_left_of_a_created_rsa_key(void **state)
{
    (void)state;
    create_and_forget(STAGE_RSA);
}

static void nothing_is_left_of_a_created_ec_key(void **state)
{
    (void)state;
    create_and_forget(STAGE_P256);
    create_and_forget(STAGE_P384);
    create_and_forget(STAGE_P521);
}

static void nothing_is_left_of_a_created_edwards_key(void **state)
{
    (void)state;
    create_and_forget(STAGE_ED25519);
}

static void nothing_is_left_of_a_refused_key(void **state)
{
    struct stage_template template;
    struct needles needles;
    (void)state;
    template_of_child(&template, STAGE_RSA);
    needles_of(&template, &needles);
    unmask(&template);
    stage_replace(&template, CKA_MODULUS, BYTES(0xc1, 2, 3, 4, 5, 6, 7, 9));

    assert_int_equal(stage_answer(&template), CKR_ATTRIBUTE_VALUE_INVALID);
    wipe(&template);

    assert_int_equal(count_copies(&needles), 0);
}

static void nothing_is_left_of_the_stored_form(void **state)
{
    static const enum stage_key all[] = {STAGE_RSA, STAGE_P256, STAGE_P384, STAGE_P521,
                                         STAGE_ED25519};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct stage_template template;
        struct needles needles;
        struct blueprint blueprint;
        struct secret *der = NULL;
        EVP_PKEY *again = NULL;
        template_of_child(&template, all[i]);
        needles_of(&template, &needles);
        unmask(&template);
        stage_create(&template, &blueprint);
        wipe(&template);

        assert_int_equal(key_to_pkcs8(blueprint.key, &der), SCA_OK);
        blueprint_fini(&blueprint);
        assert_true(count_copies(&needles) >= 1);
        assert_int_equal(key_from_pkcs8(secret_get(der), &again), SCA_OK);
        secret_free(der);
        EVP_PKEY_free(again);

        assert_int_equal(count_copies(&needles), 0);
    }
}

static void nothing_is_left_of_a_part_that_was_given(void **state)
{
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_PRIVATE_EXPONENT, CKA_PRIME_1,
                                              CKA_PRIME_2,          CKA_EXPONENT_1,
                                              CKA_EXPONENT_2,       CKA_COEFFICIENT};
    struct stage_template template;
    struct needles needles;
    struct blueprint blueprint;
    (void)state;
    template_of_child(&template, STAGE_RSA);
    needles_of(&template, &needles);
    unmask(&template);
    stage_create(&template, &blueprint);
    wipe(&template);

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct buf part;
        assert_int_equal(key_part(blueprint.key, types[i], &part), CKR_OK);
        assert_in_range(part.len, 100, 256);
        buf_fini(&part);
    }
    blueprint_fini(&blueprint);

    assert_int_equal(count_copies(&needles), 0);
}

static void generate_and_forget(CK_MECHANISM_TYPE type, CK_ATTRIBUTE *wish,
                                const CK_ATTRIBUTE_TYPE *parts, size_t count)
{
    CK_MECHANISM mechanism = {type, NULL, 0};
    struct blueprint for_public;
    struct blueprint for_private;
    struct needles needles = {.count = 0};
    blueprint_init(&for_public);
    blueprint_init(&for_private);
    assert_int_equal(blueprint_generate(&mechanism, wish, 1, NULL, 0, &for_public, &for_private),
                     CKR_OK);
    for (size_t i = 0; i < count; i++) {
        struct buf part;
        assert_int_equal(key_part(for_private.key, parts[i], &part), CKR_OK);
        needles_add(&needles, part.ptr, part.len, MASK);
        buf_fini(&part);
    }
    assert_true(count_copies(&needles) >= 1);

    blueprint_fini(&for_public);
    blueprint_fini(&for_private);

    assert_int_equal(count_copies(&needles), 0);
}

static void nothing_is_left_of_a_generated_key(void **state)
{
    static const CK_ATTRIBUTE_TYPE rsa[] = {CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2};
    static const CK_ATTRIBUTE_TYPE curve[] = {CKA_VALUE};
    uint8_t p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
    uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
    CK_ULONG bits = 2048;
    CK_ATTRIBUTE size = {CKA_MODULUS_BITS, &bits, sizeof(bits)};
    CK_ATTRIBUTE on_p384 = {CKA_EC_PARAMS, p384, sizeof(p384)};
    CK_ATTRIBUTE on_ed25519 = {CKA_EC_PARAMS, ed25519, sizeof(ed25519)};
    (void)state;

    generate_and_forget(CKM_RSA_PKCS_KEY_PAIR_GEN, &size, rsa, ARRAY_LEN(rsa));
    generate_and_forget(CKM_EC_KEY_PAIR_GEN, &on_p384, curve, ARRAY_LEN(curve));
    generate_and_forget(CKM_EC_EDWARDS_KEY_PAIR_GEN, &on_ed25519, curve, ARRAY_LEN(curve));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_finds_what_is_there),
        cmocka_unit_test(nothing_is_left_of_a_created_rsa_key),
        cmocka_unit_test(nothing_is_left_of_a_created_ec_key),
        cmocka_unit_test(nothing_is_left_of_a_created_edwards_key),
        cmocka_unit_test(nothing_is_left_of_a_refused_key),
        cmocka_unit_test(nothing_is_left_of_the_stored_form),
        cmocka_unit_test(nothing_is_left_of_a_part_that_was_given),
        cmocka_unit_test(nothing_is_left_of_a_generated_key),
    };
    return cmocka_run_group_tests(tests, NULL, stage_free);
}
