/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/rules.h"

#include <string.h>

#include "remote/base/cleanup.h"

enum { CODES_MAX = 24 };

struct rule {
    const char *name;
    const char *format;
    CK_RV codes[CODES_MAX]; /* besides those of any[] and with_session[]; the rest is CKR_OK */
};

/* 2.40 section 5.1.1; and what is right for a function that is not there. */
static const CK_RV any[] = {CKR_OK,
                            CKR_GENERAL_ERROR,
                            CKR_HOST_MEMORY,
                            CKR_FUNCTION_FAILED,
                            CKR_ARGUMENTS_BAD,
                            CKR_CRYPTOKI_NOT_INITIALIZED,
                            CKR_FUNCTION_NOT_SUPPORTED,
                            CKR_DEVICE_ERROR,
                            CKR_DEVICE_MEMORY,
                            CKR_DEVICE_REMOVED};

/* 5.1.2; with an asynchronous signature pending, most calls find the session busy. */
static const CK_RV with_session[] = {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,
                                     CKR_OPERATION_ACTIVE, CKR_FUNCTION_CANCELED};

/* clang-format off */
#define NO_SLOT CKR_SLOT_ID_INVALID, CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED
#define NOT_WRITABLE \
    CKR_SESSION_READ_ONLY, CKR_TOKEN_WRITE_PROTECTED, CKR_USER_NOT_LOGGED_IN, CKR_ACTION_PROHIBITED
#define BAD_TEMPLATE \
    CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, \
    CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT, CKR_CURVE_NOT_SUPPORTED, \
    CKR_DOMAIN_PARAMS_INVALID
#define BAD_PIN CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_PIN_LOCKED
#define BAD_LOGIN \
    BAD_PIN, CKR_PIN_EXPIRED, CKR_SESSION_READ_ONLY_EXISTS, \
    CKR_USER_ALREADY_LOGGED_IN, CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_USER_TYPE_INVALID, \
    CKR_USER_PIN_NOT_INITIALIZED, CKR_USER_TOO_MANY_TYPES, CKR_OPERATION_NOT_INITIALIZED
#define BAD_MECHANISM CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID
#define BAD_KEY \
    BAD_MECHANISM, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID, CKR_KEY_SIZE_RANGE, \
    CKR_KEY_TYPE_INCONSISTENT, CKR_USER_NOT_LOGGED_IN, CKR_PIN_EXPIRED
#define NO_OPERATION CKR_OPERATION_NOT_INITIALIZED
#define BAD_DATA CKR_DATA_INVALID, CKR_DATA_LEN_RANGE
/* A certificate that is not valid any more may be refused late. The C_SignInit of another module, and
 * its C_Login for a key that wants one each time, come with C_Sign. */
#define SIGNS \
    NO_OPERATION, BAD_DATA, CKR_BUFFER_TOO_SMALL, CKR_FUNCTION_REJECTED, CKR_USER_NOT_LOGGED_IN, \
    CKR_TOKEN_RESOURCE_EXCEEDED, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_PENDING, BAD_MECHANISM, \
    CKR_KEY_SIZE_RANGE, CKR_KEY_TYPE_INCONSISTENT, BAD_PIN, CKR_PIN_EXPIRED
#define CHECKS NO_OPERATION, BAD_DATA, CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE

static const struct rule rules[] = {
    {"C_Initialize", "i", {CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_CANT_LOCK, CKR_NEED_TO_CREATE_THREADS}},
    {"C_Finalize", "0", {0}},
    {"C_GetInfo", "x", {0}},
    {"C_GetFunctionList", "x", {0}},
    {"C_GetSlotList", "bq", {CKR_BUFFER_TOO_SMALL}},
    {"C_GetSlotInfo", "Sx", {CKR_SLOT_ID_INVALID}},
    {"C_GetTokenInfo", "Sx", {NO_SLOT}},
    {"C_GetMechanismList", "Sq", {NO_SLOT, CKR_BUFFER_TOO_SMALL}},
    {"C_GetMechanismInfo", "SMx", {NO_SLOT, CKR_MECHANISM_INVALID}},
    {"C_InitToken", "Spl", {NO_SLOT, BAD_PIN, CKR_SESSION_EXISTS, CKR_TOKEN_WRITE_PROTECTED, CKR_FUNCTION_CANCELED}},
    {"C_InitPIN", "sp", {BAD_PIN, NOT_WRITABLE}},
    {"C_SetPIN", "spp", {BAD_PIN, NOT_WRITABLE, CKR_USER_PIN_NOT_INITIALIZED}},
    {"C_OpenSession", "Sf00h", {NO_SLOT, CKR_SESSION_COUNT, CKR_SESSION_PARALLEL_NOT_SUPPORTED, CKR_SESSION_READ_WRITE_SO_EXISTS, CKR_TOKEN_WRITE_PROTECTED, CKR_SESSION_ASYNC_NOT_SUPPORTED}},
    {"C_CloseSession", "s", {0}},
    {"C_CloseAllSessions", "S", {NO_SLOT}},
    {"C_GetSessionInfo", "sx", {0}},
    {"C_GetOperationState", "sr", {NO_OPERATION, CKR_BUFFER_TOO_SMALL, CKR_STATE_UNSAVEABLE}},
    {"C_SetOperationState", "sdoo", {CKR_SAVED_STATE_INVALID, CKR_KEY_CHANGED, CKR_KEY_NEEDED, CKR_KEY_NOT_NEEDED}},
    {"C_Login", "sUp", {BAD_LOGIN}},
    {"C_Logout", "s", {CKR_USER_NOT_LOGGED_IN}},
    {"C_CreateObject", "sth", {BAD_TEMPLATE, NOT_WRITABLE}},
    {"C_CopyObject", "soth", {BAD_TEMPLATE, NOT_WRITABLE, CKR_OBJECT_HANDLE_INVALID}},
    {"C_DestroyObject", "so", {NOT_WRITABLE, CKR_OBJECT_HANDLE_INVALID}},
    {"C_GetObjectSize", "sox", {CKR_OBJECT_HANDLE_INVALID}},
    {"C_GetAttributeValue", "sot", {CKR_OBJECT_HANDLE_INVALID, CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL}},
    {"C_SetAttributeValue", "sot", {BAD_TEMPLATE, NOT_WRITABLE, CKR_OBJECT_HANDLE_INVALID}},
    {"C_FindObjectsInit", "st", {CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID}},
    {"C_FindObjects", "sk", {NO_OPERATION}},
    {"C_FindObjectsFinal", "s", {NO_OPERATION}},
    {"C_DigestInit", "sm", {BAD_MECHANISM}},
    {"C_Digest", "sdr", {NO_OPERATION, CKR_BUFFER_TOO_SMALL}},
    {"C_DigestUpdate", "sd", {NO_OPERATION}},
    {"C_DigestKey", "so", {NO_OPERATION, CKR_KEY_HANDLE_INVALID, CKR_KEY_INDIGESTIBLE}},
    {"C_DigestFinal", "sr", {NO_OPERATION, CKR_BUFFER_TOO_SMALL}},
    {"C_SignInit", "smo", {BAD_KEY}},
    {"C_Sign", "sdr", {SIGNS}},
    {"C_SignUpdate", "sd", {NO_OPERATION, BAD_DATA, CKR_USER_NOT_LOGGED_IN}},
    {"C_SignFinal", "sr", {SIGNS}},
    {"C_SignRecoverInit", "smo", {BAD_KEY}},
    {"C_SignRecover", "sdr", {SIGNS}},
    {"C_VerifyInit", "smo", {BAD_KEY}},
    {"C_Verify", "sdd", {CHECKS}},
    {"C_VerifyUpdate", "sd", {NO_OPERATION, BAD_DATA}},
    {"C_VerifyFinal", "sd", {CHECKS}},
    {"C_VerifyRecoverInit", "smo", {BAD_KEY}},
    {"C_VerifyRecover", "sdr", {CHECKS, CKR_BUFFER_TOO_SMALL}},
    {"C_GenerateKeyPair", "smtthh", {BAD_TEMPLATE, BAD_MECHANISM, NOT_WRITABLE, CKR_KEY_SIZE_RANGE}},
    {"C_SeedRandom", "sd", {CKR_RANDOM_NO_RNG, CKR_RANDOM_SEED_NOT_SUPPORTED}},
    {"C_GenerateRandom", "sg", {CKR_RANDOM_NO_RNG}},
    {"C_GetFunctionStatus", NULL, {CKR_FUNCTION_NOT_PARALLEL}},
    {"C_CancelFunction", NULL, {CKR_FUNCTION_NOT_PARALLEL}},
    {"C_WaitForSlotEvent", "wx0", {CKR_NO_EVENT}},
    {"C_GetInterfaceList", "Q", {CKR_BUFFER_TOO_SMALL}},
    {"C_GetInterface", "n0xf", {0}},
    {"C_LoginUser", "sUpd", {BAD_LOGIN}},
    {"C_SessionCancel", "su", {CKR_OPERATION_CANCEL_FAILED}},
    {"C_MessageSignInit", "smo", {BAD_KEY}},
    {"C_SignMessage", "sddr", {SIGNS}},
    {"C_SignMessageBegin", "sd", {SIGNS}},
    {"C_SignMessageNext", "sddr", {SIGNS}},
    {"C_MessageSignFinal", "s", {NO_OPERATION, CKR_FUNCTION_REJECTED, CKR_TOKEN_RESOURCE_EXCEEDED, CKR_USER_NOT_LOGGED_IN}},
    {"C_MessageVerifyInit", "smo", {BAD_KEY}},
    {"C_VerifyMessage", "sddd", {CHECKS, CKR_MECHANISM_PARAM_INVALID}},
    {"C_VerifyMessageBegin", "sd", {CHECKS, CKR_MECHANISM_PARAM_INVALID}},
    {"C_VerifyMessageNext", "sddd", {CHECKS, CKR_MECHANISM_PARAM_INVALID}},
    {"C_MessageVerifyFinal", "s", {NO_OPERATION, BAD_DATA}},
    {"C_AsyncComplete", "snx", {SIGNS}},
    {"C_AsyncGetID", "snx", {SIGNS, CKR_STATE_UNSAVEABLE}},
    {"C_AsyncJoin", "snud", {SIGNS, CKR_SAVED_STATE_INVALID, CKR_SESSION_ASYNC_NOT_SUPPORTED}},
};
/* clang-format on */

static const struct rule *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

static bool is_among(CK_RV rv, const CK_RV *codes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (codes[i] == rv)
            return true;
    return false;
}

const char *rules_format(const char *name)
{
    const struct rule *rule = find(name);
    return rule ? rule->format : NULL;
}

bool rules_allow(const char *name, CK_RV rv)
{
    const struct rule *rule = find(name);
    bool has_session = !rule || !rule->format || rule->format[0] == 's';

    if (is_among(rv, any, ARRAY_LEN(any)))
        return true;
    if (has_session && is_among(rv, with_session, ARRAY_LEN(with_session)))
        return true;
    return rule && is_among(rv, rule->codes, CODES_MAX);
}
