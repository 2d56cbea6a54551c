/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_BACKEND_ATTRIBUTES_H
#define MODULE_BACKEND_ATTRIBUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "module/cryptoki.h"
#include "remote/base/bytes.h"

enum { ATTRIBUTES_MAX = 48 };

/* A template under construction. Spans are lent until it was handed to a sink; numbers are kept
 * here. */
struct attributes {
    CK_ATTRIBUTE list[ATTRIBUTES_MAX];
    CK_ULONG numbers[ATTRIBUTES_MAX];
    CK_DATE dates[2];
    CK_ULONG count;
    unsigned date_count;
};

void attributes_add(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, struct span value);
void attributes_add_text(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, const char *text);
void attributes_add_bool(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, bool value);
void attributes_add_number(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, CK_ULONG value);

/* A CK_DATE, of the day in UTC; at most two of them. */
void attributes_add_date(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, int64_t seconds);

/* The attributes every stored object has: class, token, private and the three "may be changed"
 * ones. */
void attributes_add_storage(struct attributes *attributes, CK_OBJECT_CLASS class, bool is_private);

#endif
