/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/rv_text.h"

#include <p11-kit/p11-kit.h>

#include "remote/base/cleanup.h"
#include "remote/cli/cli.h"

/* What p11-kit says of the codes that people meet, in its words; it has no translation of its own
 * into some languages. */
static const struct {
    CK_RV rv;
    const char *text;
} texts[] = {
    {CKR_ARGUMENTS_BAD, N_("Invalid arguments")},
    {CKR_BUFFER_TOO_SMALL, N_("Not enough space to store the result")},
    {CKR_DEVICE_ERROR, N_("An error occurred on the device")},
    {CKR_DEVICE_MEMORY, N_("Insufficient memory available on the device")},
    {CKR_DEVICE_REMOVED, N_("The device was removed or unplugged")},
    {CKR_FUNCTION_CANCELED, N_("The operation was cancelled")},
    {CKR_FUNCTION_FAILED, N_("The operation failed")},
    {CKR_FUNCTION_NOT_SUPPORTED, N_("This operation is not supported")},
    {CKR_FUNCTION_REJECTED, N_("The request was rejected by the user")},
    {CKR_GENERAL_ERROR, N_("Internal error")},
    {CKR_HOST_MEMORY, N_("Insufficient memory available")},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, N_("This operation cannot be done with this key")},
    {CKR_MECHANISM_INVALID, N_("The crypto mechanism is invalid or unrecognized")},
    {CKR_PIN_EXPIRED, N_("The password or PIN has expired")},
    {CKR_PIN_INCORRECT, N_("The password or PIN is incorrect")},
    {CKR_PIN_INVALID, N_("The password or PIN is invalid")},
    {CKR_PIN_LEN_RANGE, N_("The password or PIN is of an invalid length")},
    {CKR_PIN_LOCKED, N_("The password or PIN is locked")},
    {CKR_SESSION_EXISTS, N_("An open session exists")},
    {CKR_SESSION_READ_ONLY, N_("The session is read-only")},
    {CKR_SLOT_ID_INVALID, N_("The specified slot ID is not valid")},
    {CKR_TOKEN_NOT_PRESENT, N_("The device is not present or unplugged")},
    {CKR_TOKEN_NOT_RECOGNIZED, N_("The device is invalid or unrecognizable")},
    {CKR_TOKEN_WRITE_PROTECTED, N_("The device is write protected")},
    {CKR_USER_ALREADY_LOGGED_IN, N_("You are already logged in")},
    {CKR_USER_NOT_LOGGED_IN, N_("No user has logged in")},
    {CKR_USER_PIN_NOT_INITIALIZED, N_("The user's password or PIN is not set")},
};

const char *rv_text(CK_RV rv)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].rv == rv)
            return _(texts[i].text);
    return p11_kit_strerror(rv);
}
