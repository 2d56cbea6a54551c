/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/users */
#define _GNU_SOURCE /* strcasestr */
#include <stdlib.h>
#include <string.h>

#include "tests/emulator/econtract_api.h"
#include "tests/emulator/reply.h"

enum { PAGE_SIZE = 10, PAGE_SIZE_MAX = 100, PAGE_MAX = 1000000 };

struct query {
    const char *search; /* lent; NULL: everybody */
    size_t page;        /* from 1 */
    size_t page_size;
};

static const char *argument(const struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* Leaves *ret_number alone when the argument is absent or empty. */
static bool read_number(const struct exchange *x, const char *name, size_t max, size_t *ret_number)
{
    const char *text = argument(x, name);
    char *end = NULL;
    if (!text || text[0] == '\0')
        return true;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < 1 || number > max)
        return false;
    *ret_number = number;
    return true;
}

/* The case of ASCII letters does not matter; of others it does. */
static bool is_wanted(const struct query *query, const struct econtract_user *user)
{
    return !query->search || strcasestr(user->name, query->search) ||
           strcasestr(user->code, query->search);
}

/* Call with the lock. */
static cJSON *page_json(const struct econtract *econtract, const struct query *query,
                        int company_id)
{
    size_t total = 0;
    size_t first = (query->page - 1) * query->page_size;
    cJSON *data = cJSON_CreateObject();
    cJSON *items = cJSON_AddArrayToObject(data, "items");
    for (size_t i = 0; i < econtract->user_count; i++) {
        if (!is_wanted(query, &econtract->users[i]))
            continue;
        if (total >= first && total - first < query->page_size)
            (void)cJSON_AddItemToArray(items,
                                       econtract_item_json(&econtract->users[i], company_id));
        total++;
    }
    size_t pages = (total + query->page_size - 1) / query->page_size;
    (void)cJSON_AddNumberToObject(data, "totalCount", (double)total);
    (void)cJSON_AddNumberToObject(data, "pageCount", (double)pages);
    (void)cJSON_AddNumberToObject(data, "page", (double)query->page);
    (void)cJSON_AddNumberToObject(data, "pageSize", (double)query->page_size);
    (void)cJSON_AddBoolToObject(data, "hasNextPage", query->page < pages);
    (void)cJSON_AddBoolToObject(data, "hasPreviousPage", query->page > 1);
    return data;
}

void econtract_list_users(struct exchange *x)
{
    struct query query = {argument(x, "search"), 1, PAGE_SIZE};
    cJSON *data = NULL;
    bool is_good = read_number(x, "page", PAGE_MAX, &query.page) &&
                   read_number(x, "pageSize", PAGE_SIZE_MAX, &query.page_size);
    x->entry.body_ok = true;
    emulator_lock(x->emulator);
    const struct econtract_token *token = econtract_bearer(x);
    if (token && is_good)
        data = page_json(&x->emulator->econtract, &query, token->company_id);
    emulator_unlock(x->emulator);
    if (data)
        econtract_reply(x, data);
    else if (token)
        econtract_refuse(x, "page và pageSize là số nguyên dương, pageSize tối đa 100");
}
