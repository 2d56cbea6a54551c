/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMOTE_SMARTCA_JSON_H
#define REMOTE_SMARTCA_JSON_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "remote/base/bytes.h"
#include "remote/base/status.h"

enum {
    JSON_DEPTH_MAX = 16,
    JSON_NODES_MAX = 20000,
    JSON_MEMBERS_MAX = 256, /* of one object; keeps the search for duplicates short */
    JSON_STRING_MAX = 64 * 1024,
};

/*
 * Parses a document that came from outside, within the limits of R-D1: UTF-8,
 * no NUL (also not escaped), nothing after the value, no key twice in an object. bytes.ptr[len]
 * must be readable and 0 (struct buf makes it so). SCA_PROTOCOL with the reason in why (static
 * text; NULL on success), or SCA_NOMEM. The caller cJSON_Delete()s ret_json.
 */
enum sca_status json_parse(struct span bytes, cJSON **ret_json, const char **why);

/* AUTO(json_deletep) cJSON *json. */
void json_deletep(cJSON **json);

/*
 * Members, by exact name. A missing member, null or another type, and an object that is NULL or
 * none, is NULL / false. What is returned borrows from object.
 */
const cJSON *json_object(const cJSON *object, const char *name);
const cJSON *json_array(const cJSON *object, const char *name);
const char *json_text(const cJSON *object, const char *name);
bool json_integer(const cJSON *object, const char *name, long *ret_value); /* exact integers only */

#endif
