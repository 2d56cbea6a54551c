/* SPDX-License-Identifier: Apache-2.0 */
/* Does OpenSSL accept what the module signed? For hosts that are linked with it. */
#ifndef TESTS_GUEST_JUDGE_H
#define TESTS_GUEST_JUDGE_H

#include "tests/guest/host.h"

/* Reads the public keys that slots.sh keeps in $HOME/slots; once, before there are threads. */
void judge_start(void);

/* Fails unless the signature is right. */
void judge_signature(enum host_slot slot, const char *text, const CK_BYTE *signature, CK_ULONG len);

#endif
