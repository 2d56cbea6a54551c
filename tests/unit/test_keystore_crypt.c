/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include <cmocka.h>

#include "remote/base/cleanup.h"
#include "remote/keystore/wrap.h"

static void is_hex(const uint8_t *bytes, const char *expected)
{
    char found[2 * CRYPT_DIGEST_SIZE + 1];
    hex_encode(span_of(bytes, CRYPT_DIGEST_SIZE), found);
    assert_string_equal(found, expected);
}

static void the_steps_are_those_of_their_standards(void **state)
{
    static const char inputs[22] = "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
                                   "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b";
    const struct span abc[] = {span_text("a"), span_text(""), span_text("bc")};
    const struct span what[] = {span_text("what do ya want "), span_text("for nothing?")};
    uint8_t out[CRYPT_KEY_SIZE];
    (void)state;

    assert_int_equal(crypt_digest(abc, ARRAY_LEN(abc), out), SCA_OK);
    is_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    /* RFC 4231 test case 2 */
    assert_int_equal(crypt_hmac(span_text("Jefe"), what, ARRAY_LEN(what), out), SCA_OK);
    is_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    /* RFC 5869 test case 3 */
    assert_int_equal(crypt_derive(span_of(inputs, sizeof(inputs)), span_of("", 0), "", out),
                     SCA_OK);
    is_hex(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
    /* RFC 7914 section 12, the third: N = 2^14 */
    assert_int_equal(
        crypt_stretch(span_text("pleaseletmein"), span_text("SodiumChloride"), 14, out), SCA_OK);
    is_hex(out, "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

static void a_cost_out_of_bounds_is_refused(void **state)
{
    static const unsigned costs[] = {0, 9, 21, 31, 32, 64, 1u << 31};
    uint8_t out[CRYPT_KEY_SIZE];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(costs); i++)
        assert_int_equal(crypt_stretch(span_text("pin"), span_text("salt"), costs[i], out),
                         SCA_INVALID);
}

static void a_box_opens_only_what_it_sealed(void **state)
{
    static const uint8_t key[CRYPT_KEY_SIZE] = {1};
    AUTO(crypt_box_freep) struct crypt_box *box = NULL;
    const struct span parts[] = {span_text("hel"), span_text("lo")};
    const struct span none[] = {{0}, {0}};
    struct crypt_mark mark;
    struct crypt_mark other;
    uint8_t sealed[5];
    uint8_t opened[5];
    (void)state;

    assert_int_equal(crypt_box_new(key, &box), SCA_OK);
    assert_int_equal(crypt_seal(box, span_text("bound"), parts, sealed, &mark), SCA_OK);
    assert_int_equal(crypt_seal(box, span_text("bound"), none, NULL, &other), SCA_OK);
    assert_memory_not_equal(mark.nonce, other.nonce, sizeof(mark.nonce));
    const struct span all = span_of(sealed, sizeof(sealed));

    assert_int_equal(crypt_open(box, span_text("bound"), &mark, all, opened), SCA_OK);
    assert_memory_equal(opened, "hello", 5);
    assert_int_equal(crypt_open(box, span_text("bound"), &other, span_of(NULL, 0), opened), SCA_OK);
    assert_int_equal(crypt_open(box, span_text("Bound"), &mark, all, opened), SCA_MISMATCH);
    assert_memory_equal(opened, "\0\0\0\0\0", 5);
    assert_int_equal(crypt_open(box, span_text("bound"), &other, all, opened), SCA_MISMATCH);
    assert_int_equal(crypt_open(box, span_text("bound"), &mark, span_of(sealed, 4), opened),
                     SCA_MISMATCH);
    sealed[2] ^= 1;
    assert_int_equal(crypt_open(box, span_text("bound"), &mark, all, opened), SCA_MISMATCH);
}

static struct secret *secret_of(const void *bytes, size_t len)
{
    struct secret *secret = NULL;
    assert_int_equal(secret_new(span_of(bytes, len), &secret), SCA_OK);
    return secret;
}

static void a_wrap_opens_with_its_pin_in_its_place_only(void **state)
{
    static const uint8_t bytes[CRYPT_KEY_SIZE] = {1, 2, 3};
    AUTO(secret_freep) struct secret *key = secret_of(bytes, sizeof(bytes));
    AUTO(secret_freep) struct secret *pin = secret_of("123456", 6);
    AUTO(secret_freep) struct secret *other = secret_of("123457", 6);
    AUTO(secret_freep) struct secret *opened = NULL;
    const struct wrap_place place = {.magic = "SCATEST", .version = 1, .owner = {1}, .epoch = {2}};
    struct wrap wrap;
    (void)state;

    assert_int_equal(wrap_make(&place, pin, key, 10, &wrap), SCA_OK);
    assert_int_equal(wrap_open(&place, other, &wrap, &opened), SCA_USER_AUTH);
    for (size_t i = 0; i < sizeof(place); i++) {
        struct wrap_place elsewhere = place;
        ((uint8_t *)&elsewhere)[i] ^= 1;
        assert_int_equal(wrap_open(&elsewhere, pin, &wrap, &opened), SCA_USER_AUTH);
    }
    assert_null(opened);
    assert_int_equal(wrap_open(&place, pin, &wrap, &opened), SCA_OK);
    assert_true(span_equal(secret_get(opened), span_of(bytes, sizeof(bytes))));
}

static void every_changed_byte_of_a_wrap_is_found(void **state)
{
    static const uint8_t bytes[CRYPT_KEY_SIZE] = {1, 2, 3};
    AUTO(secret_freep) struct secret *key = secret_of(bytes, sizeof(bytes));
    AUTO(secret_freep) struct secret *pin = secret_of("123456", 6);
    AUTO(secret_freep) struct secret *opened = NULL;
    const struct wrap_place place = {.magic = "SCATEST"};
    struct wrap wrap;
    (void)state;

    assert_int_equal(wrap_make(&place, pin, key, 10, &wrap), SCA_OK);
    for (size_t i = 0; i < sizeof(wrap); i++) {
        struct wrap changed = wrap;
        ((uint8_t *)&changed)[i] ^= 0x80;
        enum sca_status expected = wrap_is_sound(&changed) ? SCA_USER_AUTH : SCA_INVALID;
        assert_int_equal(wrap_open(&place, pin, &changed, &opened), expected);
    }
    assert_null(opened);
}

static void what_is_no_wrap_is_neither_made_nor_opened(void **state)
{
    AUTO(secret_freep) struct secret *key = secret_of("", 0);
    AUTO(secret_freep) struct secret *pin = secret_of("123456", 6);
    AUTO(secret_freep) struct secret *opened = NULL;
    const struct wrap_place place = {.magic = "SCATEST"};
    const struct wrap none = {.cost = 0};
    struct wrap wrap;
    (void)state;

    assert_int_equal(wrap_make(&place, pin, key, 10, &wrap), SCA_INVALID); /* not a key */
    assert_int_equal(wrap_make(&place, pin, pin, 0, &wrap), SCA_INVALID);
    assert_true(wrap_is_sound(&none));
    assert_false(wrap_is_there(&none));
    assert_int_equal(wrap_open(&place, pin, &none, &opened), SCA_INVALID);
}

static void the_error_queue_stays_as_it_was(void **state)
{
    static const uint8_t key[CRYPT_KEY_SIZE] = {1};
    AUTO(crypt_box_freep) struct crypt_box *box = NULL;
    const struct crypt_mark mark = {{0}, {0}};
    uint8_t opened[5];
    (void)state;

    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    assert_int_equal(crypt_box_new(key, &box), SCA_OK);
    assert_int_equal(crypt_open(box, span_text("x"), &mark, span_of("12345", 5), opened),
                     SCA_MISMATCH);

    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_get_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_steps_are_those_of_their_standards),
        cmocka_unit_test(a_cost_out_of_bounds_is_refused),
        cmocka_unit_test(a_box_opens_only_what_it_sealed),
        cmocka_unit_test(a_wrap_opens_with_its_pin_in_its_place_only),
        cmocka_unit_test(every_changed_byte_of_a_wrap_is_found),
        cmocka_unit_test(what_is_no_wrap_is_neither_made_nor_opened),
        cmocka_unit_test(the_error_queue_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
