/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/backend.h"

#include <stdlib.h>

enum sca_status token_list_add(struct token_list *list, struct token *take_token)
{
    /* Full at every power of two: there is room for the next one then. */
    if ((list->count & (list->count - 1)) == 0) {
        size_t room = list->count ? 2 * list->count : 1;
        struct token **items = realloc(list->items, room * sizeof(struct token *));
        if (!items) {
            take_token->ops->free(take_token);
            return SCA_NOMEM;
        }
        list->items = items;
    }
    list->items[list->count++] = take_token;
    return SCA_OK;
}

void token_list_fini(struct token_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i])
            list->items[i]->ops->free(list->items[i]);
    free(list->items);
    *list = (struct token_list){0};
}
