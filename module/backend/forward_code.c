/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/forward.h"
#include "remote/base/cleanup.h"

/* Codes that say to an application what they say to us. Others, a module's own and those that are
 * no codes at all become CKR_DEVICE_ERROR, which every function may return. */
static const CK_RV passed_on[] = {
    CKR_HOST_MEMORY,
    CKR_FUNCTION_FAILED,
    CKR_FUNCTION_CANCELED,
    CKR_FUNCTION_REJECTED,
    CKR_DATA_INVALID,
    CKR_DATA_LEN_RANGE,
    CKR_DEVICE_MEMORY,
    CKR_DEVICE_REMOVED,
    CKR_KEY_SIZE_RANGE,
    CKR_KEY_FUNCTION_NOT_PERMITTED,
    CKR_KEY_TYPE_INCONSISTENT,
    CKR_MECHANISM_INVALID,
    CKR_MECHANISM_PARAM_INVALID,
    CKR_PIN_INCORRECT,
    CKR_PIN_INVALID,
    CKR_PIN_LEN_RANGE,
    CKR_PIN_EXPIRED,
    CKR_PIN_LOCKED,
    CKR_SESSION_COUNT,
    CKR_SESSION_READ_ONLY,
    CKR_TOKEN_WRITE_PROTECTED,
    CKR_TOKEN_RESOURCE_EXCEEDED,
    CKR_USER_NOT_LOGGED_IN,
    CKR_USER_PIN_NOT_INITIALIZED,
    CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
    CKR_USER_TOO_MANY_TYPES,
    CKR_FUNCTION_NOT_SUPPORTED,
};

/* Codes of the module's that an application would take for something it did itself. */
static const struct {
    CK_RV inner;
    CK_RV outer;
} replaced[] = {
    {CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_REMOVED},
    {CKR_TOKEN_NOT_RECOGNIZED, CKR_DEVICE_REMOVED},
    {CKR_SLOT_ID_INVALID, CKR_DEVICE_REMOVED},
};

CK_RV forward_code(CK_RV inner)
{
    for (size_t i = 0; i < ARRAY_LEN(replaced); i++)
        if (replaced[i].inner == inner)
            return replaced[i].outer;
    for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
        if (passed_on[i] == inner)
            return inner;
    return CKR_DEVICE_ERROR;
}

enum sca_status forward_fail(const struct forward_token *token, struct call *call, CK_RV rv,
                             const char *what)
{
    static const struct {
        CK_RV rv;
        enum sca_status status;
    } statuses[] = {
        {CKR_HOST_MEMORY, SCA_NOMEM},
        {CKR_USER_NOT_LOGGED_IN, SCA_USER_AUTH},
        {CKR_PIN_LOCKED, SCA_PIN_LOCKED},
    };
    enum sca_status st = SCA_DEVICE;

    if (rv == CKR_OK)
        return SCA_OK;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].rv == rv)
            st = statuses[i].status;
    call->device_error = forward_code(rv);
    return call_fail(call, st, "[token %s] %s of %s says 0x%lx", token->section->config->name, what,
                     token->inner->file.path, rv);
}
