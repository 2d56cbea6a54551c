/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in the fault matrix, and their secrets: none of them may ever be written down. */
#ifndef TESTS_INTEGRATION_MATRIX_PEOPLE_H
#define TESTS_INTEGRATION_MATRIX_PEOPLE_H

#define MATRIX_PHONE      "012345678901"
#define MATRIX_UNATTENDED "079300000888"

#define MATRIX_SP_PASSWORD        "test-password"
#define MATRIX_PASSWORD           "canary-user-password"
#define MATRIX_ECONTRACT_PASSWORD "canary-econtract-password"
#define MATRIX_PIN                "canary-PIN-1"
#define MATRIX_TOTP_BASE32        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#define MATRIX_TOTP_BASE64        "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="
#define MATRIX_TOTP_PLAIN         "12345678901234567890"
#define MATRIX_JWT                "eyJhbGciOi" /* a permission to sign and eContract's token begin so */

#endif
