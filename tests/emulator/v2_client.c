/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/v2_client.h"

#include <stdio.h>
#include <string.h>

struct answer v2_sign(struct harness *h, struct v2_ask ask)
{
    char body[2048];
    char otp[8];
    char serial[64];
    const char *user = ask.user ? ask.user : HARNESS_USER;
    if (!ask.otp)
        harness_otp(h, user, 0, otp);
    if (!ask.serial)
        harness_certificate_text(h, user, "serial_number", serial, sizeof(serial));
    int len = snprintf(
        body, sizeof(body),
        "{" SP_MEMBERS ",\"user_id\":\"%s\",\"transaction_id\":\"%s\",\"password\":\"%s\","
        "\"otp\":\"%s\",\"serial_number\":\"%s\",\"sign_files\":%s}",
        user, ask.id, ask.password ? ask.password : "user-password", ask.otp ? ask.otp : otp,
        ask.serial ? ask.serial : serial, ask.files ? ask.files : V2_ONE_FILE);
    assert_in_range(len, 1, sizeof(body) - 1);
    return harness_ask(h, V2_SIGN_PATH, body);
}

static void write_confirm(char *out, size_t room, const char *user, const char *id, const char *sad)
{
    int len = snprintf(out, room,
                       "{" SP_MEMBERS ",\"user_id\":\"%s\",\"password\":\"user-password\","
                       "\"sad\":\"%s\",\"transaction_id\":\"%s\"}",
                       user, sad, id);
    assert_in_range(len, 1, room - 1);
}

struct answer v2_confirm_as(struct harness *h, const char *user, const char *id, const char *sad)
{
    char body[2048];
    write_confirm(body, sizeof(body), user, id, sad);
    return harness_ask(h, V2_CONFIRM_PATH, body);
}

struct answer v2_confirm(struct harness *h, const char *id, const char *sad)
{
    return v2_confirm_as(h, HARNESS_USER, id, sad);
}

struct answer v2_confirm_alone(struct harness *h, const char *id, const char *sad)
{
    char body[2048];
    write_confirm(body, sizeof(body), HARNESS_USER, id, sad);
    return harness_ask_as(h, V2_CONFIRM_PATH, body, "application/json");
}

void v2_begin(struct harness *h, const char *id, char sad[V2_SAD_SIZE])
{
    harness_control(h, "/control/behaviour", "{\"otp_reuse\":\"allow\"}");
    struct answer answer = v2_sign(h, (struct v2_ask){.id = id});
    assert_int_equal(answer.status, 200);
    assert_non_null(answer_data(&answer, "sad"));
    (void)snprintf(sad, V2_SAD_SIZE, "%s", answer_data(&answer, "sad"));
    harness_done(&answer);
}

void v2_assert_refused(struct answer answer, long status, int code, const char *message)
{
    if (answer.status != status || strcmp(answer_message(&answer), message) != 0)
        print_error("expected %ld %s: %ld %s\n", status, message, answer.status,
                    (const char *)answer.body.ptr);
    assert_int_equal(answer.status, status);
    assert_int_equal(answer_code(&answer), code);
    assert_string_equal(answer_message(&answer), message);
    assert_null(answer_data(&answer, "sad"));
    assert_null(answer_signature(&answer, "signature_value"));
    harness_done(&answer);
}
