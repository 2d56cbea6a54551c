/* SPDX-License-Identifier: Apache-2.0 */
/* The people and organisations the service knows, and their certificates. */
#ifndef TESTS_EMULATOR_USER_H
#define TESTS_EMULATOR_USER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "tests/emulator/hsm.h"
#include "tests/emulator/otp.h"
#include "tests/emulator/phone.h"
#include "tests/emulator/pki.h"
#include "tests/emulator/uuid.h"

enum { USER_ID_MAX = 32, USER_NAME_MAX = 128, USER_TEXT_MAX = 128, USER_UID_MAX = 48 };

enum certificate_state {
    CERTIFICATE_ACTIVE,
    CERTIFICATE_REVOKED,
    CERTIFICATE_NOT_ACTIVATED,
    CERTIFICATE_EXPIRED,
};

/*
 * One certificate. Lives as long as its user, replaced or not, because transactions point to it.
 * What was issued never changes; the members from state on do, under the emulator's lock.
 */
struct certificate {
    char cert_id[UUID_LEN + 1];
    char serial[48];
    char subject[512];
    char valid_from[32];
    char valid_to[32];
    X509 *x509;
    uint8_t *der; /* OPENSSL_free */
    size_t der_len;
    struct hsm_key key;
    unsigned number; /* from 1, per user */

    enum certificate_state state;
    char service_type[USER_TEXT_MAX];
    char service_name[USER_TEXT_MAX];
    char cert_status[USER_TEXT_MAX];
    char cert_status_code[USER_TEXT_MAX];
    bool is_used_up;  /* no signatures left in the package: 65000 */
    bool is_replaced; /* no longer listed, and refused by sign */
    struct certificate *next;
};

/* How far somebody has come on the way from VNeID to a certificate, and what came after. */
enum stage {
    STAGE_REQUESTED, /* in VNeID only: the service does not know the user */
    STAGE_ACCOUNT_CREATED,
    STAGE_PACKAGE_CHOSEN,
    STAGE_PAID,
    STAGE_CONTRACT_SIGNED,
    STAGE_APPROVED,
    STAGE_ISSUED, /* from here on the certificates are listed; not yet activated */
    STAGE_ACTIVE,
    STAGE_VISIBLE, /* in VNeID too, which makes no difference here */
    STAGE_EXPIRED,
    STAGE_REVOKED,
    STAGE_PACKAGE_USED_UP,
};

struct user {
    char id[USER_ID_MAX + 1];
    char uid[USER_UID_MAX + 1]; /* "CCCD:" or "MST:" and the id */
    char name[USER_NAME_MAX + 1];
    bool is_organisation;

    bool is_business;
    char password[USER_TEXT_MAX];
    struct otp otp;
    enum stage stage;
    struct certificate *certificates; /* in the order of their numbers */
    unsigned certificate_count;
    struct phone phone;
    struct user *next;
};

/* Where certificates come from; lent. */
struct issuer {
    const char *dir;
    struct hsm *hsm;
    struct pki *pki;
};

/*
 * A user without certificates. text is the id, with "CCCD:" or "MST:" in front or not: without, 10
 * or 13 digits are a tax code. SCA_INVALID when id or name is empty, too long or has odd
 * characters.
 */
enum sca_status user_new(const char *text, const char *name, struct user **ret_user);
void user_free(struct user *user);

/*
 * The certificate of that number, valid between the days: from dir/users/ID-number.pem when
 * allow_old and it still fits, else issued and written there. Takes no lock, may take half a
 * second.
 */
enum sca_status certificate_issue(const struct issuer *issuer, const struct user *user,
                                  unsigned number, struct pki_leaf dates, bool allow_old,
                                  struct certificate **ret_certificate);
void certificate_free(struct certificate *certificate);

/* Appends; the user becomes the owner. */
void user_add_certificate(struct user *user, struct certificate *take_certificate);

/* The one listed with that serial; "" means the first listed one. NULL if there is none. */
struct certificate *user_find_certificate(struct user *user, const char *serial);

/* A user as a new one: active, with the standard password and secret key. */
void user_reset(struct user *user);

/* Whether the stage is one at which certificates are listed. */
bool user_shows(const struct user *user);

/* user_find_certificate among those that the service lists and signs with. */
struct certificate *user_find_shown(struct user *user, const char *serial);

/* Sets the stage, and the state of all certificates to what goes with it. */
void user_set_stage(struct user *user, enum stage stage);
bool user_stage_parse(const char *name, enum stage *ret_stage);
const char *user_stage_name(enum stage stage);

/* Sets state and the two status texts that go with it. */
void certificate_set_state(struct certificate *certificate, enum certificate_state state);

/* By name: active, revoked, not_activated, expired. False for another one. */
bool certificate_state_parse(const char *name, enum certificate_state *ret_state);
const char *certificate_state_name(enum certificate_state state);

#endif
