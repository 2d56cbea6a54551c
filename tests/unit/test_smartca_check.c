/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a certificate before anybody is asked decides whether its key signs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <cmocka.h>

#include "module/backend/smartca.h"
#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"

enum { BEGINS = 1780000000, ENDS = 1790000000 };

static int64_t wall;

static uint64_t now_ms(const struct clock *clock)
{
    (void)clock;
    return 1;
}

static int64_t wall_s(const struct clock *clock)
{
    (void)clock;
    return wall;
}

static void wait_not(const struct clock *clock, struct call *call, uint64_t ms)
{
    (void)clock;
    (void)call;
    (void)ms;
}

static const struct clock standing = {now_ms, wall_s, wait_not};

/* What the check at C_SignInit says at that time; its reason in ret_note. */
static enum sca_status check_at(const struct catalogue_entry *entry, int64_t time, char **ret_note)
{
    static char name[] = "work";
    static char user_id[] = "012345678901";
    const struct account_config config = {.name = name, .user_id = user_id};
    struct smartca_account account;
    struct token *token = NULL;
    struct call call;

    smartca_account_init(&account, &config, "/nowhere");
    assert_int_equal(smartca_token_new(&account, entry, &token), SCA_OK);
    wall = time;
    call_init(&call, &standing, 1000);
    enum sca_status st = token->ops->check(token, &call);
    *ret_note = strdup(call.note);
    call_fini(&call);
    token->ops->free(token);
    smartca_account_fini(&account);
    return st;
}

static struct catalogue_entry entry_with(struct span der)
{
    return (struct catalogue_entry){
        .slot_id = 1,
        .has_certificate = true,
        .service_serial = "1",
        .leaf = {.der = der,
                 .serial = span_of("\x02\x01\x05", 3),
                 .common_name = span_text("An"),
                 .not_before = BEGINS,
                 .not_after = ENDS},
        .view = {.display_name = ""},
    };
}

static void time_and_state_decide_before_the_service_is_asked(void **state)
{
    static const struct {
        int64_t time;
        enum certificate_state state;
        enum sca_status status;
        const char *why;
    } rows[] = {
        {BEGINS - 1, CERTIFICATE_ACTIVE, SCA_NOT_PERMITTED, "is not valid yet"},
        {BEGINS, CERTIFICATE_ACTIVE, SCA_OK, ""},
        {ENDS, CERTIFICATE_ACTIVE, SCA_OK, ""},
        {ENDS + 1, CERTIFICATE_ACTIVE, SCA_NOT_PERMITTED, "has expired"},
        {ENDS, CERTIFICATE_REVOKED, SCA_NOT_PERMITTED, "is revoked"},
        {ENDS, CERTIFICATE_NOT_ACTIVATED, SCA_NOT_PERMITTED, "is not activated yet"},
        {ENDS, CERTIFICATE_UNUSABLE, SCA_NOT_PERMITTED, "is not usable"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct catalogue_entry entry = entry_with(span_text("der"));
        AUTO(freep) char *note = NULL;
        entry.state = rows[i].state;
        if (check_at(&entry, rows[i].time, &note) != rows[i].status || !strstr(note, rows[i].why))
            fail_msg("row %zu: %s", i, note);
    }
}

/* A certificate of that key usage, as DER. */
static struct buf make_certificate(const char *usage)
{
    X509 *x509 = X509_new();
    EVP_PKEY *key = EVP_PKEY_Q_keygen(crypto_libctx(), NULL, "EC", "P-256");
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, usage);
    struct buf der;
    uint8_t *bytes = NULL;

    assert_non_null(extension);
    assert_int_equal(X509_set_version(x509, 2), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), 60));
    assert_int_equal(X509_set_pubkey(x509, key), 1);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
    int len = i2d_X509(x509, &bytes);
    assert_true(len > 0);
    buf_init(&der, CERTIFICATE_MAX, false);
    assert_int_equal(buf_append(&der, span_of(bytes, (size_t)len)), SCA_OK);
    OPENSSL_free(bytes);
    X509_EXTENSION_free(extension);
    EVP_PKEY_free(key);
    X509_free(x509);
    return der;
}

static void a_certificate_that_is_not_for_signatures_signs_nothing(void **state)
{
    AUTO(buf_fini) struct buf other = make_certificate("critical,keyEncipherment");
    AUTO(buf_fini) struct buf good = make_certificate("critical,nonRepudiation");
    struct catalogue_entry entry = entry_with(buf_span(&other));
    AUTO(freep) char *why = NULL;
    AUTO(freep) char *nothing = NULL;

    (void)state;
    assert_int_equal(check_at(&entry, BEGINS, &why), SCA_NOT_PERMITTED);
    assert_string_equal(why, "the certificate is not for signatures, says its key usage; smartca "
                             "account refresh work asks the service again");

    entry = entry_with(buf_span(&good));
    assert_int_equal(check_at(&entry, BEGINS, &nothing), SCA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_and_state_decide_before_the_service_is_asked),
        cmocka_unit_test(a_certificate_that_is_not_for_signatures_signs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
