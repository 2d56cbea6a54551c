/* SPDX-License-Identifier: Apache-2.0 */
/* What C_GetSlotInfo and C_GetTokenInfo show. */
#include <string.h>

#include "module/token/handlers.h"
#include "module/token/slot.h"
#include "module/token/text.h"

static const CK_VERSION version = {SMARTCA_VERSION_MAJOR, SMARTCA_VERSION_MINOR};

CK_RV slot_info(CK_SLOT_ID id, CK_SLOT_INFO *info)
{
    struct slot *slot = NULL;
    CK_RV rv = slot_find(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!info)
        return CKR_ARGUMENTS_BAD;

    const struct token *token = slot->token;
    *info = (CK_SLOT_INFO){.hardwareVersion = version, .firmwareVersion = version};
    text_pad(info->slotDescription, sizeof(info->slotDescription),
             token->identity.slot_description);
    text_pad(info->manufacturerID, sizeof(info->manufacturerID), token->identity.manufacturer);
    /* NSS gives a non-removable slot up for good when it is empty at load; a removable one it
     * polls. */
    info->flags = token->is_present ? CKF_TOKEN_PRESENT : CKF_REMOVABLE_DEVICE;
    return CKR_OK;
}

static CK_FLAGS token_flags(const struct token *token)
{
    CK_FLAGS flags = CKF_TOKEN_INITIALIZED | CKF_WRITE_PROTECTED;
    if (token->needs_login)
        flags |= CKF_LOGIN_REQUIRED;
    if (token->has_user_pin)
        flags |= CKF_USER_PIN_INITIALIZED;
    if (token->has_protected_path)
        flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    if (token->has_random)
        flags |= CKF_RNG;
    return flags;
}

CK_RV slot_token_info(CK_SLOT_ID id, CK_TOKEN_INFO *info)
{
    struct slot *slot = NULL;
    CK_RV rv = slot_find_present(id, &slot);
    if (rv != CKR_OK)
        return rv;
    if (!info)
        return CKR_ARGUMENTS_BAD;

    const struct token *token = slot->token;
    *info = (CK_TOKEN_INFO){
        .flags = token_flags(token),
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
    text_pad(info->label, sizeof(info->label), token->identity.label);
    text_pad(info->manufacturerID, sizeof(info->manufacturerID), token->identity.manufacturer);
    text_pad(info->model, sizeof(info->model), token->identity.model);
    text_pad(info->serialNumber, sizeof(info->serialNumber), token->identity.serial);
    memset(info->utcTime, ' ', sizeof(info->utcTime));
    return CKR_OK;
}
