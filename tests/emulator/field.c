/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/field.h"

#include <limits.h>

const char *field_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

enum sca_status field_int(const cJSON *object, const char *name, int *ret_value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        return SCA_OK;
    double value = cJSON_GetNumberValue(item); /* not a number: NaN, which fails every comparison */
    if (!(value >= INT_MIN && value <= INT_MAX) || value != (double)(int)value)
        return SCA_INVALID;
    *ret_value = (int)value;
    return SCA_OK;
}

enum sca_status field_unsigned(const cJSON *object, const char *name, unsigned *ret_value)
{
    int value = 0;
    if (!cJSON_GetObjectItemCaseSensitive(object, name))
        return SCA_OK;
    if (field_int(object, name, &value) != SCA_OK || value < 0)
        return SCA_INVALID;
    *ret_value = (unsigned)value;
    return SCA_OK;
}

enum sca_status field_bool(const cJSON *object, const char *name, bool *ret_value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        return SCA_OK;
    if (!cJSON_IsBool(item))
        return SCA_INVALID;
    *ret_value = cJSON_IsTrue(item);
    return SCA_OK;
}
