/* SPDX-License-Identifier: Apache-2.0 */
/* Which tokens there are, and how an empty slot becomes one. */
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/token.h"

#define OWN_LIBRARY "libsmartca-pkcs11"
#define OWN_MODEL   "Self-signed"

/* In our module other slots are in the cloud, or belong to somebody else's token. */
static bool is_own_module(const struct module *module)
{
    char name[sizeof(((CK_INFO *)NULL)->manufacturerID) + 1];
    CK_INFO info;

    return module->p11->C_GetInfo(&info) == CKR_OK &&
           strcmp(module_text(info.manufacturerID, sizeof(info.manufacturerID), name),
                  OWN_LIBRARY) == 0;
}

static struct token_slot slot_from(CK_SLOT_ID id, const CK_TOKEN_INFO *info)
{
    struct token_slot slot = {.id = id,
                              .has_pin = info->flags & CKF_USER_PIN_INITIALIZED,
                              .pin_min = info->ulMinPinLen,
                              .pin_max = info->ulMaxPinLen};

    (void)module_text(info->label, sizeof(info->label), slot.label);
    return slot;
}

static bool keep_token(struct tokens *tokens, struct token_slot slot)
{
    if (tokens->count == tokens->room) {
        size_t wanted = tokens->room ? tokens->room * 2 : 64;
        struct token_slot *items = realloc(tokens->items, wanted * sizeof(*items));
        if (!items)
            return false;
        tokens->items = items;
        tokens->room = wanted;
    }
    tokens->items[tokens->count++] = slot;
    return true;
}

static bool is_wanted(const CK_TOKEN_INFO *info, bool is_own)
{
    char model[sizeof(info->model) + 1];

    if (info->flags & CKF_WRITE_PROTECTED)
        return false;
    return !is_own || strcmp(module_text(info->model, sizeof(info->model), model), OWN_MODEL) == 0;
}

/* False: there is no memory, and what was not looked at may be what is asked for. */
static bool take_slot(const struct module *module, CK_SLOT_ID id, struct tokens *tokens)
{
    CK_TOKEN_INFO info;

    CK_RV rv = module->p11->C_GetTokenInfo(id, &info);
    if (rv == CKR_HOST_MEMORY)
        return false;
    if (rv != CKR_OK || !is_wanted(&info, tokens->is_own))
        return true;
    if (info.flags & CKF_TOKEN_INITIALIZED)
        return keep_token(tokens, slot_from(id, &info));
    if (!tokens->has_spare)
        tokens->spare = slot_from(id, &info);
    tokens->has_spare = true;
    return true;
}

/* Only the spare one: from the end, where a new one is, so that the thousandth costs no more. */
static bool find_spare(const struct module *module, struct tokens *tokens, struct trouble *trouble)
{
    AUTO(freep) CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;

    tokens->has_spare = false;
    CK_RV rv = module_slots(module, &slots, &count);
    if (rv != CKR_OK)
        return trouble_module(trouble, _("the module does not list its slots"), rv);
    while (count > 0 && !tokens->has_spare) {
        CK_TOKEN_INFO info;
        CK_SLOT_ID id = slots[--count];
        tokens->has_spare = module->p11->C_GetTokenInfo(id, &info) == CKR_OK &&
                            is_wanted(&info, tokens->is_own) &&
                            !(info.flags & CKF_TOKEN_INITIALIZED);
        if (tokens->has_spare)
            tokens->spare = slot_from(id, &info);
    }
    return true;
}

static int by_label(const void *a, const void *b)
{
    const struct token_slot *left = a;
    const struct token_slot *right = b;
    int order = strcmp(left->label, right->label);

    return order ? order : (left->id > right->id) - (left->id < right->id);
}

bool tokens_read(const struct module *module, struct tokens *ret_tokens, struct trouble *trouble)
{
    AUTO(freep) CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;

    *ret_tokens = (struct tokens){.is_own = is_own_module(module)};
    CK_RV rv = module_slots(module, &slots, &count);
    if (rv != CKR_OK)
        return trouble_module(trouble, _("the module does not list its slots"), rv);
    for (CK_ULONG i = 0; i < count; i++)
        if (!take_slot(module, slots[i], ret_tokens))
            return trouble_no_memory(trouble);
    if (ret_tokens->count > 0)
        qsort(ret_tokens->items, ret_tokens->count, sizeof(*ret_tokens->items), by_label);
    return true;
}

void tokens_fini(struct tokens *tokens)
{
    free(tokens->items);
    *tokens = (struct tokens){0};
}

const struct token_slot *tokens_find(const struct tokens *tokens, const char *label)
{
    size_t low = 0;
    size_t high = tokens->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(tokens->items[middle].label, label) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tokens->count && strcmp(tokens->items[low].label, label) == 0 ? &tokens->items[low]
                                                                               : NULL;
}

bool tokens_init_spare(const struct module *module, struct tokens *tokens, const char *label,
                       const struct secret *so_pin, struct token_slot *ret_slot,
                       struct trouble *trouble)
{
    CK_UTF8CHAR padded[FORM_LABEL_SIZE - 1];
    struct span pin = secret_get(so_pin);
    CK_BYTE text[SECRET_MAX];

    if (!tokens->has_spare)
        return trouble_say(trouble, "exhausted", _("initialise one with the program of its vendor"),
                           "%s", _("the module has no empty slot"));
    struct token_slot slot = tokens->spare;
    memset(padded, ' ', sizeof(padded));
    memcpy(padded, label, strlen(label));
    memcpy(text, pin.ptr, pin.len);
    CK_RV rv = module->p11->C_InitToken(slot.id, text, pin.len, padded);
    secret_wipe(text, sizeof(text));
    if (rv != CKR_OK)
        return trouble_module(trouble, _("the token cannot be initialised"), rv);
    (void)memcpy(slot.label, label, strlen(label) + 1);
    slot.has_pin = false;
    *ret_slot = slot;
    return find_spare(module, tokens, trouble);
}
