/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing or verifying many messages with one key and mechanism (3.0 sections 5.14 and 5.16). The
 * process begins and ends as other operations do and outlives every failure of a message.
 */
#ifndef MODULE_TOKEN_MESSAGE_H
#define MODULE_TOKEN_MESSAGE_H

#include "module/cryptoki.h"
#include "module/token/operation.h"

/* Borrows the process between two messages: CKR_OPERATION_ACTIVE inside of one. */
CK_RV message_borrow_between(struct session *s, enum operation_kind kind,
                             struct operation **ret_process);

/* Borrows it inside of a message: CKR_OPERATION_NOT_INITIALIZED between two. */
CK_RV message_borrow_inside(struct session *s, enum operation_kind kind,
                            struct operation **ret_process);

/* A message in parts begins. No mechanism here has parameters of a message. */
CK_RV message_begin(struct operation *process, CK_ULONG parameter_len);

/* Gives it back with the message over, well or not. Returns rv. */
CK_RV message_return_ended(struct session *s, struct operation *process, CK_RV rv);

/* The process ends; not in the midst of a message. */
CK_RV message_final(struct session *s, enum operation_kind kind);

#endif
