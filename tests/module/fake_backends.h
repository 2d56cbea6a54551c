/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripted tokens in the place of the real backends: keys that OpenSSL made when the program
 * started, a sign operation that waits, fails and counts as a test tells it to.
 */
#ifndef TESTS_MODULE_FAKE_BACKENDS_H
#define TESTS_MODULE_FAKE_BACKENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "module/backend/backend.h"

/* The slots, in the order of the slot list. */
enum fake_slot {
    FAKE_PHONE = 0x1001,  /* no login; sees only SHA-256 digests; no random */
    FAKE_PIN = 0x1002,    /* login with FAKE_PIN_TEXT; signs any PKCS#1 input; random */
    FAKE_EMPTY = 0x1003,  /* no token in it */
    FAKE_NO_PIN = 0x1004, /* needs a login, but nobody chose a PIN */
    FAKE_ODD = 0x1005,    /* keys and objects that are unusual, each in one way */
    FAKE_LATE = 0x1006,   /* known after discovery, where the script says so */
    FAKE_DISK = 0x1007,   /* takes writes (fake_disk.h), where the script says so */
    FAKE_SPARE = 0x0f00,  /* the same, empty: C_InitToken makes a token of it */
};

enum { FAKE_SLOT_COUNT = 5 }; /* without the late one */

#define FAKE_USER        "012345678901" /* whose key FAKE_PHONE's service holds */
#define FAKE_PIN_TEXT    "270319"
#define FAKE_SO_PIN_TEXT "so-270319"
#define FAKE_LONG_LABEL  "Nguyễn Thị Minh Khai và Trần Đức" /* byte 32 is inside a character */

/* Labels of objects. Every present token but FAKE_ODD has a private and a public key of that label.
 */
#define FAKE_KEY         "key"
#define FAKE_CERTIFICATE "certificate"
/* On FAKE_ODD only. */
#define FAKE_SMALL_KEY  "1024 bits"
#define FAKE_EC_KEY     "elliptic"
#define FAKE_SILENT_KEY "may not sign"
#define FAKE_FREE_DATA  "may be changed, copied and destroyed"
#define FAKE_DATA       "one of many"

enum { FAKE_DATA_COUNT = 37 };

/* What the tokens do from now on. Zeros: sign at once and well, with a patience of 60 seconds. */
struct fake_script {
    enum sca_status list_status;
    enum sca_status tokens_status; /* of backends_tokens; SCA_OK when C_Initialize comes */
    enum sca_status check_status;
    enum sca_status sign_status;
    enum sca_status login_status; /* SCA_OK: the PIN decides */
    unsigned long device_error;
    const char *note;
    bool is_holding;      /* sign and login wait for fake_release */
    bool is_deaf;         /* they do so even when they are cancelled */
    bool is_ticking;      /* the application's callback is asked at once, not after a second */
    bool has_no_patience; /* the deadline has passed when the wait begins */
    bool has_late_slot;
    bool asks_otp;   /* FAKE_PIN: each signature needs a one-time password; before C_Initialize */
    bool signs_once; /* FAKE_PIN: a login is good for one signature; before C_Initialize */
    bool is_filled;  /* FAKE_EMPTY has a token in it */
    CK_SLOT_ID gone; /* that slot's token is not there any more */
    CK_SLOT_ID preferred; /* that slot's token is a default; to be set before C_Initialize */
    bool has_disk;        /* FAKE_DISK and FAKE_SPARE; to be set before C_Initialize */
};

/* How often the tokens were asked, since fake_reset. */
struct fake_counts {
    unsigned list;
    unsigned check;
    unsigned sign;
    unsigned login;
    unsigned logout;
    unsigned discover;
    unsigned tokens; /* backends_tokens, the one of C_Initialize among them */
    unsigned look;   /* thorough backends_have_changed: of C_WaitForSlotEvent, before it sleeps */
    unsigned live;   /* tokens made and not yet freed */
    unsigned under_lock; /* calls that came with a lock held */
};

/* Forgets the script and the counts, before C_Initialize; the key pair stays. */
void fake_reset(void);
/* Also what backends_have_changed tells. */
void fake_play(struct fake_script script);
struct fake_counts fake_counted(void);

/* Ends the holding. */
void fake_release(void);

/* Waits until that many calls are held; false after ten seconds. */
bool fake_await_held(unsigned count);

/* What the last sign operation was asked for; at most 128 bytes of its input. */
struct fake_job {
    CK_MECHANISM_TYPE mechanism;
    enum crypto_hash hash;
    unsigned key_number;
    size_t input_len;
    uint8_t input[128];
    char otp[16]; /* "" if there was none */
};
struct fake_job fake_last_job(void);

/* Called on the signing thread, inside the sign operation, if not NULL. */
void fake_call_back(void (*inside)(void *arg), void *arg);

/* Is signature the PKCS#1 v1.5 signature of the message with the fake's key? */
bool fake_verifies(enum crypto_hash hash, struct span message, struct span signature);

/* The same for what was signed as it is, without a DigestInfo of ours (CKM_RSA_PKCS). */
bool fake_recovers(struct span input, struct span signature);

/* DER SubjectPublicKeyInfo and modulus of the fake's key, lent for ever. */
struct span fake_public_key_info(void);
struct span fake_modulus(void);

#endif
