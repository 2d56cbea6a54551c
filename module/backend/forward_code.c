/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/forward.h"
#include "remote/base/cleanup.h"

enum {
    ANY = FORWARD_SIGN | FORWARD_LOGIN | FORWARD_SET_PIN,
    PINS = FORWARD_LOGIN | FORWARD_SET_PIN
};

/*
 * Codes that say to an application what they say to us, and of what they may be said: 2.40 and 3.1
 * list them with each function. The module's C_SignInit, and the C_Login of a key that wants one
 * each time, are parts of a signature. What is wrong with a PIN is said wherever one was given, in
 * the list or not: for C_Sign, CKR_USER_NOT_LOGGED_IN would be in it, but that ends the login to
 * the token (sign_ended), and the application would ask for a PIN that was right. Of C_SetPIN,
 * CKR_USER_PIN_NOT_INITIALIZED is what our own slots say; CKR_PIN_EXPIRED would send the
 * application to C_SetPIN. Others, a module's own and those that are no codes at all become
 * CKR_DEVICE_ERROR, which every function may return.
 */
static const struct {
    CK_RV rv;
    unsigned of;
} passed_on[] = {
    {CKR_HOST_MEMORY, ANY},
    {CKR_FUNCTION_FAILED, ANY},
    {CKR_FUNCTION_CANCELED, ANY},
    {CKR_FUNCTION_NOT_SUPPORTED, ANY},
    {CKR_DEVICE_MEMORY, ANY},
    {CKR_DEVICE_REMOVED, ANY},
    {CKR_FUNCTION_REJECTED, FORWARD_SIGN},
    {CKR_DATA_INVALID, FORWARD_SIGN},
    {CKR_DATA_LEN_RANGE, FORWARD_SIGN},
    {CKR_KEY_SIZE_RANGE, FORWARD_SIGN},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, FORWARD_SIGN},
    {CKR_KEY_TYPE_INCONSISTENT, FORWARD_SIGN},
    {CKR_MECHANISM_INVALID, FORWARD_SIGN},
    {CKR_MECHANISM_PARAM_INVALID, FORWARD_SIGN},
    {CKR_TOKEN_RESOURCE_EXCEEDED, FORWARD_SIGN},
    {CKR_USER_NOT_LOGGED_IN, FORWARD_SIGN},
    {CKR_PIN_INCORRECT, ANY},
    {CKR_PIN_INVALID, ANY},
    {CKR_PIN_LEN_RANGE, ANY},
    {CKR_PIN_EXPIRED, FORWARD_SIGN | FORWARD_LOGIN},
    {CKR_PIN_LOCKED, ANY},
    {CKR_USER_PIN_NOT_INITIALIZED, PINS},
    {CKR_USER_ANOTHER_ALREADY_LOGGED_IN, FORWARD_LOGIN},
    {CKR_USER_TOO_MANY_TYPES, FORWARD_LOGIN},
    {CKR_SESSION_READ_ONLY, FORWARD_SET_PIN},
    {CKR_TOKEN_WRITE_PROTECTED, FORWARD_SET_PIN},
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

CK_RV forward_code(CK_RV inner, enum forward_act act)
{
    for (size_t i = 0; i < ARRAY_LEN(replaced); i++)
        if (replaced[i].inner == inner)
            return replaced[i].outer;
    for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
        if (passed_on[i].rv == inner && (passed_on[i].of & act))
            return inner;
    return CKR_DEVICE_ERROR;
}

enum sca_status forward_status(CK_RV inner)
{
    if (inner == CKR_HOST_MEMORY)
        return SCA_NOMEM;
    return forward_code(inner, FORWARD_SIGN) == CKR_DEVICE_REMOVED ? SCA_GONE : SCA_INVALID;
}

enum sca_status forward_fail(const struct forward_token *token, struct call *call, CK_RV rv,
                             enum forward_act act)
{
    static const char *const names[] = {[FORWARD_SIGN] = "a signature",
                                        [FORWARD_LOGIN] = "C_Login",
                                        [FORWARD_SET_PIN] = "C_SetPIN"};
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
    call->device_error = forward_code(rv, act);
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].rv == call->device_error)
            st = statuses[i].status;
    return call_fail(call, st, "[token %s] %s of %s says 0x%lx", token->section->config->name,
                     names[act], token->inner->file.path, rv);
}
