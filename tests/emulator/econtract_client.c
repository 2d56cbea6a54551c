/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/econtract_client.h"

#include <stdio.h>
#include <string.h>

const cJSON *econtract_member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *econtract_text(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(econtract_member(object, name));
    return text ? text : "";
}

const char *econtract_message(const struct answer *answer)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetArrayItem(econtract_member(answer->json, "messages"), 0));
    return text ? text : "";
}

void econtract_assert_good(const struct answer *answer)
{
    if (answer->status != 200 || econtract_message(answer)[0] != '\0')
        print_error("%ld %s\n", answer->status, (const char *)answer->body.ptr);
    assert_int_equal(answer->status, 200);
    assert_true(cJSON_IsTrue(econtract_member(answer->json, "success")));
    assert_int_equal(answer_number(answer->json, "code"), 0);
    assert_int_equal(cJSON_GetArraySize(econtract_member(answer->json, "messages")), 0);
}

void econtract_assert_bad(struct answer answer, long status, int code, const char *message)
{
    if (answer.status != status || strcmp(econtract_message(&answer), message) != 0)
        print_error("expected %ld %s: %ld %s\n", status, message, answer.status,
                    (const char *)answer.body.ptr);
    assert_int_equal(answer.status, status);
    assert_true(cJSON_IsFalse(econtract_member(answer.json, "success")));
    assert_int_equal(answer_number(answer.json, "code"), code);
    assert_string_equal(econtract_message(&answer), message);
    assert_true(cJSON_IsNull(econtract_member(answer.json, "data")));
    harness_done(&answer);
}

void econtract_log_in(struct harness *h, const char *body, char header[ECONTRACT_BEARER_SIZE])
{
    struct answer answer = harness_ask(h, ECONTRACT_LOGIN_PATH, body);
    const char *token = cJSON_GetStringValue(answer_object(&answer));
    econtract_assert_good(&answer);
    assert_non_null(token);
    (void)snprintf(header, ECONTRACT_BEARER_SIZE, "Authorization: Bearer %s", token);
    harness_done(&answer);
}

struct answer econtract_ask(struct harness *h, const char *path, const char *body)
{
    char header[ECONTRACT_BEARER_SIZE];
    econtract_log_in(h, "{" ECONTRACT_SOLO "}", header);
    return harness_ask_with(h, path, body, header);
}
