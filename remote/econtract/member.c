/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/econtract/member.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/bytes.h"

bool member_number(const cJSON *object, const char *name, int64_t *ret_number)
{
    const char *text = json_text(object, name);
    char *end = NULL;
    long number = 0;

    if (!text) {
        if (!json_integer(object, name, &number))
            return false;
        *ret_number = number;
        return true;
    }
    if (strspn(text, "0123456789") == 0)
        return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*end || errno)
        return false;
    *ret_number = value;
    return true;
}

bool member_coded(const cJSON *object, const char *name, const char *inner, int64_t *ret_number)
{
    const cJSON *wrapped = json_object(object, name);
    return wrapped ? member_number(wrapped, inner, ret_number)
                   : member_number(object, name, ret_number);
}

bool member_flag(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object) && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

enum sca_status member_text(const cJSON *object, const char *name, char **ret_text)
{
    const char *text = json_text(object, name);
    char digits[24] = "";
    int64_t number = 0;

    if (!text && member_number(object, name, &number))
        (void)snprintf(digits, sizeof(digits), "%" PRId64, number);
    if (!text)
        text = digits;
    char *copy = strndup(text, utf8_cut(text, MEMBER_TEXT_MAX));
    if (!copy)
        return SCA_NOMEM;
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < ' ' && *p != '\n')
            *p = ' ';
    *ret_text = copy;
    return SCA_OK;
}

enum sca_status member_any_text(const cJSON *object, const char *const *names, char **ret_text)
{
    enum sca_status st = SCA_OK;
    char *text = NULL;

    for (; st == SCA_OK && *names && (!text || !*text); names++) {
        free(text);
        text = NULL;
        st = member_text(object, *names, &text);
    }
    if (st == SCA_OK)
        *ret_text = text;
    return st;
}
