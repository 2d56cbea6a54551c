/* SPDX-License-Identifier: Apache-2.0 */
/* What logging in and changing PINs have in common. */
#ifndef MODULE_TOKEN_LOGIN_H
#define MODULE_TOKEN_LOGIN_H

#include "module/token/session.h"
#include "remote/base/secret.h"

/* A copy of the application's PIN in memory of its own: CKR_PIN_INCORRECT if it cannot be one. */
CK_RV pin_take(const CK_UTF8CHAR *pin, CK_ULONG pin_len, struct secret **ret_secret);

/* No PIN was given, and the token has a way of its own to ask for it (2.40 section 5.6, C_Login).
 */
bool pin_asks_itself(const struct token *token, const CK_UTF8CHAR *pin);

/*
 * Around a backend call that tries a PIN. Only after CKR_OK from the first is the second called,
 * with what the backend said; it returns what the application gets.
 */
CK_RV pin_wait_begin(struct session *s, struct call *call);
CK_RV pin_wait_end(struct session *s, struct call *call, enum sca_status status);

#endif
