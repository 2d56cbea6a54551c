/* SPDX-License-Identifier: Apache-2.0 */
/* Members of eContract's objects, in every form they have been seen in. */
#ifndef REMOTE_ECONTRACT_MEMBER_H
#define REMOTE_ECONTRACT_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/base/status.h"
#include "remote/smartca/json.h"

enum { MEMBER_TEXT_MAX = 4096 }; /* bytes of one text; more is cut at a character */

/* An integer, or text that is nothing but one. False, and nothing written, for anything else. */
bool member_number(const cJSON *object, const char *name, int64_t *ret_number);

/* The same where it may be wrapped: {value, description}, {id, ...}. */
bool member_coded(const cJSON *object, const char *name, const char *inner, int64_t *ret_number);

/* False unless it is true. */
bool member_flag(const cJSON *object, const char *name);

/* A copy of a text, or of a number as text; "" for anything else. Cut where it is too long. What a
 * terminal would obey is a blank in it. The caller frees. SCA_NOMEM. */
enum sca_status member_text(const cJSON *object, const char *name, char **ret_text);

/* Of the first of names, which NULL ends, that is there and not empty. */
enum sca_status member_any_text(const cJSON *object, const char *const *names, char **ret_text);

#endif
