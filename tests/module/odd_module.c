/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module with one slot, one token and one RSA key pair, which misbehaves in the ways that
 * the environment variable ODD names, words with blanks between them; "call=0x..." makes the call
 * return that. Looked at anew in every call.
 */
#include "tests/module/odd_module.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "module/cryptoki.h"

enum { SLOT = 7, KEY = 11, PUBLIC = 12, FIRST_SESSION = 100, KEYS_LEN = 256, SESSIONS = 1024 };

__attribute__((visibility("default"))) struct odd_counts odd_counts;

static struct {
    atomic_bool is_initialized;
    atomic_bool is_logged_in;
    atomic_bool was_lost; /* what happens once has happened */
    atomic_ulong last;
    struct session {
        bool is_signing;
        bool is_context_open;
        CK_OBJECT_CLASS wanted;
        bool has_found;
    } sessions[SESSIONS];
} odd = {.last = FIRST_SESSION};

/* The rest of ODD behind the word, NULL if it is not there. */
static const char *find(const char *word)
{
    const char *at = getenv("ODD");
    size_t len = strlen(word);
    for (; at && *at; at++) {
        if (strncmp(at, word, len) == 0 && (at[len] == 0 || at[len] == ' ' || at[len] == '='))
            return at + len;
        at = strchr(at, ' ');
        if (!at)
            break;
    }
    return NULL;
}

static struct session *of(CK_SESSION_HANDLE session)
{
    return &odd.sessions[session % SESSIONS];
}

static bool is(const char *word)
{
    return find(word) != NULL;
}

static CK_RV code(const char *call)
{
    const char *value = find(call);
    return value && *value == '=' ? strtoul(value + 1, NULL, 0) : CKR_OK;
}

static void pad(CK_UTF8CHAR *field, size_t size, const char *text)
{
    memset(field, ' ', size);
    memcpy(field, text, strlen(text));
}

/* As real modules have one, which a fork leaves as it was. */
static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;

static void use_lock(void)
{
    if (!is("lock"))
        return;
    pthread_mutex_lock(&own_lock);
    odd_counts.waiting++;
    while (odd_counts.is_kept)
        (void)usleep(100);
    odd_counts.waiting--;
    pthread_mutex_unlock(&own_lock);
}

static CK_RV odd_Initialize(void *args)
{
    const CK_C_INITIALIZE_ARGS *given = args;
    odd_counts.initialized++;
    if (given && (given->flags & CKF_OS_LOCKING_OK) && !given->LockMutex && !given->pReserved)
        odd_counts.told_of_threads++;
    if (code("Initialize"))
        return code("Initialize");
    if (odd.is_initialized)
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    odd.is_initialized = true;
    return CKR_OK;
}

static CK_RV odd_Finalize(void *reserved)
{
    (void)reserved;
    odd_counts.finalized++;
    while (is("finalize-hangs"))
        (void)pause();
    odd.is_initialized = false;
    odd.is_logged_in = false;
    odd_counts.open_sessions = 0;
    return CKR_OK;
}

static CK_RV odd_GetInfo(CK_INFO *info)
{
    if (code("GetInfo"))
        return code("GetInfo");
    memset(info, 0, sizeof(*info));
    pad(info->manufacturerID, sizeof(info->manufacturerID), "odd");
    pad(info->libraryDescription, sizeof(info->libraryDescription),
        is("says-it-is-us") ? "VNPT SmartCA PKCS#11" : "odd");
    return CKR_OK;
}

static CK_RV odd_GetSlotList(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
    bool is_there = !is("unplugged");

    (void)present;
    odd_counts.slot_lists++;
    use_lock();
    if (!odd.is_initialized)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (code("GetSlotList"))
        return code("GetSlotList");
    if (is("slots-absurd")) {
        *count = ~0UL;
        return CKR_OK;
    }
    if (slots && is("slots-too-small")) {
        *count = 100000;
        return CKR_BUFFER_TOO_SMALL;
    }
    if (slots) {
        slots[0] = SLOT;
        if (is("slots-grow")) {
            slots[1] = SLOT; /* the same again: two readers that call themselves so */
            slots[2] = SLOT + 1;
        }
    }
    *count = is_there ? 1 : 0;
    if (slots && is("slots-grow"))
        *count = 3;
    return CKR_OK;
}

static CK_RV odd_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
    (void)slot;
    if (code("GetSlotInfo"))
        return code("GetSlotInfo");
    memset(info, 0, sizeof(*info));
    pad(info->slotDescription, sizeof(info->slotDescription), "a reader");
    pad(info->manufacturerID, sizeof(info->manufacturerID), "odd");
    info->flags = CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE;
    return CKR_OK;
}

static CK_FLAGS token_flags(void)
{
    static const struct {
        const char *word;
        CK_FLAGS flag;
    } words[] = {
        {"protected", CKF_PROTECTED_AUTHENTICATION_PATH},
        {"low", CKF_USER_PIN_COUNT_LOW},
        {"final", CKF_USER_PIN_FINAL_TRY},
        {"locked", CKF_USER_PIN_LOCKED},
    };
    CK_FLAGS flags = CKF_USER_PIN_INITIALIZED;
    if (!is("blank"))
        flags |= CKF_TOKEN_INITIALIZED;
    if (!is("no-login"))
        flags |= CKF_LOGIN_REQUIRED;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        flags |= is(words[i].word) ? words[i].flag : 0;
    return flags;
}

static CK_RV odd_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    if (slot != SLOT)
        return CKR_TOKEN_NOT_PRESENT;
    if (code("GetTokenInfo"))
        return code("GetTokenInfo");
    memset(info, 0, sizeof(*info));
    pad(info->label, sizeof(info->label), is("exchanged") ? "another" : ODD_LABEL);
    pad(info->manufacturerID, sizeof(info->manufacturerID), "Odd\x01\xff Ltd");
    pad(info->model, sizeof(info->model), "0123456789abcdef");
    pad(info->serialNumber, sizeof(info->serialNumber), "0123456789ABCDEF");
    info->flags = token_flags();
    info->ulMinPinLen = is("pins-absurd") ? ~0UL : 4;
    info->ulMaxPinLen = is("pins-absurd") ? ~0UL : 8;
    return CKR_OK;
}

static CK_RV odd_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *types, CK_ULONG *count)
{
    static const CK_MECHANISM_TYPE all[] = {CKM_RSA_X_509,       CKM_RSA_PKCS, CKM_AES_CBC,
                                            CKM_SHA256_RSA_PKCS, CKM_MD5,      0xdeadbeef};
    (void)slot;
    if (code("GetMechanismList"))
        return code("GetMechanismList");
    if (is("mechanisms-absurd")) {
        *count = ~0UL;
        return CKR_OK;
    }
    if (types)
        memcpy(types, all, sizeof(all));
    *count = sizeof(all) / sizeof(all[0]);
    return CKR_OK;
}

static CK_RV odd_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                             CK_SESSION_HANDLE *session)
{
    (void)application;
    (void)notify;
    if (slot != SLOT || is("unplugged"))
        return CKR_TOKEN_NOT_PRESENT;
    if (code("OpenSession"))
        return code("OpenSession");
    if ((flags & CKF_RW_SESSION) && is("read-only"))
        return CKR_TOKEN_WRITE_PROTECTED;
    if (is("one-session") && odd_counts.open_sessions > 0)
        return CKR_SESSION_COUNT;
    odd_counts.open_sessions++;
    *session = odd.last++;
    return CKR_OK;
}

static CK_RV odd_CloseSession(CK_SESSION_HANDLE session)
{
    odd_counts.open_sessions--;
    of(session)->is_signing = false;
    if (odd_counts.open_sessions == 0)
        odd.is_logged_in = false;
    return CKR_OK;
}

static CK_RV check_pin(const CK_UTF8CHAR *pin, CK_ULONG len)
{
    if (!pin)
        return is("protected") ? CKR_OK : CKR_PIN_INCORRECT;
    return len == strlen(ODD_PIN) && memcmp(pin, ODD_PIN, len) == 0 ? CKR_OK : CKR_PIN_INCORRECT;
}

static CK_RV odd_Login(CK_SESSION_HANDLE session, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG len)
{
    odd_counts.logins++;
    if (code("Login"))
        return code("Login");
    if (type == CKU_USER && odd.is_logged_in)
        return CKR_USER_ALREADY_LOGGED_IN;
    CK_RV rv = check_pin(pin, len);
    if (rv == CKR_OK && type == CKU_CONTEXT_SPECIFIC)
        of(session)->is_context_open = true;
    else if (rv == CKR_OK)
        odd.is_logged_in = true;
    return rv;
}

static CK_RV odd_Logout(CK_SESSION_HANDLE session)
{
    (void)session;
    odd_counts.logouts++;
    odd.is_logged_in = false;
    return CKR_OK;
}

static CK_RV odd_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    (void)session;
    *info = (CK_SESSION_INFO){
        .slotID = SLOT, .state = odd.is_logged_in ? CKS_RO_USER_FUNCTIONS : CKS_RO_PUBLIC_SESSION};
    return code("GetSessionInfo");
}

static CK_RV odd_SetPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR *old_pin, CK_ULONG old_len,
                        CK_UTF8CHAR *new_pin, CK_ULONG new_len)
{
    (void)session;
    (void)new_pin;
    (void)new_len;
    return code("SetPIN") ? code("SetPIN") : check_pin(old_pin, old_len);
}

static CK_RV odd_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
    of(session)->has_found = false;
    of(session)->wanted = count == 1 ? *(const CK_OBJECT_CLASS *)template->pValue : CKO_DATA;
    return code("FindObjectsInit");
}

static CK_RV odd_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *found, CK_ULONG max,
                             CK_ULONG *count)
{
    *count = 0;
    if (code("FindObjects"))
        return code("FindObjects");
    if (is("find-overflows")) {
        *count = max + 1;
        return CKR_OK;
    }
    bool is_key = of(session)->wanted == CKO_PRIVATE_KEY && (odd.is_logged_in || is("no-login"));
    for (CK_ULONG i = 0; i < max && is("find-endless") && is_key; i++, ++*count)
        found[i] = KEY;
    if (*count > 0 || of(session)->has_found)
        return CKR_OK;
    if (is_key || of(session)->wanted == CKO_PUBLIC_KEY)
        found[(*count)++] = is_key ? KEY : PUBLIC;
    of(session)->has_found = true;
    return CKR_OK;
}

static CK_RV odd_FindObjectsFinal(CK_SESSION_HANDLE session)
{
    (void)session;
    return CKR_OK;
}

/* The value of an attribute; its length is 0 if there is none. */
static CK_ULONG value_of(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_BYTE *out)
{
    static const CK_BYTE exponent[] = {1, 0, 1};
    const CK_ULONG rsa = CKK_RSA;
    bool is_private = object == KEY;

    switch (type) {
    case CKA_LABEL:
    case CKA_ID:
        memcpy(out, "key", 3);
        return 3;
    case CKA_KEY_TYPE:
        memcpy(out, &rsa, sizeof(rsa));
        return is("type-cut") ? 1 : sizeof(rsa);
    case CKA_MODULUS:
        memset(out, 0xc1, KEYS_LEN);
        return KEYS_LEN;
    case CKA_PUBLIC_EXPONENT:
        memcpy(out, exponent, sizeof(exponent));
        return sizeof(exponent);
    case CKA_PRIVATE:
    case CKA_SIGN:
        *out = is_private;
        return 1;
    case CKA_VERIFY:
        *out = !is_private;
        return 1;
    case CKA_ALWAYS_AUTHENTICATE:
        *out = is("each-time");
        return 1;
    default:
        return 0;
    }
}

static CK_RV odd_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                   CK_ATTRIBUTE *template, CK_ULONG count)
{
    (void)session;
    if (code("GetAttributeValue"))
        return code("GetAttributeValue");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_BYTE value[KEYS_LEN];
        CK_ULONG len = value_of(object, template[i].type, value);
        CK_ULONG room = template[i].ulValueLen;
        template[i].ulValueLen = len ? len : CK_UNAVAILABLE_INFORMATION;
        if (template[i].type == CKA_LABEL && is("label-absurd"))
            template[i].ulValueLen = 1UL << 40;
        if (!template[i].pValue)
            continue;
        if (len <= room)
            memcpy(template[i].pValue, value, len);
        if (template[i].type == CKA_LABEL && is("label-grows"))
            template[i].ulValueLen = 100000;
    }
    return CKR_ATTRIBUTE_TYPE_INVALID;
}

static CK_RV odd_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    if (!odd.is_initialized)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (code("SignInit") && !(is("once") && odd.was_lost)) {
        odd.was_lost = true;
        return code("SignInit");
    }
    if (is("login-lost"))
        return CKR_USER_NOT_LOGGED_IN;
    of(session)->is_signing = key == KEY;
    of(session)->is_context_open = false;
    return key == KEY ? CKR_OK : CKR_KEY_HANDLE_INVALID;
}

static CK_RV odd_Sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *out,
                      CK_ULONG *len)
{
    (void)data;
    (void)data_len;
    use_lock();
    if (code("Sign"))
        return code("Sign");
    if (!of(session)->is_signing)
        return CKR_OPERATION_NOT_INITIALIZED;
    if (is("each-time") && !of(session)->is_context_open)
        return CKR_USER_NOT_LOGGED_IN;
    of(session)->is_signing = false;
    odd_counts.signatures++;
    memset(out, ODD_SIGNED, ODD_SIGNATURE_LEN);
    *len = ODD_SIGNATURE_LEN;
    if (is("sign-short"))
        *len = ODD_SIGNATURE_LEN - 2;
    if (is("sign-long"))
        *len = ODD_SIGNATURE_LEN + 1;
    if (is("sign-absurd"))
        *len = ~0UL;
    if (is("sign-nothing"))
        *len = 0;
    return CKR_OK;
}

#define MEMBER(name) .C_##name = odd_##name,
static CK_FUNCTION_LIST list = {
    .version = {2, 40},
    /* clang-format off */
    MEMBER(Initialize) MEMBER(Finalize) MEMBER(GetInfo) MEMBER(GetSlotList) MEMBER(GetSlotInfo)
    MEMBER(GetTokenInfo) MEMBER(GetMechanismList) MEMBER(OpenSession) MEMBER(CloseSession)
    MEMBER(GetSessionInfo) MEMBER(Login) MEMBER(Logout) MEMBER(SetPIN) MEMBER(FindObjectsInit) MEMBER(FindObjects)
    MEMBER(FindObjectsFinal) MEMBER(GetAttributeValue) MEMBER(SignInit) MEMBER(Sign)
    /* clang-format on */
};

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret_list)
{
    if (code("GetFunctionList"))
        return code("GetFunctionList");
    list.version.major = is("version-0") ? 0 : 2;
    list.C_Sign = is("no-sign") ? NULL : odd_Sign;
    list.C_GetInfo = is("bare") ? NULL : odd_GetInfo;
    list.C_GetSessionInfo = is("bare") ? NULL : odd_GetSessionInfo;
    list.C_SetPIN = is("bare") ? NULL : odd_SetPIN;
    list.C_GetFunctionList = is("bare") ? NULL : C_GetFunctionList;
    *ret_list = &list;
    return CKR_OK;
}
