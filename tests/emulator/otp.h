/* SPDX-License-Identifier: Apache-2.0 */
/* One-time passwords as the service checks them (RFC 6238: HMAC-SHA1, six digits). */
#ifndef TESTS_EMULATOR_OTP_H
#define TESTS_EMULATOR_OTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OTP_LEN = 6,
    OTP_KEY_MAX = 128,
    OTP_SECRET_MAX = 192,
    OTP_PERIOD_MAX = 3600,
    OTP_STEPS_MAX = 30, /* a larger tolerance is cut to this */
    OTP_USED_MAX = 64,  /* more than fit into the tolerance */
};

/* A person's authenticator, and what the service remembers of it. */
struct otp {
    char secret[OTP_SECRET_MAX + 1]; /* as shown to people: base64 of the key */
    uint8_t key[OTP_KEY_MAX];
    size_t key_len;
    unsigned period_s;
    int64_t used[OTP_USED_MAX]; /* the steps whose codes were taken, the oldest overwritten */
    unsigned long used_count;
};

/* The standard secret of that user: base64 of 32 characters that look like hex, every 30 s. */
void otp_reset(struct otp *otp, const char *user_id);

/* False for what is not base64 of 1 to OTP_KEY_MAX bytes: nothing is changed then. */
bool otp_set_secret(struct otp *otp, const char *secret);

/* Another period, unless it is the same; what was used counts by steps, and is forgotten then. */
void otp_set_period(struct otp *otp, unsigned period_s);

/* The code that is shown steps (0: now) after the time, in seconds since 1970. */
void otp_show(const struct otp *otp, int64_t now, int steps, char out[OTP_LEN + 1]);
unsigned otp_seconds_left(const struct otp *otp, int64_t now);

enum otp_verdict { OTP_GOOD, OTP_WRONG, OTP_USED };

/*
 * Whether code is one of those from tolerance steps before the time to as many after it; a good one
 * is used up, unless the same may come again.
 */
enum otp_verdict otp_check(struct otp *otp, const char *code, int64_t now, int tolerance,
                           bool may_repeat);

#endif
