/* SPDX-License-Identifier: Apache-2.0 */
/* eContract: users, and the certificates they sign with. */
#include <stdio.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/econtract_client.h"

#define TWO_CERTS "888000111222"
#define ADD_TWO   "{\"userId\":3,\"userName\":\"" TWO_CERTS "\"}"

static void users_come_in_pages(void **state)
{
    static const struct {
        const char *query;
        int items, first_id, total, pages;
        bool has_next, has_previous;
    } rows[] = {
        {"", 10, 1, 25, 3, true, false},
        {"?page=3", 5, 21, 25, 3, false, true},
        {"?page=2&pageSize=7", 7, 8, 25, 4, true, true},
        {"?page=1&pageSize=100", 25, 1, 25, 1, false, false},
        {"?page=9", 0, -1, 25, 3, false, true},
        {"?search=nv02", 6, 20, 6, 1, false, false},
        {"?search=L%C3%AA%20%C4%90%E1%BB%A9c", 1, 3, 1, 1, false, false},
        {"?search=nobody", 0, -1, 0, 0, false, false},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), ECONTRACT_USERS_PATH "%s", rows[i].query);

        struct answer answer = econtract_ask(h, path, NULL);

        const cJSON *data = answer_object(&answer);
        const cJSON *items = econtract_member(data, "items");
        econtract_assert_good(&answer);
        if (cJSON_GetArraySize(items) != rows[i].items)
            print_error("row %zu: %s\n", i, (const char *)answer.body.ptr);
        assert_int_equal(cJSON_GetArraySize(items), rows[i].items);
        assert_int_equal(answer_number(cJSON_GetArrayItem(items, 0), "id"), rows[i].first_id);
        assert_int_equal(answer_number(data, "totalCount"), rows[i].total);
        assert_int_equal(answer_number(data, "pageCount"), rows[i].pages);
        assert_int_equal(cJSON_IsTrue(econtract_member(data, "hasNextPage")), rows[i].has_next);
        assert_int_equal(cJSON_IsTrue(econtract_member(data, "hasPreviousPage")),
                         rows[i].has_previous);
        harness_done(&answer);
    }
}

static void a_page_that_is_none_is_refused(void **state)
{
    static const char *const queries[] = {"?page=0", "?page=-1", "?page=x", "?pageSize=101",
                                          "?pageSize=1x"};
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), ECONTRACT_USERS_PATH "%s", queries[i]);
        econtract_assert_bad(econtract_ask(h, path, NULL), 200, 0,
                             "page và pageSize là số nguyên dương, pageSize tối đa 100");
    }
}

static void a_blank_serial_adds_every_certificate_of_the_identity(void **state)
{
    struct harness *h = *state;
    char subject[512];
    harness_certificate_text(h, TWO_CERTS, "subject", subject, sizeof(subject));

    struct answer answer = econtract_ask(h, ECONTRACT_ADD_PATH, ADD_TWO);
    struct answer again =
        econtract_ask(h, ECONTRACT_ADD_PATH,
                      "{\"userId\":3,\"userName\":\"CCCD:" TWO_CERTS "\",\"serialNumber\":\"\"}");

    const cJSON *data = answer_object(&answer);
    const cJSON *list = econtract_member(data, "userCertificates");
    const cJSON *first = cJSON_GetArrayItem(list, 0);
    econtract_assert_good(&answer);
    assert_int_equal(answer_number(data, "id"), 3);
    assert_string_equal(econtract_text(data, "signatureText"), "{{SubjectDN.CN}}");
    assert_int_equal(cJSON_GetArraySize(list), 2);
    assert_true(cJSON_Compare(econtract_member(data, "defaultSmartCa"), first, 1));
    assert_string_equal(econtract_text(first, "name"), "Lý Thị Hai");
    assert_string_equal(econtract_text(first, "commonName"), "Lý Thị Hai");
    assert_string_equal(econtract_text(first, "uid"), "CCCD:" TWO_CERTS);
    assert_string_equal(econtract_text(first, "subjectDN"), subject);
    assert_string_equal(econtract_text(first, "smartCaServiceName"), "SMARTCA PERSONAL PRO");
    assert_string_equal(econtract_text(first, "smartCaUsername"), TWO_CERTS);
    assert_int_equal(strlen(econtract_text(first, "serialNumber")), 32);
    assert_int_equal(answer_number(econtract_member(first, "status"), "value"), 1);
    assert_string_equal(econtract_text(econtract_member(first, "status"), "description"), "Active");
    assert_true(cJSON_IsTrue(econtract_member(first, "isValid")));
    assert_true(cJSON_IsFalse(econtract_member(first, "isBusinessSmartCaAccount")));
    assert_int_equal(answer_number(first, "ownerId"), 3);
    assert_int_equal(answer_number(first, "createdByUserId"), 2);
    assert_true(cJSON_Compare(answer.json, again.json, 1));
    harness_done(&answer);
    harness_done(&again);
}

static void a_serial_adds_that_certificate_only(void **state)
{
    struct harness *h = *state;
    char serial[64];
    char body[256];
    harness_certificate_text(h, TWO_CERTS, "serial_number", serial, sizeof(serial));
    (void)snprintf(body, sizeof(body),
                   "{\"userId\":4,\"userName\":\"" TWO_CERTS "\",\"serialNumber\":\"%s\"}", serial);

    struct answer answer = econtract_ask(h, ECONTRACT_ADD_PATH, body);

    const cJSON *list = econtract_member(answer_object(&answer), "userCertificates");
    econtract_assert_good(&answer);
    assert_int_equal(cJSON_GetArraySize(list), 1);
    assert_string_equal(econtract_text(cJSON_GetArrayItem(list, 0), "serialNumber"), serial);
    harness_done(&answer);
}

static void an_addition_that_cannot_be_is_refused_in_either_way(void **state)
{
    static const struct {
        const char *body, *message;
    } rows[] = {
        {"{\"userName\":\"" TWO_CERTS "\"}", "userId is required"},
        {"{\"userId\":\"3\",\"userName\":\"" TWO_CERTS "\"}", "userId is required"},
        {"{\"userId\":26,\"userName\":\"" TWO_CERTS "\"}", "Không tìm thấy người dùng"},
        {"{\"userId\":3}", "userName is required"},
        {"{\"userId\":3,\"username\":\"" TWO_CERTS "\"}", "userName is required"},
        {"{\"userId\":3,\"userName\":\"4\"}", "Không tìm thấy tài khoản SmartCA"},
        {"{\"userId\":3,\"userName\":\"" TWO_CERTS "\",\"serialNumber\":\"5401\"}",
         "Không tìm thấy chứng thư số"},
        {"{\"userId\":3,\"userName\":\"" TWO_CERTS "\",\"serialNumber\":5401}",
         "serialNumber is a string"},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        harness_control(h, "/control/behaviour", "{\"econtract_errors\":\"body\"}");
        econtract_assert_bad(econtract_ask(h, ECONTRACT_ADD_PATH, rows[i].body), 200, 0,
                             rows[i].message);
        harness_control(h, "/control/behaviour", "{\"econtract_errors\":\"http\"}");
        econtract_assert_bad(econtract_ask(h, ECONTRACT_ADD_PATH, rows[i].body), 400, 0,
                             rows[i].message);
    }
    struct answer shown = harness_ask(h, "/control/econtract", NULL);
    assert_null(strstr((const char *)shown.body.ptr, "serialNumber"));
    harness_done(&shown);
}

/* Adds two certificates to user 3; their ids. */
static void add_two(struct harness *h, int ids[2])
{
    struct answer answer = econtract_ask(h, ECONTRACT_ADD_PATH, ADD_TWO);
    const cJSON *list = econtract_member(answer_object(&answer), "userCertificates");
    for (int i = 0; i < 2; i++)
        ids[i] = answer_number(cJSON_GetArrayItem(list, i), "id");
    assert_true(ids[0] > 0 && ids[1] > 0 && ids[0] != ids[1]);
    harness_done(&answer);
}

static int default_of(const struct answer *answer)
{
    return answer_number(econtract_member(answer_object(answer), "defaultSmartCa"), "id");
}

static void an_update_sets_default_and_name(void **state)
{
    struct harness *h = *state;
    int ids[2];
    char body[256];
    add_two(h, ids);

    (void)snprintf(body, sizeof(body), "{\"id\":%d,\"userId\":3,\"isSetDefault\":true}", ids[1]);
    struct answer chosen = econtract_ask(h, ECONTRACT_UPDATE_PATH, body);
    (void)snprintf(body, sizeof(body),
                   "{\"id\":%d,\"userId\":3,\"isSetDefault\":false,\"name\":\"Chữ ký số 1\"}",
                   ids[0]);
    struct answer named = econtract_ask(h, ECONTRACT_UPDATE_PATH, body);
    struct answer list = econtract_ask(h, ECONTRACT_USERS_PATH "?search=NV003", NULL);

    const cJSON *first =
        cJSON_GetArrayItem(econtract_member(answer_object(&named), "userCertificates"), 0);
    const cJSON *item = cJSON_GetArrayItem(econtract_member(answer_object(&list), "items"), 0);
    econtract_assert_good(&chosen);
    assert_int_equal(default_of(&chosen), ids[1]);
    econtract_assert_good(&named);
    assert_int_equal(default_of(&named), ids[1]);
    assert_string_equal(econtract_text(first, "name"), "Chữ ký số 1");
    assert_string_equal(econtract_text(first, "commonName"), "Lý Thị Hai");
    assert_int_equal(answer_number(item, "smartCaId"), ids[1]);
    harness_done(&chosen);
    harness_done(&named);
    harness_done(&list);
}

static void a_deleted_default_gives_way_to_another(void **state)
{
    struct harness *h = *state;
    int ids[2];
    char body[64];
    add_two(h, ids);

    (void)snprintf(body, sizeof(body), "{\"id\":%d,\"userId\":3}", ids[0]);
    struct answer first = econtract_ask(h, ECONTRACT_DELETE_PATH, body);
    (void)snprintf(body, sizeof(body), "{\"id\":%d,\"userId\":3}", ids[1]);
    struct answer second = econtract_ask(h, ECONTRACT_DELETE_PATH, body);

    econtract_assert_good(&first);
    assert_int_equal(default_of(&first), ids[1]);
    econtract_assert_good(&second);
    assert_true(cJSON_IsNull(econtract_member(answer_object(&second), "defaultSmartCa")));
    assert_int_equal(
        cJSON_GetArraySize(econtract_member(answer_object(&second), "userCertificates")), 0);
    econtract_assert_bad(econtract_ask(h, ECONTRACT_DELETE_PATH, body), 200, 0,
                         "Không tìm thấy chứng thư số");
    harness_done(&first);
    harness_done(&second);
}

static void an_update_of_what_is_not_there_is_refused(void **state)
{
    static const char not_found[] = "Không tìm thấy chứng thư số";
    struct harness *h = *state;
    int ids[2];
    char body[128];
    add_two(h, ids);

    (void)snprintf(body, sizeof(body), "{\"id\":%d,\"userId\":4}", ids[0]);
    econtract_assert_bad(econtract_ask(h, ECONTRACT_UPDATE_PATH, body), 200, 0, not_found);
    econtract_assert_bad(econtract_ask(h, ECONTRACT_DELETE_PATH, body), 200, 0, not_found);
    econtract_assert_bad(econtract_ask(h, ECONTRACT_UPDATE_PATH, "{\"userId\":3,\"name\":\"x\"}"),
                         200, 0, not_found);
    (void)snprintf(body, sizeof(body), "{\"id\":%d,\"userId\":3,\"isSetDefault\":1}", ids[0]);
    econtract_assert_bad(econtract_ask(h, ECONTRACT_UPDATE_PATH, body), 200, 0,
                         "isSetDefault is a boolean");
    (void)snprintf(body, sizeof(body), "{\"id\":%d,\"userId\":3,\"name\":1}", ids[0]);
    econtract_assert_bad(econtract_ask(h, ECONTRACT_UPDATE_PATH, body), 200, 0,
                         "name is a short string");
}

static void a_certificates_state_shows_at_once(void **state)
{
    struct harness *h = *state;
    int ids[2];
    add_two(h, ids);
    harness_control(h, "/control/user", "{\"user_id\":\"" TWO_CERTS "\",\"stage\":\"revoked\"}");

    struct answer answer = econtract_ask(h, ECONTRACT_ADD_PATH, ADD_TWO);

    const cJSON *standard = econtract_member(answer_object(&answer), "defaultSmartCa");
    assert_int_equal(answer_number(econtract_member(standard, "status"), "value"), -1);
    assert_true(cJSON_IsFalse(econtract_member(standard, "isValid")));
    harness_control(h, "/control/user", "{\"user_id\":\"" TWO_CERTS "\",\"stage\":\"paid\"}");
    econtract_assert_bad(
        econtract_ask(h, ECONTRACT_ADD_PATH, "{\"userId\":5,\"userName\":\"" TWO_CERTS "\"}"), 200,
        0, "Không tìm thấy chứng thư số");
    harness_control(h, "/control/user", "{\"user_id\":\"" TWO_CERTS "\",\"stage\":\"requested\"}");
    econtract_assert_bad(
        econtract_ask(h, ECONTRACT_ADD_PATH, "{\"userId\":5,\"userName\":\"" TWO_CERTS "\"}"), 200,
        0, "Không tìm thấy tài khoản SmartCA");
    harness_done(&answer);
}

static void the_wrong_method_is_405(void **state)
{
    static const struct {
        const char *path, *body;
    } rows[] = {{ECONTRACT_LOGIN_PATH, NULL},
                {ECONTRACT_USERS_PATH, "{}"},
                {ECONTRACT_ADD_PATH, NULL},
                {ECONTRACT_UPDATE_PATH, NULL},
                {ECONTRACT_DELETE_PATH, NULL}};
    struct harness *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        econtract_assert_bad(harness_ask(h, rows[i].path, rows[i].body), 405, 405,
                             "Method Not Allowed");
}

/* Somebody with two certificates stays for all tests. */
static int group_setup(void **state)
{
    int result = harness_group_setup(state);
    harness_control(*state, "/control/user",
                    "{\"user_id\":\"" TWO_CERTS
                    "\",\"name\":\"Lý Thị Hai\",\"add_certificates\":2}");
    return result;
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(users_come_in_pages),
        TEST(a_page_that_is_none_is_refused),
        TEST(a_blank_serial_adds_every_certificate_of_the_identity),
        TEST(a_serial_adds_that_certificate_only),
        TEST(an_addition_that_cannot_be_is_refused_in_either_way),
        TEST(an_update_sets_default_and_name),
        TEST(a_deleted_default_gives_way_to_another),
        TEST(an_update_of_what_is_not_there_is_refused),
        TEST(a_certificates_state_shows_at_once),
        TEST(the_wrong_method_is_405),
    };
    return cmocka_run_group_tests_name("emulator: econtract", tests, group_setup,
                                       harness_group_teardown);
}
