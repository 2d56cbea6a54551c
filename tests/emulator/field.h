/* SPDX-License-Identifier: Apache-2.0 */
/* Members of JSON objects, names compared exactly. An object may be NULL: it has no members then.
 */
#ifndef TESTS_EMULATOR_FIELD_H
#define TESTS_EMULATOR_FIELD_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "remote/base/status.h"

/* The text, lent; NULL when the member is absent or not a string. */
const char *field_text(const cJSON *object, const char *name);

/*
 * The readers below leave *ret_value alone when the member is absent, so that it keeps its default,
 * and return SCA_INVALID for a member of another type, a fraction or a number out of range.
 */
enum sca_status field_unsigned(const cJSON *object, const char *name, unsigned *ret_value);
enum sca_status field_int(const cJSON *object, const char *name, int *ret_value);
enum sca_status field_bool(const cJSON *object, const char *name, bool *ret_value);

#endif
