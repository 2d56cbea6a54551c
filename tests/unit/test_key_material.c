/* SPDX-License-Identifier: Apache-2.0 */
/* Keys by themselves: their stored form, their parts, and the DER of both. */
#include "module/token/key_material.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "module/token/der.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "tests/unit/blueprint_stage.h"

static const enum stage_key all[] = {STAGE_RSA, STAGE_P256, STAGE_P384, STAGE_P521, STAGE_ED25519};

static void pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

/* As OpenSSL writes it. The caller OPENSSL_free()s ret_der. */
static size_t openssl_pkcs8(const EVP_PKEY *key, unsigned char **ret_der)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    *ret_der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, ret_der);
    assert_true(len > 0);
    PKCS8_PRIV_KEY_INFO_free(info);
    return (size_t)len;
}

static void the_stored_form_is_what_openssl_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        unsigned char *expected = NULL;
        AUTO(secret_freep) struct secret *der = NULL;

        assert_int_equal(key_to_pkcs8(stage_key(all[i]), &der), SCA_OK);

        size_t len = openssl_pkcs8(stage_key(all[i]), &expected);
        struct span own = secret_get(der);
        assert_int_equal(own.len, len);
        assert_memory_equal(own.ptr, expected, len);
        OPENSSL_free(expected);
    }
}

static void a_key_comes_back_from_its_stored_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        AUTO(secret_freep) struct secret *der = NULL;
        AUTO(secret_freep) struct secret *again = NULL;
        AUTO(pkey_freep) EVP_PKEY *key = NULL;
        assert_int_equal(key_to_pkcs8(stage_key(all[i]), &der), SCA_OK);

        assert_int_equal(key_from_pkcs8(secret_get(der), &key), SCA_OK);

        assert_int_equal(EVP_PKEY_eq(key, stage_key(all[i])), 1);
        assert_int_equal(key_to_pkcs8(key, &again), SCA_OK); /* with the private part */
        assert_true(span_equal(secret_get(again), secret_get(der)));
    }
}

/* 4096 bits are the most that key_to_pkcs8's room and struct secret must hold. */
static void the_largest_key_has_a_stored_form(void **state)
{
    AUTO(secret_freep) struct secret *der = NULL;
    AUTO(pkey_freep) EVP_PKEY *key = NULL;
    AUTO(pkey_freep)
    EVP_PKEY *large = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "RSA", (size_t)4096);
    (void)state;

    assert_int_equal(key_to_pkcs8(large, &der), SCA_OK);

    assert_int_equal(key_from_pkcs8(secret_get(der), &key), SCA_OK);
    assert_int_equal(EVP_PKEY_eq(key, large), 1);
}

/* RFC 5915: parameters may be repeated, the point may be missing. */
static void an_ec_key_without_its_point_is_read(void **state)
{
    uint8_t room[256];
    struct stage_template template;
    AUTO(pkey_freep) EVP_PKEY *key = NULL;
    struct der_writer writer = der_writer_of(room, sizeof(room));
    (void)state;
    stage_private(&template, STAGE_P256);
    struct span params = key_value(template.list, template.count, CKA_EC_PARAMS);
    der_put(&writer, params);
    der_wrap(&writer, DER_CONTEXT_0, sizeof(room));
    size_t end = writer.start;
    der_put(&writer, key_value(template.list, template.count, CKA_VALUE));
    der_wrap(&writer, DER_OCTET_STRING, end);
    der_put(&writer, BYTES(2, 1, 1));
    der_wrap(&writer, DER_SEQUENCE, sizeof(room));
    der_wrap(&writer, DER_OCTET_STRING, sizeof(room));
    end = writer.start;
    der_put(&writer, params);
    der_put(&writer, BYTES(6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1));
    der_wrap(&writer, DER_SEQUENCE, end);
    der_put(&writer, BYTES(2, 1, 0));
    der_wrap(&writer, DER_SEQUENCE, sizeof(room));
    assert_false(writer.is_full);

    struct span der = span_of(room + writer.start, sizeof(room) - writer.start);
    assert_int_equal(key_from_pkcs8(der, &key), SCA_OK);

    assert_int_equal(EVP_PKEY_eq(key, stage_key(STAGE_P256)), 1);
}

static void keys_of_other_kinds_are_not_read(void **state)
{
    EVP_PKEY *others[] = {
        EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "RSA", (size_t)1024),
        EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", "secp256k1"),
        EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "X25519"),
        EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "ED448"),
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        unsigned char *der = NULL;
        EVP_PKEY *key = NULL;
        assert_non_null(others[i]);
        size_t len = openssl_pkcs8(others[i], &der);

        assert_int_equal(key_from_pkcs8(span_of(der, len), &key), SCA_INVALID);

        assert_null(key);
        OPENSSL_free(der);
        EVP_PKEY_free(others[i]);
    }
}

static void a_key_of_another_kind_has_no_stored_form(void **state)
{
    struct secret *der = NULL;
    AUTO(pkey_freep) EVP_PKEY *other = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "X25519");
    (void)state;

    assert_int_equal(key_to_pkcs8(other, &der), SCA_INVALID);

    assert_null(der);
}

/* Half of a key, without the private part. */
static void a_public_key_has_no_stored_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct stage_template template;
        struct secret *der = NULL;
        stage_template_init(&template);
        struct span spki = stage_spki(&template, all[i]);
        const unsigned char *at = spki.ptr;
        AUTO(pkey_freep)
        EVP_PKEY *half = d2i_PUBKEY_ex(NULL, &at, (long)spki.len, crypto_libctx(), NULL);

        assert_int_equal(key_to_pkcs8(half, &der), SCA_INVALID);

        assert_null(der);
    }
}

static void what_is_cut_off_or_too_long_is_no_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        uint8_t longer[SECRET_MAX];
        AUTO(secret_freep) struct secret *der = NULL;
        EVP_PKEY *key = NULL;
        assert_int_equal(key_to_pkcs8(stage_key(all[i]), &der), SCA_OK);
        struct span own = secret_get(der);
        memcpy(longer, own.ptr, own.len);
        longer[own.len] = 0;

        for (size_t len = 0; len < own.len; len++)
            assert_int_equal(key_from_pkcs8(span_of(longer, len), &key), SCA_INVALID);
        assert_int_equal(key_from_pkcs8(span_of(longer, own.len + 1), &key), SCA_INVALID);
        assert_null(key);
        secret_wipe(longer, sizeof(longer));
    }
}

/* Any changed byte of an EC key makes it another key or none: the point is checked. */
static void a_changed_byte_of_an_ec_key_is_noticed(void **state)
{
    uint8_t changed[SECRET_MAX];
    AUTO(secret_freep) struct secret *der = NULL;
    (void)state;
    assert_int_equal(key_to_pkcs8(stage_key(STAGE_P256), &der), SCA_OK);
    struct span own = secret_get(der);
    for (size_t i = 0; i < own.len; i++) {
        EVP_PKEY *key = NULL;
        memcpy(changed, own.ptr, own.len);
        changed[i] ^= 1;
        if (key_from_pkcs8(span_of(changed, own.len), &key) == SCA_OK)
            fail_msg("byte %zu", i);
    }
    secret_wipe(changed, sizeof(changed));
}

static void the_secret_parts_are_those_that_were_given(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct stage_template template;
        size_t secrets = 0;
        stage_private(&template, all[i]);
        for (CK_ULONG k = 0; k < template.count; k++) {
            const CK_ATTRIBUTE *one = &template.list[k];
            AUTO(buf_fini) struct buf part;
            buf_init(&part, 0, false);
            if (!key_part_is_secret(CKO_PRIVATE_KEY, one->type))
                continue;
            secrets++;

            assert_int_equal(key_part(stage_key(all[i]), one->type, &part), CKR_OK);

            assert_true(part.is_sensitive);
            assert_true(span_equal(buf_span(&part), span_of(one->pValue, one->ulValueLen)));
        }
        assert_int_equal(secrets, all[i] == STAGE_RSA ? 6 : 1);
    }
}

static void a_key_has_no_parts_of_other_kinds(void **state)
{
    static const struct {
        enum stage_key key;
        CK_ATTRIBUTE_TYPE type;
    } rows[] = {
        {STAGE_RSA, CKA_VALUE},     {STAGE_RSA, CKA_MODULUS},         {STAGE_P256, CKA_PRIME_1},
        {STAGE_P256, CKA_EC_POINT}, {STAGE_ED25519, CKA_COEFFICIENT}, {STAGE_ED25519, CKA_LABEL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(buf_fini) struct buf part;
        assert_int_equal(key_part(stage_key(rows[i].key), rows[i].type, &part),
                         CKR_ATTRIBUTE_TYPE_INVALID);
        assert_int_equal(part.len, 0);
    }
}

static void only_private_keys_have_secret_parts(void **state)
{
    static const CK_ATTRIBUTE_TYPE secret[] = {CKA_VALUE,      CKA_PRIVATE_EXPONENT, CKA_PRIME_1,
                                               CKA_PRIME_2,    CKA_EXPONENT_1,       CKA_EXPONENT_2,
                                               CKA_COEFFICIENT};
    static const CK_ATTRIBUTE_TYPE open[] = {
        CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_EC_POINT, CKA_EC_PARAMS, CKA_ID, CKA_PUBLIC_KEY_INFO};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(secret); i++) {
        assert_true(key_part_is_secret(CKO_PRIVATE_KEY, secret[i]));
        assert_true(key_part_is_secret(CKO_SECRET_KEY, secret[i]));
        assert_false(key_part_is_secret(CKO_PUBLIC_KEY, secret[i]));
        assert_false(key_part_is_secret(CKO_CERTIFICATE, secret[i]));
        assert_false(key_part_is_secret(CKO_DATA, secret[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        assert_false(key_part_is_secret(CKO_PRIVATE_KEY, open[i]));
}

static void a_number_that_is_too_large_is_no_part_of_a_key(void **state)
{
    static uint8_t huge[RSA_PUBLIC_BITS_MAX / 8 + 2];
    struct stage_template template;
    EVP_PKEY *key = NULL;
    (void)state;
    stage_private(&template, STAGE_RSA);
    stage_replace(&template, CKA_PRIME_1, span_of(huge, sizeof(huge)));

    assert_int_equal(key_read(KIND_PRIVATE_RSA, template.list, template.count, &key),
                     CKR_ATTRIBUTE_VALUE_INVALID);

    assert_null(key);
}

static void an_id_is_only_of_a_key(void **state)
{
    struct buf id;
    (void)state;
    buf_init(&id, KEY_ID_SIZE, false);
    assert_int_equal(key_id(NOTHING, &id), SCA_INVALID);
    assert_int_equal(key_id(BYTES(0x30, 0), &id), SCA_INVALID);
    assert_int_equal(key_id(BYTES(0x30, 0x80), &id), SCA_INVALID);
    assert_int_equal(id.len, 0);
    buf_fini(&id);
}

static void der_is_written_from_the_end(void **state)
{
    static const size_t lens[] = {0, 1, 127, 128, 255, 256, 1000, 65535};
    static uint8_t content[65535];
    static uint8_t room[66000];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        struct der_writer writer = der_writer_of(room, sizeof(room));
        struct span read;
        der_put(&writer, span_of(content, lens[i]));
        der_wrap(&writer, DER_OCTET_STRING, sizeof(room));
        assert_false(writer.is_full);

        struct span rest = span_of(room + writer.start, sizeof(room) - writer.start);
        assert_false(der_take(&rest, DER_SEQUENCE, &read));
        assert_true(der_take(&rest, DER_OCTET_STRING, &read));

        assert_int_equal(read.len, lens[i]);
        assert_int_equal(rest.len, 0);
    }
}

static void der_that_does_not_fit_is_told(void **state)
{
    uint8_t room[8];
    struct der_writer writer = der_writer_of(room, sizeof(room));
    (void)state;
    der_put(&writer, BYTES(1, 2, 3, 4, 5, 6, 7));
    assert_false(writer.is_full);
    der_wrap(&writer, DER_SEQUENCE, sizeof(room));
    assert_true(writer.is_full);
    assert_int_equal(writer.start, 1);
}

static void integers_are_as_short_as_they_can_be(void **state)
{
    static const struct {
        uint8_t number[4];
        size_t len;
        uint8_t der[8];
        size_t der_len;
    } rows[] = {
        {{0}, 0, {2, 1, 0}, 3},
        {{0, 0}, 2, {2, 1, 0}, 3},
        {{0x7f}, 1, {2, 1, 0x7f}, 3},
        {{0x80}, 1, {2, 2, 0, 0x80}, 4},
        {{0, 0x80}, 2, {2, 2, 0, 0x80}, 4},
        {{0, 1, 2}, 3, {2, 2, 1, 2}, 4},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t room[16];
        struct der_writer writer = der_writer_of(room, sizeof(room));
        der_put_integer(&writer, span_of(rows[i].number, rows[i].len));
        assert_int_equal(sizeof(room) - writer.start, rows[i].der_len);
        assert_memory_equal(room + writer.start, rows[i].der, rows[i].der_len);
    }
}

static void der_has_one_way_to_say_a_length(void **state)
{
    static const struct {
        uint8_t bytes[6];
        size_t len;
    } bad[] = {
        {{4}, 1},
        {{4, 1}, 2},                /* longer than there is */
        {{4, 0x80, 0, 0}, 4},       /* indefinite */
        {{4, 0x81}, 2},             /* cut off in the length */
        {{4, 0x81, 1, 9}, 4},       /* would be one byte */
        {{4, 0x81, 0x7f, 9}, 4},    /* the same */
        {{4, 0x82, 0, 0x80, 9}, 5}, /* would be two bytes */
        {{4, 0x83, 0, 0, 1, 9}, 6}, /* longer than any key */
        {{4, 0xff, 0, 0, 1, 9}, 6},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct span rest = span_of(bad[i].bytes, bad[i].len);
        struct span content = NOTHING;
        if (der_take(&rest, DER_OCTET_STRING, &content))
            fail_msg("row %zu was taken", i);
        assert_ptr_equal(rest.ptr, bad[i].bytes);
        assert_int_equal(rest.len, bad[i].len);
    }
}

static void the_error_queue_is_left_as_it_was(void **state)
{
    EVP_PKEY *key = NULL;
    struct buf part;
    (void)state;
    ERR_clear_error();
    assert_int_equal(key_from_pkcs8(BYTES(0x30, 3, 2, 1, 0), &key), SCA_INVALID);
    assert_int_equal(key_part(stage_key(STAGE_P256), CKA_PRIME_1, &part),
                     CKR_ATTRIBUTE_TYPE_INVALID);
    buf_fini(&part);
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stored_form_is_what_openssl_writes),
        cmocka_unit_test(a_key_comes_back_from_its_stored_form),
        cmocka_unit_test(the_largest_key_has_a_stored_form),
        cmocka_unit_test(an_ec_key_without_its_point_is_read),
        cmocka_unit_test(keys_of_other_kinds_are_not_read),
        cmocka_unit_test(a_key_of_another_kind_has_no_stored_form),
        cmocka_unit_test(a_public_key_has_no_stored_form),
        cmocka_unit_test(what_is_cut_off_or_too_long_is_no_key),
        cmocka_unit_test(a_changed_byte_of_an_ec_key_is_noticed),
        cmocka_unit_test(the_secret_parts_are_those_that_were_given),
        cmocka_unit_test(a_key_has_no_parts_of_other_kinds),
        cmocka_unit_test(only_private_keys_have_secret_parts),
        cmocka_unit_test(a_number_that_is_too_large_is_no_part_of_a_key),
        cmocka_unit_test(an_id_is_only_of_a_key),
        cmocka_unit_test(der_is_written_from_the_end),
        cmocka_unit_test(der_that_does_not_fit_is_told),
        cmocka_unit_test(integers_are_as_short_as_they_can_be),
        cmocka_unit_test(der_has_one_way_to_say_a_length),
        cmocka_unit_test(the_error_queue_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, stage_free);
}
