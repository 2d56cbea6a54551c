/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/catalogue/catalogue.h"
#include "remote/smartca/fetch.h"
#include "remote/smartca/gather.h"
#include "tests/unit/story.h"

#define SERIAL_1 "54010101aabbccddeeff000000000001"
#define SERIAL_2 "54010101aabbccddeeff000000000002"

/* Certificates of the story's key, as base64 of their DER. */
static char *certificate(const struct story *story, const char *serial, const char *name)
{
    X509 *made = X509_new();
    BIGNUM *number = NULL;
    uint8_t *der = NULL;

    assert_true(BN_hex2bn(&number, serial) > 0);
    (void)BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made));
    (void)X509_set_version(made, X509_VERSION_3);
    (void)X509_gmtime_adj(X509_getm_notBefore(made), 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(made), 86400);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                                     (const unsigned char *)name, -1, -1, 0);
    (void)X509_set_issuer_name(made, X509_get_subject_name(made));
    (void)X509_set_pubkey(made, story->pkey);
    assert_true(X509_sign(made, story->pkey, EVP_sha256()) > 0);
    int len = i2d_X509(made, &der);
    assert_true(len > 0);
    char *text = malloc((size_t)len * 2);
    (void)EVP_EncodeBlock((unsigned char *)text, der, len);
    OPENSSL_free(der);
    BN_free(number);
    X509_free(made);
    return text;
}

/* One item of user_certificates. */
struct item {
    const char *serial_number; /* NULL: left out */
    const char *status;
    const char *status_code;
    const char *leaf;
    const char *ca;
    const char *root;
};

static void add_text(cJSON *to, const char *name, const char *text)
{
    if (text)
        cJSON_AddStringToObject(to, name, text);
}

static char *reply(const struct item *items, size_t count)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "status_code", 200);
    cJSON_AddStringToObject(json, "message", "Success");
    cJSON *list =
        cJSON_AddArrayToObject(cJSON_AddObjectToObject(json, "data"), "user_certificates");

    for (size_t i = 0; i < count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToArray(list, item);
        add_text(item, "serial_number", items[i].serial_number);
        add_text(item, "cert_status", items[i].status);
        add_text(item, "cert_status_code", items[i].status_code);
        add_text(item, "cert_data", items[i].leaf);
        cJSON *chain = cJSON_AddObjectToObject(item, "chain_data");
        add_text(chain, "ca_cert", items[i].ca);
        if (items[i].root)
            add_text(chain, "root_cert", items[i].root);
        else
            cJSON_AddNullToObject(chain, "root_cert");
    }
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

static enum sca_status fetch(struct story *story, struct call *call, size_t *ret_count)
{
    story_call(story, call, 10000);
    enum sca_status st = fetch_certificates(story->client, call, &no_credentials, ret_count);
    call_fini(call);
    return st;
}

static struct catalogue *open_catalogue(const struct story *story)
{
    struct catalogue *catalogue = NULL;
    const char *why = NULL;

    assert_int_equal(catalogue_open(story->dir, &catalogue, &why), SCA_OK);
    return catalogue;
}

static void all_certificates_of_the_identity_are_stored(void **state)
{
    struct story *story = *state;
    struct call call;
    size_t count = 0;
    AUTO(freep) char *root = certificate(story, "01", "Root");
    AUTO(freep) char *ca = certificate(story, "02", "CA");
    AUTO(freep) char *one = certificate(story, SERIAL_1, "Nguyễn Văn Ánh");
    AUTO(freep) char *two = certificate(story, SERIAL_2, "Nguyễn Văn Ánh");
    const struct item items[] = {
        {SERIAL_1, "Đang hoạt động", "VALID", one, ca, root},
        {SERIAL_2, "Thu hồi", "REVOKED", two, ca, NULL},
    };
    AUTO(freep) char *text = reply(items, 2);
    TELL(story, {.to = CERTIFICATES, .says = text});

    enum sca_status st = fetch(story, &call, &count);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(count, 2);
    AUTO(freep) char *serial = story_text_of(story->requests[0].body, "serial_number");
    AUTO(freep) char *user = story_text_of(story->requests[0].body, "user_id");
    assert_true(!serial || serial[0] == 0);
    assert_string_equal(user, STORY_USER);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(story);
    struct catalogue_entry entry;
    assert_int_equal(catalogue_count(catalogue), 2);
    assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
    assert_string_equal(entry.url, STORY_URL);
    assert_string_equal(entry.user_id, STORY_USER);
    assert_string_equal(entry.service_serial, SERIAL_1);
    assert_string_equal(entry.service_status, "Đang hoạt động");
    assert_int_equal(entry.state, CERTIFICATE_ACTIVE);
    assert_int_equal(entry.chain_len, 2);
    assert_int_equal(entry.fetched_at, STORY_BEGIN_S);
    assert_int_equal(catalogue_get(catalogue, 1, &entry), SCA_OK);
    assert_string_equal(entry.service_serial, SERIAL_2);
    assert_int_equal(entry.state, CERTIFICATE_REVOKED);
    assert_int_equal(entry.chain_len, 1);
}

static void the_count_is_of_the_account_s_own_certificate(void **state)
{
    static char wanted[] = "54010101AABBCCDDEEFF000000000002";
    struct story *story = *state;
    struct call call;
    size_t count = 0;
    AUTO(freep) char *one = certificate(story, SERIAL_1, "One");
    AUTO(freep) char *two = certificate(story, SERIAL_2, "Two");
    const struct item items[] = {{SERIAL_1, NULL, NULL, one, NULL, NULL},
                                 {SERIAL_2, NULL, NULL, two, NULL, NULL}};
    AUTO(freep) char *text = reply(items, 2);
    story->account.serial = wanted;
    TELL(story, {.to = CERTIFICATES, .says = text});

    enum sca_status st = fetch(story, &call, &count);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(count, 1);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(story);
    assert_int_equal(catalogue_count(catalogue), 2);
}

static void the_same_certificate_is_never_listed_twice(void **state)
{
    struct story *story = *state;
    struct call call;
    size_t count = 0;
    AUTO(freep) char *root = certificate(story, "01", "Root");
    AUTO(freep) char *one = certificate(story, SERIAL_1, "One");
    const struct item items[] = {{SERIAL_1, NULL, NULL, one, root, root},
                                 {SERIAL_1, NULL, NULL, one, one, root}};
    AUTO(freep) char *text = reply(items, 2);
    TELL(story, {.to = CERTIFICATES, .says = text});

    enum sca_status st = fetch(story, &call, &count);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(count, 1);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(story);
    struct catalogue_entry entry;
    assert_int_equal(catalogue_count(catalogue), 1);
    assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
    assert_int_equal(entry.chain_len, 1);
}

static void a_serial_the_service_leaves_out_is_the_certificate_s(void **state)
{
    struct story *story = *state;
    struct call call;
    size_t count = 0;
    AUTO(freep) char *one = certificate(story, "f4010101aabbccddeeff000000000001", "One");
    const struct item items[] = {{NULL, NULL, NULL, one, NULL, NULL}};
    AUTO(freep) char *text = reply(items, 1);
    TELL(story, {.to = CERTIFICATES, .says = text});

    enum sca_status st = fetch(story, &call, &count);

    assert_int_equal(st, SCA_OK);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(story);
    struct catalogue_entry entry;
    assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
    assert_string_equal(entry.service_serial, "f4010101aabbccddeeff000000000001");
}

static void a_serial_that_is_no_word_is_the_certificate_s(void **state)
{
    struct story *story = *state;
    char long_one[129] = "";
    static const char two_lines[] = SERIAL_1 "\non_confirm = /bin/sh";
    const char *const serials[] = {two_lines, "\x1b]0;x\a", "a b", "a-b", "ố", long_one};
    (void)memset(long_one, '7', sizeof(long_one) - 1);

    for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
        struct call call;
        size_t count = 0;
        AUTO(freep) char *one = certificate(story, SERIAL_1, "One");
        const struct item items[] = {{serials[i], NULL, NULL, one, NULL, NULL}};
        AUTO(freep) char *text = reply(items, 1);
        TELL(story, {.to = CERTIFICATES, .says = text});

        enum sca_status st = fetch(story, &call, &count);

        assert_int_equal(st, SCA_OK);
        AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(story);
        struct catalogue_entry entry;
        assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
        assert_string_equal(entry.service_serial, SERIAL_1);
    }
}

static void an_unusable_certificate_takes_only_itself_away(void **state)
{
    struct story *story = *state;
    struct call call;
    size_t count = 0;
    AUTO(freep) char *one = certificate(story, SERIAL_1, "One");
    const struct item items[] = {
        {"x", NULL, NULL, "MAIB", NULL, NULL},
        {"y", NULL, NULL, "not base64!", NULL, NULL},
        {SERIAL_1, NULL, NULL, one, "MAIB", "MAIB"},
    };
    AUTO(freep) char *text = reply(items, 3);
    TELL(story, {.to = CERTIFICATES, .says = text});

    enum sca_status st = fetch(story, &call, &count);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(count, 1);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(story);
    struct catalogue_entry entry;
    assert_int_equal(catalogue_count(catalogue), 1);
    assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
    assert_int_equal(entry.chain_len, 0);
}

static void an_identity_without_certificates_leaves_a_placeholder(void **state)
{
    struct story *story = *state;
    struct call call;
    size_t count = 99;
    TELL(story, {.to = CERTIFICATES, .says = ENVELOPE("200", "Success", "null")});

    enum sca_status st = fetch(story, &call, &count);

    assert_int_equal(st, SCA_OK);
    assert_int_equal(count, 0);
    AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(story);
    struct catalogue_entry entry;
    assert_int_equal(catalogue_count(catalogue), 1);
    assert_int_equal(catalogue_get(catalogue, 0, &entry), SCA_OK);
    assert_false(entry.has_certificate);
}

static void failures_are_told_apart_and_change_nothing(void **state)
{
    static const struct {
        struct line line;
        enum sca_status status;
        const char *note;
    } rows[] = {
        {{.to = CERTIFICATES, .says = ENVELOPE("401", "sp_password invalid", "null")},
         SCA_SERVICE_AUTH,
         "sp_id"},
        {{.to = CERTIFICATES, .says = ENVELOPE("401", "user account invalid", "null")},
         SCA_NOT_FOUND,
         "user_id"},
        {{.to = CERTIFICATES, .says = "<html>", .http = 404}, SCA_PROTOCOL, "url"},
        {{.to = CERTIFICATES, .says = "", .http = 429}, SCA_NETWORK, "later"},
        {{.to = CERTIFICATES, .says = "", .http = 503}, SCA_NETWORK, "later"},
        {{.to = CERTIFICATES, .says = "{\"status_code\":200"}, SCA_NETWORK, "no readable answer"},
        {{.to = CERTIFICATES, .fate = LOST}, SCA_NETWORK, "connection reset"},
        {{.to = CERTIFICATES, .fate = UNSENT}, SCA_NETWORK, "connection refused"},
        {{.to = CERTIFICATES, .fate = GIVEN_UP}, SCA_CANCELLED, ""},
    };
    struct story *story = *state;
    struct call call;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t count = 99;
        TELL(story, rows[i].line);
        assert_int_equal(fetch(story, &call, &count), rows[i].status);
        assert_non_null(strstr(call.note, rows[i].note));
        assert_int_equal(count, 99);
        AUTO(catalogue_closep) struct catalogue *catalogue = open_catalogue(story);
        assert_int_equal(catalogue_count(catalogue), 0);
    }
}

static void a_key_is_prepared_once(void **state)
{
    struct story *story = *state;
    const struct result_key *first = NULL;
    const struct result_key *second = NULL;

    assert_int_equal(client_verifier(story->client, story->key.spki, &first), SCA_OK);
    assert_int_equal(client_verifier(story->client, story->key.spki, &second), SCA_OK);

    assert_non_null(first);
    assert_ptr_equal(first, second);
}

static void what_is_no_key_is_refused(void **state)
{
    struct story *story = *state;
    const struct result_key *verifier = NULL;

    assert_int_equal(client_verifier(story->client, span_text("no key"), &verifier), SCA_INVALID);

    assert_null(verifier);
}

static void the_table_is_whole(void **state)
{
    struct story *story = *state;
    struct smartca_client *client = NULL;

    assert_int_equal(smartca_remote.abi, REMOTE_ABI);
    smartca_remote.attach(&story->host);
    assert_int_equal(smartca_remote.client_new(&story->account, story->dir, &client), SCA_OK);
    smartca_remote.client_free(client);

    assert_ptr_equal(smartca_remote.fetch, fetch_certificates);
    assert_ptr_equal(smartca_remote.sign, gather_sign);
    assert_ptr_equal(smartca_remote.abandon, client_abandon);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_certificates_of_the_identity_are_stored),
        TEST(the_count_is_of_the_account_s_own_certificate),
        TEST(the_same_certificate_is_never_listed_twice),
        TEST(a_serial_the_service_leaves_out_is_the_certificate_s),
        TEST(a_serial_that_is_no_word_is_the_certificate_s),
        TEST(an_unusable_certificate_takes_only_itself_away),
        TEST(an_identity_without_certificates_leaves_a_placeholder),
        TEST(failures_are_told_apart_and_change_nothing),
        TEST(a_key_is_prepared_once),
        TEST(what_is_no_key_is_refused),
        TEST(the_table_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
