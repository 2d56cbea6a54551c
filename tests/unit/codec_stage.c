/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/codec_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct secret *secret_of(const char *text)
{
    struct secret *secret = NULL;
    assert_int_equal(secret_new(span_text(text), &secret), SCA_OK);
    return secret;
}

const uint8_t digest[64] = {0x00, 0x01, 0xab, 0xcd, 0xef};

const struct codec_sign_file file = {.digest = {digest, 32}, .doc_id = "0001-ABCD"};

struct codec_sign_request request_of(const struct codec_sign_file *files, size_t count)
{
    return (struct codec_sign_request){
        .transaction_id = "t-0002",
        .transaction_desc = "Sign from LibreOffice",
        .serial_number = "54010101aa",
        .time_stamp = "20250101000000Z",
        .files = files,
        .file_count = count,
    };
}
