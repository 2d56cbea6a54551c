/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the values that occur in calls to this module, for the trace and the audit log. */
#ifndef MODULE_TOKEN_NAMES_H
#define MODULE_TOKEN_NAMES_H

#include "module/cryptoki.h"

/* "CKR_OK", "CKM_RSA_PKCS", "CKA_LABEL"; NULL for a value that has no name here. */
const char *trace_rv_name(CK_RV rv);
const char *trace_mechanism_name(CK_MECHANISM_TYPE type);
const char *trace_attribute_name(CK_ATTRIBUTE_TYPE type);

#endif
