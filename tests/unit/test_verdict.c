/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/verdict.h"

#include "remote/base/cleanup.h"
#include "remote/smartca/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* status_code of a row whose body is no envelope. */
enum { NO_BODY = -2 };

struct row {
    long http_status;
    long status_code;
    const char *message;
    enum verdict verdict;
};

typedef enum verdict (*judge)(long http_status, const struct codec_reply *reply);

static void judge_rows(judge verdict_of, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct codec_reply reply = {.status_code = rows[i].status_code};
        (void)snprintf(reply.message, sizeof(reply.message), "%s", rows[i].message);
        enum verdict got =
            verdict_of(rows[i].http_status, rows[i].status_code == NO_BODY ? NULL : &reply);
        if (got != rows[i].verdict)
            fail_msg("HTTP %ld, %ld, \"%s\": %d instead of %d", rows[i].http_status,
                     rows[i].status_code, rows[i].message, (int)got, (int)rows[i].verdict);
    }
}

static const struct row submissions[] = {
    {200, 200, "sig_wait_for_user_confirm", VERDICT_ACCEPTED},
    {200, 0, "Success", VERDICT_ACCEPTED},
    {201, 200, "", VERDICT_ACCEPTED},
    {200, 200, "SIG_WAIT_FOR_USER_CONFIRM (no error)", VERDICT_ACCEPTED},
    {200, CODEC_NO_STATUS, "sig_wait_for_user_confirm", VERDICT_ACCEPTED},
    {200, 200, "FAILED", VERDICT_FAILED},
    {200, 64002, "", VERDICT_EXISTS},
    {400, 400, "Transaction exist", VERDICT_EXISTS},
    {400, NO_BODY, "", VERDICT_FAILED},
    {200, 200, "TRANSACTION_EXISTED", VERDICT_EXISTS},
    {400, 400, "Giao dịch đã tồn tại", VERDICT_EXISTS},
    {500, 500, "duplicate transaction_id", VERDICT_EXISTS},
    {409, NO_BODY, "", VERDICT_EXISTS},
    {200, 400, "Certificate does not exist", VERDICT_FAILED},
    {200, 400, "serial doesn't exist", VERDICT_FAILED},
    {404, 404, "Không tồn tại chứng thư", VERDICT_FAILED},
    {500, 500, "record not found", VERDICT_TROUBLE},
    {401, 401, "SP_CREDENTIAL_INVALID", VERDICT_SERVICE_AUTH},
    {200, 401, "User does not exist", VERDICT_SERVICE_AUTH},
    {401, NO_BODY, "", VERDICT_SERVICE_AUTH},
    {401, 200, "", VERDICT_SERVICE_AUTH},
    {403, 403, "certificate expired", VERDICT_NOT_PERMITTED},
    {200, 403, "CREDENTIAL_STATUS_INVALID", VERDICT_NOT_PERMITTED},
    {200, 60003, "", VERDICT_NOT_PERMITTED},
    {200, 65000, "", VERDICT_EXHAUSTED},
    {400, 400, "error 65000: service pack", VERDICT_EXHAUSTED},
    {200, 500, "code=65000", VERDICT_EXHAUSTED},
    {400, 400, "id 1650001 wrong", VERDICT_FAILED},
    {429, NO_BODY, "", VERDICT_BUSY},
    {200, 429, "", VERDICT_BUSY},
    {500, NO_BODY, "", VERDICT_TROUBLE},
    {200, 500, "SERVAR_INTERNAL_ERROR", VERDICT_TROUBLE},
    {503, 200, "Success", VERDICT_TROUBLE},
    {400, 500, "", VERDICT_TROUBLE},
    {500, 400, "", VERDICT_TROUBLE},
    {200, NO_BODY, "", VERDICT_TROUBLE},
    {200, CODEC_NO_STATUS, "", VERDICT_TROUBLE},
    {200, CODEC_NO_STATUS, "error", VERDICT_TROUBLE},
    {204, NO_BODY, "", VERDICT_TROUBLE},
    {302, NO_BODY, "", VERDICT_TROUBLE},
    {408, NO_BODY, "", VERDICT_TROUBLE},
    {0, NO_BODY, "", VERDICT_TROUBLE},
    {400, 400, "BAD_REQUEST", VERDICT_FAILED},
    {405, NO_BODY, "", VERDICT_FAILED},
    {404, NO_BODY, "", VERDICT_FAILED},
    {200, 1003, "", VERDICT_FAILED},
    {200, 62010, "data request format", VERDICT_FAILED},
};

static void a_submission_is_judged_by_both_codes_and_the_message(void **state)
{
    (void)state;

    judge_rows(verdict_of_sign, submissions, ARRAY_LEN(submissions));
}

static const struct row statuses[] = {
    {200, 200, "sig_wait_for_user_confirm", VERDICT_WAITING},
    {200, 200, "SUCCESS", VERDICT_WAITING}, /* and no signatures yet */
    {200, 0, "", VERDICT_WAITING},
    {200, 200, "some new text", VERDICT_WAITING},
    {200, 200, "Chờ xác nhận", VERDICT_WAITING},
    {409, NO_BODY, "", VERDICT_WAITING},
    {200, 409, "", VERDICT_WAITING},
    {409, 409, "expired", VERDICT_WAITING},
    {400, 400, "transaction is pending", VERDICT_WAITING},
    {200, 4000, "", VERDICT_WAITING},
    {200, CODEC_NO_STATUS, "pending", VERDICT_WAITING},
    {200, 200, "REJECTED", VERDICT_REJECTED},
    {200, 400, "User denied the request to confirm", VERDICT_REJECTED},
    {400, 400, "deny", VERDICT_REJECTED},
    {403, 403, "user_refused", VERDICT_REJECTED},
    {401, 401, "user rejected", VERDICT_REJECTED},
    {500, 500, "rejected by user", VERDICT_REJECTED},
    {200, 4002, "", VERDICT_REJECTED},
    {200, 200, "Người dùng từ chối xác nhận", VERDICT_REJECTED},
    {200, 200, "Tu\xcc\x9b\xcc\x80 cho\xcc\x82\xcc\x81i", VERDICT_REJECTED}, /* decomposed */
    {200, 200, "EXPIRED", VERDICT_EXPIRED},
    {200, 200, "Transaction timed out", VERDICT_EXPIRED},
    {200, 200, "TIMEOUT", VERDICT_EXPIRED},
    {200, 400, "CANCELLED", VERDICT_EXPIRED},
    {403, 403, "transaction expired", VERDICT_EXPIRED},
    {200, 62002, "", VERDICT_EXPIRED},
    {200, 4001, "", VERDICT_EXPIRED},
    {200, 200, "Giao dịch hết hạn", VERDICT_EXPIRED},
    {404, NO_BODY, "", VERDICT_UNKNOWN_ID},
    {404, 404, "transaction not found or expired", VERDICT_UNKNOWN_ID},
    {200, 404, "", VERDICT_UNKNOWN_ID},
    {200, 62000, "", VERDICT_UNKNOWN_ID},
    {400, 400, "Transaction not found", VERDICT_UNKNOWN_ID},
    {500, 500, "Không tìm thấy giao dịch", VERDICT_UNKNOWN_ID},
    {200, 400, "giao dich khong ton tai", VERDICT_UNKNOWN_ID},
    {401, NO_BODY, "", VERDICT_SERVICE_AUTH},
    {200, 401, "SP_CREDENTIAL_INVALID: access denied", VERDICT_SERVICE_AUTH},
    {401, 401, "account expired", VERDICT_SERVICE_AUTH},
    {403, NO_BODY, "", VERDICT_NOT_PERMITTED},
    {200, 403, "certificate expired", VERDICT_NOT_PERMITTED},
    {403, 403, "Chứng thư số đã hết hạn", VERDICT_NOT_PERMITTED},
    {200, 65000, "", VERDICT_EXHAUSTED},
    {200, 400, "65000", VERDICT_EXHAUSTED},
    {429, NO_BODY, "", VERDICT_BUSY},
    {500, NO_BODY, "", VERDICT_TROUBLE},
    {200, 500, "SERVAR_INTERNAL_ERROR", VERDICT_TROUBLE},
    {500, 500, "A task was canceled.", VERDICT_TROUBLE},
    {504, 504, "upstream request timeout", VERDICT_TROUBLE},
    {502, 200, "", VERDICT_TROUBLE},
    {503, 503, "Connection refused", VERDICT_TROUBLE},
    {408, 408, "Request timeout", VERDICT_TROUBLE},
    {200, NO_BODY, "", VERDICT_TROUBLE},
    {200, CODEC_NO_STATUS, "", VERDICT_TROUBLE},
    {307, NO_BODY, "", VERDICT_TROUBLE},
    {405, NO_BODY, "", VERDICT_FAILED},
    {400, NO_BODY, "", VERDICT_FAILED},
    {400, 400, "BAD_REQUEST", VERDICT_FAILED},
    {200, 200, "sign failed", VERDICT_FAILED},
    {200, 200, "Ký số thất bại", VERDICT_FAILED},
    {200, 62001, "", VERDICT_FAILED},
    {200, 4004, "", VERDICT_FAILED},
};

static void a_status_is_judged_by_both_codes_and_the_message(void **state)
{
    (void)state;

    judge_rows(verdict_of_status, statuses, ARRAY_LEN(statuses));
}

static const struct row lists[] = {
    {200, 200, "Success", VERDICT_ACCEPTED},
    {200, 0, "", VERDICT_ACCEPTED},
    {404, 404, "not found", VERDICT_ACCEPTED},
    {200, 404, "", VERDICT_ACCEPTED},
    {404, NO_BODY, "", VERDICT_UNKNOWN_ID},
    {404, CODEC_NO_STATUS, "", VERDICT_UNKNOWN_ID},
    {401, 401, "", VERDICT_SERVICE_AUTH},
    {200, 401, "user not found", VERDICT_SERVICE_AUTH},
    {403, 403, "", VERDICT_NOT_PERMITTED},
    {200, 65000, "", VERDICT_EXHAUSTED},
    {200, 400, "error 65000", VERDICT_EXHAUSTED},
    {429, NO_BODY, "", VERDICT_BUSY},
    {503, NO_BODY, "", VERDICT_TROUBLE},
    {200, 500, "not found", VERDICT_TROUBLE},
    {408, NO_BODY, "", VERDICT_TROUBLE},
    {200, NO_BODY, "", VERDICT_TROUBLE},
    {200, CODEC_NO_STATUS, "", VERDICT_TROUBLE},
    {301, NO_BODY, "", VERDICT_TROUBLE},
    {400, 400, "", VERDICT_FAILED},
    {405, NO_BODY, "", VERDICT_FAILED},
    {200, 62010, "", VERDICT_FAILED},
};

static void a_list_of_certificates_is_judged_by_both_codes(void **state)
{
    (void)state;

    judge_rows(verdict_of_certificates, lists, ARRAY_LEN(lists));
}

static void a_signature_outweighs_everything_else(void **state)
{
    (void)state;
    struct codec_signature signature = {.value = "QUJD"};
    const struct codec_reply reply = {
        .status_code = 500, .message = "rejected", .signatures = &signature, .signature_count = 1};

    assert_int_equal(verdict_of_sign(200, &reply), VERDICT_SIGNED);
    assert_int_equal(verdict_of_status(409, &reply), VERDICT_SIGNED);
}

static void an_id_without_a_code_is_an_acceptance(void **state)
{
    (void)state;
    const struct codec_reply own = {.status_code = CODEC_NO_STATUS, .transaction_id = "t"};
    const struct codec_reply theirs = {.status_code = 200, .tran_code = "c", .message = "no error"};

    assert_int_equal(verdict_of_sign(200, &own), VERDICT_ACCEPTED);
    assert_int_equal(verdict_of_sign(200, &theirs), VERDICT_ACCEPTED);
    assert_int_equal(verdict_of_sign(500, &own), VERDICT_TROUBLE);
    assert_int_equal(verdict_of_sign(401, &theirs), VERDICT_SERVICE_AUTH);
}

static void the_blame_follows_the_message(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        bool is_users;
    } rows[] = {
        {"User account is locked", true},
        {"user_id invalid", true},
        {"Tài khoản người dùng không hợp lệ", true},
        {"Thuê bao chưa kích hoạt", true},
        {"SP_CREDENTIAL_INVALID", false},
        {"SP_CREDENTIAL_INVALID: user not found", true},
        {"SP_CREDENTIAL_INVALID: sp_id or user", false},
        {"Tài khoản SP không hợp lệ", false},
        {"sp_id or user invalid", false},
        {"client_id is wrong", false},
        {"service provider account locked", false},
        {"", false},
        {"responsible", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct codec_reply reply = {.status_code = 401};
        (void)snprintf(reply.message, sizeof(reply.message), "%s", rows[i].message);
        if (verdict_blames_user(&reply) != rows[i].is_users)
            fail_msg("%s", rows[i].message);
    }
}

static void a_certificate_state_is_read_in_both_languages(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        const char *code;
        enum certificate_state expected;
    } rows[] = {
        {"", "", CERTIFICATE_ACTIVE},
        {NULL, NULL, CERTIFICATE_ACTIVE},
        {" \r\n", " ", CERTIFICATE_ACTIVE},
        {"", "VALID", CERTIFICATE_ACTIVE},
        {"", "active", CERTIFICATE_ACTIVE},
        {"", "1", CERTIFICATE_ACTIVE},
        {"1", "", CERTIFICATE_ACTIVE},
        {"Đang hoạt động", "VALID", CERTIFICATE_ACTIVE},
        {"ĐANG HOẠT ĐỘNG", "", CERTIFICATE_ACTIVE},
        {"Hoạt động", NULL, CERTIFICATE_ACTIVE},
        {"Còn hiệu lực", "", CERTIFICATE_ACTIVE},
        {"some new text", "", CERTIFICATE_ACTIVE},
        {"some new text", "VALID", CERTIFICATE_ACTIVE},
        {"Đã thu hồi", "", CERTIFICATE_REVOKED},
        {"Đã thu hồi", "VALID", CERTIFICATE_REVOKED},
        {"REVOKED", "", CERTIFICATE_REVOKED},
        {"", "CERT_REVOKED", CERTIFICATE_REVOKED},
        {"Chưa kích hoạt", "", CERTIFICATE_NOT_ACTIVATED},
        {"Chờ kích hoạt", "", CERTIFICATE_NOT_ACTIVATED},
        {"", "INACTIVE", CERTIFICATE_NOT_ACTIVATED},
        {"", "PENDING", CERTIFICATE_NOT_ACTIVATED},
        {"Not activated", "", CERTIFICATE_NOT_ACTIVATED},
        {"Not_Active", "", CERTIFICATE_NOT_ACTIVATED},
        {"Hết hạn", "", CERTIFICATE_UNUSABLE},
        {"Hết hiệu lực", "", CERTIFICATE_UNUSABLE},
        {"", "EXPIRED", CERTIFICATE_UNUSABLE},
        {"", "INVALID", CERTIFICATE_UNUSABLE},
        {"", "SUSPENDED", CERTIFICATE_UNUSABLE},
        {"", "0", CERTIFICATE_UNUSABLE},
        {"0", "", CERTIFICATE_UNUSABLE},
        {"7", "", CERTIFICATE_UNUSABLE},
        {"11", "", CERTIFICATE_UNUSABLE},
        {"", "SOMETHING_NEW", CERTIFICATE_UNUSABLE},
        {"Đang hoạt động", "SOMETHING_NEW", CERTIFICATE_UNUSABLE},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum certificate_state got = verdict_of_certificate(rows[i].status, rows[i].code);
        if (got != rows[i].expected)
            fail_msg("row %zu, \"%s\", \"%s\": %d", i, rows[i].status ? rows[i].status : "NULL",
                     rows[i].code ? rows[i].code : "NULL", (int)got);
    }
}

static void every_vietnamese_letter_folds_to_its_base(void **state)
{
    (void)state;
    static const struct {
        const char *letters;
        char base;
    } rows[] = {
        {"áàảãạăắằẳẵặâấầẩẫậÁÀẢÃẠĂẮẰẲẴẶÂẤẦẨẪẬ", 'a'},
        {"éèẻẽẹêếềểễệÉÈẺẼẸÊẾỀỂỄỆ", 'e'},
        {"íìỉĩịÍÌỈĨỊ", 'i'},
        {"óòỏõọôốồổỗộơớờởỡợÓÒỎÕỌÔỐỒỔỖỘƠỚỜỞỠỢ", 'o'},
        {"úùủũụưứừửữựÚÙỦŨỤƯỨỪỬỮỰ", 'u'},
        {"ýỳỷỹỵÝỲỶỸỴ", 'y'},
        {"đĐÐ", 'd'},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char folded[128];
        char expected[128] = "";
        size_t letters = 0;
        for (const char *p = rows[i].letters; *p; p++)
            letters += ((unsigned char)*p & 0xc0) != 0x80;
        memset(expected, rows[i].base, letters);
        fold_text(rows[i].letters, folded, sizeof(folded));
        assert_string_equal(folded, expected);
    }
}

static void folding_lower_cases_and_drops_combining_accents(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *folded;
    } rows[] = {
        {"", ""},
        {"Sig_Wait-9", "sig_wait-9"},
        {"Tu\xcc\x9b\xcc\x80 cho\xcc\x82\xcc\x81i", "tu choi"},
        {"\xe2\x82\xac\xf0\x9f\x93\xb1x", "??x"},
        {"\xff\x80x\xe1\xbb", "??x??"},
        {"a\xc3", "a?"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char folded[32];
        fold_text(rows[i].text, folded, sizeof(folded));
        assert_string_equal(folded, rows[i].folded);
    }
}

static void folding_cuts_to_the_room_there_is(void **state)
{
    (void)state;
    char out[4] = {'#', '#', '#', '#'};

    fold_text("ABCDEF", out, 3);
    assert_memory_equal(out, "ab\0#", 4);
    fold_text("ABCDEF", out, 1);
    assert_memory_equal(out, "\0b\0#", 4);
}

static void words_have_one_space_around_them(void **state)
{
    (void)state;
    char words[FOLD_WORDS_SIZE];
    char longest[2 * FOLD_WORDS_SIZE];

    fold_words("  SP_id:\t(42)  không!", words);
    assert_string_equal(words, " sp id 42 khong ");
    fold_words("", words);
    assert_string_equal(words, " ");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    fold_words(longest, words);
    assert_int_equal(strlen(words), FOLD_WORDS_SIZE - 1);
}

static void a_number_is_not_found_inside_a_longer_one(void **state)
{
    (void)state;
    static const char *const stems[] = {"none", "65000", NULL};

    assert_true(fold_has(" 65000 ", stems));
    assert_true(fold_has(" 650001 e65000x ", stems));
    assert_false(fold_has(" 650001 165000 6500 ", stems));
    assert_false(fold_has(" ", stems));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submission_is_judged_by_both_codes_and_the_message),
        cmocka_unit_test(a_status_is_judged_by_both_codes_and_the_message),
        cmocka_unit_test(a_list_of_certificates_is_judged_by_both_codes),
        cmocka_unit_test(a_signature_outweighs_everything_else),
        cmocka_unit_test(an_id_without_a_code_is_an_acceptance),
        cmocka_unit_test(the_blame_follows_the_message),
        cmocka_unit_test(a_certificate_state_is_read_in_both_languages),
        cmocka_unit_test(every_vietnamese_letter_folds_to_its_base),
        cmocka_unit_test(folding_lower_cases_and_drops_combining_accents),
        cmocka_unit_test(folding_cuts_to_the_room_there_is),
        cmocka_unit_test(words_have_one_space_around_them),
        cmocka_unit_test(a_number_is_not_found_inside_a_longer_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
