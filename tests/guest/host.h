/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host application: it loads the module at run time and uses the four slots that
 * tests/clients/slots.sh prepares. What it has to say goes to a file, since its stdout and stderr
 * are watched: the module may not write there. Any thread and any child may call what is here.
 */
#ifndef TESTS_GUEST_HOST_H
#define TESTS_GUEST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "module/cryptoki.h"

enum host_slot { HOST_SMARTCA, HOST_RSA, HOST_EC, HOST_USB, HOST_SLOTS };

enum { HOST_SIGNATURE_MAX = 512, HOST_FAILED = 99 };

extern const struct cryptoki_list_3_2 *p11;

/* Loads GUEST_MODULE, without C_Initialize. */
void host_load(void);

/* C_Initialize, which a library may have called before if GUEST_SHARED is set, and the four slots
 * are there; a child that was forked calls it, too. */
void host_start(void);

/* The slots of those that were there at host_start; asked again. */
void host_find_slots(void);

/* Was it there? A forked child may lack the USB token, and that only. */
bool host_has(enum host_slot slot);

CK_SLOT_ID host_slot_id(enum host_slot slot);
const char *host_slot_name(enum host_slot slot); /* as slots.sh has it */

/* Of these, only what others may do to a session at the same time is left to the caller to judge.
 */
CK_RV host_open(enum host_slot slot, CK_FLAGS flags, CK_SESSION_HANDLE *ret_session);
CK_RV host_login(CK_SESSION_HANDLE session);
CK_RV host_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *ret_key);

/* C_SignInit of the slot's one private key with SHA-256. */
CK_RV host_sign_init(enum host_slot slot, CK_SESSION_HANDLE session);
CK_RV host_sign(enum host_slot slot, CK_SESSION_HANDLE session, const char *text,
                CK_BYTE signature[HOST_SIGNATURE_MAX], CK_ULONG *ret_len);

/* Opens a session, logs in, signs, and closes it; fails unless each says CKR_OK. */
void host_sign_once(enum host_slot slot, const char *text);

/* A text nobody else signs: it has the process, the thread and a number. */
void host_text(char *text, size_t size, const char *what, unsigned number);

/* Writes a line to GUEST_REPORT; host_fail also ends the process with HOST_FAILED, at once. */
void host_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void host_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void host_must(CK_RV rv, const char *what);

/* As host_must, but false when the USB token was gone for a moment: SoftHSM2 cannot read its files
 * while another process logs in (6 of 3200 C_GetTokenInfo of four processes without this module).
 */
bool host_worked(enum host_slot slot, CK_RV rv, const char *what);

/* Numbers that look random; the same seed, the same numbers. */
uint32_t host_dice(uint32_t *dice, uint32_t sides);
void host_rest_us(uint32_t microseconds);
uint64_t host_now_ms(void);

#endif
