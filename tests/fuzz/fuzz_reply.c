/* SPDX-License-Identifier: Apache-2.0 */
/* What the service answers, from the bytes of the body to the verdict. */
#include "tests/fuzz/fuzz.h"

#include "remote/base/cleanup.h"
#include "remote/smartca/codec.h"
#include "remote/smartca/fold.h"
#include "remote/smartca/verdict.h"

#include <stdlib.h>
#include <string.h>

static const long http_statuses[] = {0, 200, 302, 400, 401, 403, 404, 405, 408, 409, 429, 500};

static void require(int holds)
{
    if (!holds)
        abort();
}

static void judge(const struct codec_reply *reply)
{
    for (size_t i = 0; i < ARRAY_LEN(http_statuses); i++) {
        enum verdict sign = verdict_of_sign(http_statuses[i], reply);
        enum verdict status = verdict_of_status(http_statuses[i], reply);
        enum verdict list = verdict_of_certificates(http_statuses[i], reply);
        int is_signed = reply && reply->signature_count > 0;

        require(sign <= VERDICT_FAILED && (sign == VERDICT_SIGNED) == is_signed);
        require(status <= VERDICT_FAILED && (status == VERDICT_SIGNED) == is_signed);
        require(list <= VERDICT_FAILED && list != VERDICT_SIGNED);
    }
    if (reply)
        (void)verdict_blames_user(reply);
}

static void check_reply(struct span body)
{
    struct codec_reply reply;
    const char *why = NULL;

    if (codec_parse_reply(body, &reply, &why) != SCA_OK) {
        require(why != NULL);
        judge(NULL);
        return;
    }
    require(utf8_is_valid(span_text(reply.message)));
    require(strlen(reply.transaction_id) < CODEC_ID_SIZE);
    require(strlen(reply.tran_code) < CODEC_ID_SIZE);
    require(reply.expired_in >= 0 && reply.expired_in <= 86400);
    require(reply.signature_count <= CODEC_SIGNATURES_MAX + 1);
    for (size_t i = 0; i < reply.signature_count; i++)
        require(reply.signatures[i].value[0] != 0);
    judge(&reply);
    codec_reply_fini(&reply);
}

static void check_certificates(struct span body)
{
    struct codec_certificates list;
    const char *why = NULL;
    size_t skipped = 0;

    if (codec_parse_certificates(body, &list, &skipped, &why) != SCA_OK)
        return;
    require(list.count + skipped <= CODEC_CERTIFICATES_MAX);
    for (size_t i = 0; i < list.count; i++) {
        const struct codec_certificate *item = &list.items[i];
        require(item->leaf.len > 0 && item->serial_number && item->service_type);
        require(verdict_of_certificate(item->status, item->status_code) <= CERTIFICATE_UNUSABLE);
    }
    codec_certificates_fini(&list);
}

/* Text that no JSON was around: verdicts fold whatever they get. */
static void check_fold(const char *text)
{
    char words[FOLD_WORDS_SIZE];
    char folded[16];

    fold_words(text, words);
    require(words[0] == ' ' && words[strlen(words) - 1] == ' ');
    fold_text(text, folded, sizeof(folded));
    require(strlen(folded) < sizeof(folded));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = 0;

    check_reply(span_of(text, size));
    check_certificates(span_of(text, size));
    check_fold((const char *)text);
    free(text);
    return 0;
}
