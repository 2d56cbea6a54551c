/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/attributes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

static void add(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG len)
{
    assert(attributes->count < ATTRIBUTES_MAX);
    attributes->list[attributes->count++] = (CK_ATTRIBUTE){type, value, len};
}

void attributes_add(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, struct span value)
{
    /* CK_ATTRIBUTE knows no const; nobody writes through it on the way to a sink. */
    add(attributes, type, (void *)(uintptr_t)value.ptr, value.len);
}

void attributes_add_text(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, const char *text)
{
    attributes_add(attributes, type, span_text(text));
}

void attributes_add_bool(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, bool value)
{
    add(attributes, type, value ? &yes : &no, sizeof(CK_BBOOL));
}

void attributes_add_number(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
    CK_ULONG *kept = &attributes->numbers[attributes->count];
    *kept = value;
    add(attributes, type, kept, sizeof(*kept));
}

void attributes_add_date(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, int64_t seconds)
{
    assert(attributes->date_count < ARRAY_LEN(attributes->dates));
    CK_DATE *date = &attributes->dates[attributes->date_count++];
    char text[sizeof(*date) + 1];
    struct tm utc;
    time_t when = (time_t)seconds;

    if (!gmtime_r(&when, &utc) || strftime(text, sizeof(text), "%Y%m%d", &utc) != sizeof(*date)) {
        attributes_add(attributes, type, span_of(NULL, 0));
        return;
    }
    memcpy(date, text, sizeof(*date));
    add(attributes, type, date, sizeof(*date));
}

void attributes_add_storage(struct attributes *attributes, CK_OBJECT_CLASS class, bool is_private)
{
    attributes_add_number(attributes, CKA_CLASS, class);
    attributes_add_bool(attributes, CKA_TOKEN, true);
    attributes_add_bool(attributes, CKA_PRIVATE, is_private);
    attributes_add_bool(attributes, CKA_MODIFIABLE, false);
    attributes_add_bool(attributes, CKA_COPYABLE, false);
    attributes_add_bool(attributes, CKA_DESTROYABLE, false);
}
