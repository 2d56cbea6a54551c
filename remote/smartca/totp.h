/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one-time passwords of a business account (RFC 6238; remote/README.md says which), and that
 * none is ever used twice: state_dir/journal/otp-ID has the last step that was used for an
 * identity, by any process of its owner.
 */
#ifndef REMOTE_SMARTCA_TOTP_H
#define REMOTE_SMARTCA_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/base/call.h"
#include "remote/base/identity.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"

enum {
    TOTP_KEY_MAX = 128, /* bytes */
    TOTP_CODE_SIZE = 9, /* up to eight digits and a NUL */
};

/* Sensitive: wiped by totp_key_fini. */
struct totp_key {
    uint8_t bytes[TOTP_KEY_MAX];
    size_t len;
    unsigned digits;   /* 6 to 8 */
    unsigned period_s; /* 1 to 3600 */
};

/*
 * Reads a secret key as people have it: base64 as VNPT shows it (the decoded bytes are the key),
 * base32:..., hex:..., raw:..., base64:..., or otpauth://totp/...?secret=...&digits=&period=.
 * SCA_INVALID with the reason in why (static text, without a part of the secret).
 */
enum sca_status totp_key_read(const struct secret *text, struct totp_key *ret_key,
                              const char **why);
void totp_key_fini(struct totp_key *key);

/* Is it taken as base64, although it looks like base32, which other services show? */
bool totp_key_is_doubtful(const struct secret *text);

/* The number of the step that wall-clock second is in. */
int64_t totp_step(const struct totp_key *key, int64_t wall_s);

/* The code of a step. SCA_NOMEM. */
enum sca_status totp_code(const struct totp_key *key, int64_t step,
                          char ret_code[static TOTP_CODE_SIZE]);

/* Whose codes. Borrowed. */
struct totp_owner {
    const char *state_dir;
    struct identity identity;
};

/*
 * Takes a step for one transaction: the current one, shifted by the drift that was found before;
 * when that step, or a later one, was used already, waits for the next (cancellable). SCA_IO when
 * the record cannot be kept, or others keep it locked: then no code may be used.
 */
enum sca_status totp_take(const struct totp_owner *owner, struct call *call,
                          const struct totp_key *key, int64_t *ret_step);

/*
 * The service refused the code of that step: takes a neighbouring step that was never used, the one
 * that is nearer in time. SCA_NOT_FOUND when there is none.
 */
enum sca_status totp_take_neighbour(const struct totp_owner *owner, struct call *call,
                                    const struct totp_key *key, int64_t refused, int64_t *ret_step);

/* What is known when a neighbour's code was taken. */
struct totp_evidence {
    int64_t refused; /* steps */
    int64_t accepted;
    int64_t offset_s; /* the service's clock less ours, as it told with the refusal */
    unsigned period_s;
};

/*
 * Remembers which neighbour worked, if the service's own clock says that it is the better step. A
 * code that somebody used on another computer is refused like one of the wrong step, and a
 * difference "found" that way would only make the next ones wrong.
 */
void totp_found_drift(const struct totp_owner *owner, const struct totp_evidence *evidence);

#endif
