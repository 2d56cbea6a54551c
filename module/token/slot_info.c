/* SPDX-License-Identifier: Apache-2.0 */
/* What C_GetSlotInfo and C_GetTokenInfo show. */
#include <string.h>

#include "module/token/failure.h"
#include "module/token/handlers.h"
#include "module/token/slot.h"
#include "module/token/slot_look.h"
#include "module/token/text.h"

static const CK_VERSION version = {SMARTCA_VERSION_MAJOR, SMARTCA_VERSION_MINOR};

CK_RV slot_info(CK_SLOT_ID id, CK_SLOT_INFO *info)
{
    struct slot *slot = NULL;
    CK_RV rv = slot_find_again(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!info)
        return CKR_ARGUMENTS_BAD;

    const struct token *token = slot->token;
    if (token->is_foreign)
        (void)slot_look(false); /* programs ask this over and over to see if it is still there */
    *info = (CK_SLOT_INFO){.hardwareVersion = version, .firmwareVersion = version};
    text_pad(info->slotDescription, sizeof(info->slotDescription),
             token->identity.slot_description);
    text_pad(info->manufacturerID, sizeof(info->manufacturerID), token->identity.manufacturer);
    /*
     * Any slot may be emptied or filled while a program runs. NSS gives a slot that is not
     * removable up for good when it is empty at load, and Firefox looks for new slots
     * (SECMOD_UpdateSlotList) only in modules that have a removable one, so the empty slot on offer
     * is one as well: else an account added to a running Firefox would not show. It is cheap: NSS
     * asks C_GetSlotInfo and C_GetSessionInfo once a second at most, however often it is asked.
     */
    info->flags = CKF_REMOVABLE_DEVICE;
    if (atomic_load(&slot->is_present))
        info->flags |= CKF_TOKEN_PRESENT;
    return CKR_OK;
}

static CK_FLAGS token_flags(const struct token *token, const struct token_state *state)
{
    CK_FLAGS flags = 0;
    if (state->is_initialized)
        flags |= CKF_TOKEN_INITIALIZED;
    if (!token->ops->write)
        flags |= CKF_WRITE_PROTECTED;
    if (token->needs_login)
        flags |= CKF_LOGIN_REQUIRED;
    if (state->has_user_pin)
        flags |= CKF_USER_PIN_INITIALIZED;
    if (token->has_protected_path)
        flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    if (token->has_random)
        flags |= CKF_RNG;
    if (token->shows_async && token->ops->async)
        flags |= CKF_ASYNC_SESSION_SUPPORTED;
    return flags;
}

/* What the standard lets a token tell of wrong PINs, for the user and for the SO. */
static const struct {
    CK_FLAGS low;
    CK_FLAGS final;
    CK_FLAGS locked;
} pin_flags[] = {
    [TOKEN_USER] = {CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED},
    [TOKEN_SO] = {CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED},
};

static CK_FLAGS wrong_pin_flags(enum token_user user, unsigned wrong)
{
    CK_FLAGS flags = wrong ? pin_flags[user].low : 0;
    if (wrong == TOKEN_PIN_TRIES - 1)
        flags |= pin_flags[user].final;
    if (wrong >= TOKEN_PIN_TRIES)
        flags |= pin_flags[user].locked;
    return flags;
}

static CK_RV read_state(struct token *token, struct token_state *ret_state)
{
    if (token->ops->state)
        return failure_of(token->ops->state(token, ret_state), NULL);
    *ret_state = (struct token_state){
        .is_initialized = true,
        .has_user_pin = token->has_user_pin,
    };
    return CKR_OK;
}

CK_RV slot_token_info(CK_SLOT_ID id, CK_TOKEN_INFO *info)
{
    struct token_state state;
    struct slot *slot = NULL;
    CK_RV rv = slot_find_present(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!info)
        return CKR_ARGUMENTS_BAD;
    struct token *token = slot->token;
    rv = read_state(token, &state);
    if (rv != CKR_OK)
        return rv;

    *info = (CK_TOKEN_INFO){
        .flags = token_flags(token, &state) | wrong_pin_flags(TOKEN_USER, state.wrong_user_pins) |
                 wrong_pin_flags(TOKEN_SO, state.wrong_so_pins),
        .ulMaxSessionCount = CK_EFFECTIVELY_INFINITE,
        .ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE,
        .ulMaxPinLen = token->pin_max,
        .ulMinPinLen = token->pin_min,
        .ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION,
        .ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .hardwareVersion = version,
        .firmwareVersion = version,
    };
    lock_take(&slot->lock);
    info->ulSessionCount = slot->sessions;
    info->ulRwSessionCount = slot->rw_sessions;
    lock_drop(&slot->lock);
    const char *label = token->ops->write ? state.label : token->identity.label;
    const char *serial = token->ops->write ? state.serial : token->identity.serial;
    text_pad(info->label, sizeof(info->label), label);
    text_pad(info->manufacturerID, sizeof(info->manufacturerID), token->identity.manufacturer);
    text_pad(info->model, sizeof(info->model), token->identity.model);
    text_pad(info->serialNumber, sizeof(info->serialNumber), serial);
    memset(info->utcTime, ' ', sizeof(info->utcTime));
    return CKR_OK;
}
