/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_CLI_RV_TEXT_H
#define REMOTE_CLI_RV_TEXT_H

#include <p11-kit/pkcs11.h>

/* What a code of PKCS#11 means, in the reader's language: a static text. */
const char *rv_text(CK_RV rv);

#endif
