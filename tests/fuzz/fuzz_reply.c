/* SPDX-License-Identifier: Apache-2.0 */
/* What the service answers, from the bytes of the body to the verdict and the signature. */
#include "tests/fuzz/fuzz.h"

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/smartca/codec.h"
#include "remote/smartca/fold.h"
#include "remote/smartca/result.h"
#include "remote/smartca/verdict.h"

#include <stdlib.h>
#include <string.h>

/* A key that was made for this, and the digest of which the corpus has its signatures. */
static const char spki[] =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApJOfJIYALW9zryq37P9myJ9zpduyK0qt"
    "yneKuuAnrkq6FxeNmuQf/bQpO9lIkHCobUOvWt2u+b3h55cDfpCnGEAKLs+xgcSx0FQt9eDYcRF6"
    "qZRGHITfFq9S40lC6q0j61fX1Z73/1i+ambQuumNFTeTweUtQQWcCWsd/vMdZpGO5QtcyCDb/8RL"
    "gCC3GHsVLbOF3rXkXAf4Hho2d37vafU/NQngvrX5kABtbPDK/RC0YDPMSOvDNQKw7IqP8LxsewFt"
    "ZoU/uE3wAI0rz4Gh0Fo+dST/kMJ1h4XTCOIiJUyrzfOc9z3cVGc1fBrA1tsPHt5djNvBY+XPnnOY"
    "4m9AEwIDAQAB";
static const char digest_hex[] = "031b4af5197ec30a926f48cf40e11a7dbc470048a21e4003b7a3c07c5dab1baa";
enum { SIGNATURE_LEN = 256, SPKI_MAX = 300, RESULTS_AT_MOST = 2 };

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

static const struct result_key *key(void)
{
    static struct result_key *made;
    struct buf der;

    if (made)
        return made;
    require(base64_decode(span_text(spki), SPKI_MAX, &der) == SCA_OK);
    require(result_key_new(crypto_libctx(), buf_span(&der), &made) == SCA_OK);
    buf_fini(&der);
    return made;
}

/* What is handed out is a signature of the digest; otherwise nothing is. */
static void check_result(const char *value)
{
    static const uint8_t untouched[SIGNATURE_LEN];
    uint8_t signature[SIGNATURE_LEN] = {0};
    uint8_t digest[32];
    size_t len = 0;

    require(hex_decode(digest_hex, digest, sizeof(digest), &len) == SCA_OK);
    enum sca_status st =
        result_extract(key(), span_of(digest, len), value, signature, sizeof(signature));
    if (st != SCA_OK) {
        require(st == SCA_MISMATCH && memcmp(signature, untouched, sizeof(signature)) == 0);
        return;
    }
    digest[0] ^= 1;
    require(result_extract(key(), span_of(digest, len), value, signature, sizeof(signature)) ==
            SCA_MISMATCH);
}

/* Any bytes as the key of a certificate. */
static void check_key(struct span bytes)
{
    struct result_key *made = NULL;

    require((result_key_new(crypto_libctx(), bytes, &made) == SCA_OK) == (made != NULL));
    result_key_free(made);
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
    for (size_t i = 0; i < reply.signature_count && i < RESULTS_AT_MOST; i++)
        check_result(reply.signatures[i].value);
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
    check_key(span_of(text, size));
    free(text);
    return 0;
}
