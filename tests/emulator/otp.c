/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/otp.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "remote/base/bytes.h"

enum { STANDARD_PERIOD_S = 30, STANDARD_KEY_LEN = 32 };

void otp_reset(struct otp *otp, const char *user_id)
{
    char seed[128];
    uint8_t hash[SHA256_DIGEST_LENGTH];
    char key[STANDARD_KEY_LEN + 1];
    char secret[OTP_SECRET_MAX + 1];
    int len = snprintf(seed, sizeof(seed), "smartca-emulator %s", user_id);
    (void)SHA256((const unsigned char *)seed, (size_t)len, hash);
    hex_encode(span_of(hash, STANDARD_KEY_LEN / 2), key);
    (void)EVP_EncodeBlock((unsigned char *)secret, (const unsigned char *)key, STANDARD_KEY_LEN);
    *otp = (struct otp){.period_s = STANDARD_PERIOD_S};
    (void)otp_set_secret(otp, secret); /* made to fit */
}

bool otp_set_secret(struct otp *otp, const char *secret)
{
    struct buf key;
    if (strlen(secret) > OTP_SECRET_MAX)
        return false;
    bool is_good = base64_decode(span_text(secret), OTP_KEY_MAX, &key) == SCA_OK && key.len > 0;
    if (is_good) {
        memcpy(otp->key, key.ptr, key.len);
        otp->key_len = key.len;
        otp->used_count = 0;
        memcpy(otp->secret, secret, strlen(secret) + 1);
    }
    buf_fini(&key);
    return is_good;
}

void otp_set_period(struct otp *otp, unsigned period_s)
{
    if (otp->period_s == period_s)
        return;
    otp->period_s = period_s;
    otp->used_count = 0;
}

/* RFC 4226 section 5.3. */
static void code_of(const struct otp *otp, int64_t step, char out[OTP_LEN + 1])
{
    uint8_t counter[8];
    uint8_t mac[EVP_MAX_MD_SIZE] = {0};
    unsigned mac_len = 0;
    for (unsigned i = 0; i < sizeof(counter); i++)
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    (void)HMAC(EVP_sha1(), otp->key, (int)otp->key_len, counter, sizeof(counter), mac, &mac_len);
    unsigned at = mac_len > 0 ? mac[mac_len - 1] & 0x0fU : 0;
    uint32_t number = ((uint32_t)mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
                      (uint32_t)mac[at + 2] << 8 | mac[at + 3];
    (void)snprintf(out, OTP_LEN + 1, "%06u", (unsigned)(number % 1000000));
}

static int64_t step_of(const struct otp *otp, int64_t now)
{
    return now / (int64_t)otp->period_s;
}

void otp_show(const struct otp *otp, int64_t now, int steps, char out[OTP_LEN + 1])
{
    code_of(otp, step_of(otp, now) + steps, out);
}

unsigned otp_seconds_left(const struct otp *otp, int64_t now)
{
    return otp->period_s - (unsigned)(now % (int64_t)otp->period_s);
}

static bool is_used(const struct otp *otp, int64_t step)
{
    unsigned long count = otp->used_count < OTP_USED_MAX ? otp->used_count : OTP_USED_MAX;
    for (unsigned long i = 0; i < count; i++)
        if (otp->used[i] == step)
            return true;
    return false;
}

enum otp_verdict otp_check(struct otp *otp, const char *code, int64_t now, int tolerance,
                           bool may_repeat)
{
    char expected[OTP_LEN + 1];
    enum otp_verdict verdict = OTP_WRONG;
    if (tolerance > OTP_STEPS_MAX)
        tolerance = OTP_STEPS_MAX;
    for (int i = -tolerance; i <= tolerance; i++) {
        int64_t step = step_of(otp, now) + i;
        code_of(otp, step, expected);
        if (strcmp(expected, code) != 0)
            continue;
        verdict = OTP_USED;
        if (may_repeat)
            return OTP_GOOD;
        if (!is_used(otp, step)) {
            otp->used[otp->used_count++ % OTP_USED_MAX] = step;
            return OTP_GOOD;
        }
    }
    return verdict;
}
