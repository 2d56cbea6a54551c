/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/inject/guest.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "remote/base/cleanup.h"

enum { SLOTS_MAX = 16, OBJECTS_MAX = 64, VALUE_MAX = 8192 };

struct cryptoki_list_3_2 *p11;
static char *claim;

bool guest_load_module(const char *path)
{
    CK_RV (*get_interface)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS) = NULL;
    CK_INTERFACE *interface = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (library)
        *(void **)&get_interface = dlsym(library, "C_GetInterface");
    if (!get_interface || get_interface(NULL, NULL, &interface, 0) != CKR_OK)
        return false;
    p11 = interface->pFunctionList;
    return true;
}

void guest_claims_to(char *text)
{
    claim = text;
}

_Noreturn void guest_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(claim, CLAIM_MAX, format, args);
    va_end(args);
    _exit(1);
}

static bool is_called(const CK_UTF8CHAR *padded, size_t size, const char *name)
{
    size_t len = strlen(name);
    return len <= size && memcmp(padded, name, len) == 0 && (len == size || padded[len] == ' ');
}

CK_RV guest_find_slot(const char *label, const char *model, CK_SLOT_ID *ret_slot)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;

    TRY(p11->C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        TRY(p11->C_GetTokenInfo(slots[i], &info));
        if (label ? is_called(info.label, sizeof(info.label), label)
                  : is_called(info.model, sizeof(info.model), model)) {
            *ret_slot = slots[i];
            return CKR_OK;
        }
    }
    return CKR_TOKEN_NOT_PRESENT;
}

CK_RV guest_open(const char *label, const char *model, CK_FLAGS flags,
                 CK_SESSION_HANDLE *ret_session)
{
    CK_SLOT_ID slot = 0;
    TRY(guest_find_slot(label, model, &slot));
    return p11->C_OpenSession(slot, CKF_SERIAL_SESSION | flags, NULL, NULL, ret_session);
}

bool guest_is_on(void)
{
    CK_INFO info;
    return p11->C_GetInfo(&info) == CKR_OK;
}

CK_RV guest_login(CK_SESSION_HANDLE session, const char *pin)
{
    return p11->C_Login(session, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)pin, strlen(pin));
}

CK_RV guest_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label,
                 CK_OBJECT_HANDLE *ret_object)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)},
                               {CKA_LABEL, (void *)(uintptr_t)label, label ? strlen(label) : 0}};
    CK_ULONG count = 0;

    TRY(p11->C_FindObjectsInit(session, template, label ? 2 : 1));
    CK_RV rv = p11->C_FindObjects(session, ret_object, 1, &count);
    CK_RV end = p11->C_FindObjectsFinal(session);
    if (count == 0)
        *ret_object = CK_INVALID_HANDLE;
    return rv != CKR_OK ? rv : end;
}

static CK_RV find_all(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE objects[static OBJECTS_MAX],
                      CK_ULONG *ret_count)
{
    TRY(p11->C_FindObjectsInit(session, NULL, 0));
    CK_RV rv = p11->C_FindObjects(session, objects, OBJECTS_MAX, ret_count);
    CK_RV end = p11->C_FindObjectsFinal(session);
    return rv != CKR_OK ? rv : end;
}

CK_RV guest_count(CK_SESSION_HANDLE session, CK_ULONG *ret_count)
{
    CK_OBJECT_HANDLE objects[OBJECTS_MAX];
    return find_all(session, objects, ret_count);
}

/* FNV-1a. */
static void mix(uint64_t *view, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        *view = (*view ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
}

static CK_RV view_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, uint64_t *view)
{
    static const CK_ATTRIBUTE_TYPE types[] = {
        CKA_CLASS,   CKA_TOKEN,           CKA_LABEL,           CKA_ID,       CKA_KEY_TYPE,
        CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PUBLIC_KEY_INFO, CKA_EC_POINT, CKA_EC_PARAMS,
        CKA_VALUE,   CKA_SUBJECT,         CKA_ISSUER,          CKA_SIGN,     CKA_UNIQUE_ID};

    mix(view, &object, sizeof(object));
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        CK_BYTE value[VALUE_MAX];
        CK_ATTRIBUTE attribute = {types[i], value, sizeof(value)};
        CK_RV rv = p11->C_GetAttributeValue(session, object, &attribute, 1);
        if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE)
            continue;
        if (rv != CKR_OK)
            return rv;
        mix(view, &types[i], sizeof(types[i]));
        mix(view, value, attribute.ulValueLen);
    }
    return CKR_OK;
}

static CK_RV view_objects(CK_SESSION_HANDLE session, uint64_t *view)
{
    CK_OBJECT_HANDLE objects[OBJECTS_MAX];
    CK_ULONG count = 0;

    TRY(find_all(session, objects, &count));
    for (CK_ULONG i = 0; i < count; i++)
        TRY(view_object(session, objects[i], view));
    return CKR_OK;
}

static CK_RV view_slot(CK_SLOT_ID slot, uint64_t *view)
{
    CK_SLOT_INFO info;
    CK_TOKEN_INFO token;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    TRY(p11->C_GetSlotInfo(slot, &info));
    TRY(p11->C_GetTokenInfo(slot, &token));
    mix(view, info.slotDescription, sizeof(info.slotDescription));
    mix(view, token.label, sizeof(token.label));
    mix(view, &token.flags, sizeof(token.flags));
    TRY(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
    CK_RV rv = view_objects(session, view);
    CK_RV end = p11->C_CloseSession(session);
    return rv != CKR_OK ? rv : end;
}

CK_RV guest_view(uint64_t *ret_view)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    uint64_t view = UINT64_C(14695981039346656037);

    TRY(p11->C_GetSlotList(CK_FALSE, NULL, &count));
    count = SLOTS_MAX;
    TRY(p11->C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO token;
        TRY(p11->C_GetTokenInfo(slots[i], &token));
        mix(&view, &slots[i], sizeof(slots[i]));
        if (token.flags & CKF_TOKEN_INITIALIZED)
            TRY(view_slot(slots[i], &view));
    }
    *ret_view = view;
    return CKR_OK;
}

CK_MECHANISM_TYPE guest_mechanism(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_KEY_TYPE type = CKK_RSA;
    CK_ATTRIBUTE attribute = {CKA_KEY_TYPE, &type, sizeof(type)};
    (void)p11->C_GetAttributeValue(session, key, &attribute, 1);
    return type == CKK_EC ? CKM_ECDSA_SHA256 : CKM_SHA256_RSA_PKCS;
}

CK_RV guest_sign(CK_SESSION_HANDLE session, const char *text, struct signature *ret_signature)
{
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

    TRY(guest_find(session, CKO_PRIVATE_KEY, NULL, &key));
    CK_MECHANISM mechanism = {guest_mechanism(session, key), NULL, 0};
    TRY(p11->C_SignInit(session, &mechanism, key));
    ret_signature->len = sizeof(ret_signature->bytes);
    return p11->C_Sign(session, (CK_BYTE *)(uintptr_t)text, strlen(text), ret_signature->bytes,
                       &ret_signature->len);
}

void guest_verify(CK_SESSION_HANDLE session, const char *text, const struct signature *signature)
{
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

    MUST(guest_find(session, CKO_PUBLIC_KEY, NULL, &key));
    CK_MECHANISM mechanism = {guest_mechanism(session, key), NULL, 0};
    MUST(p11->C_VerifyInit(session, &mechanism, key));
    MUST(p11->C_Verify(session, (CK_BYTE *)(uintptr_t)text, strlen(text),
                       (CK_BYTE *)(uintptr_t)signature->bytes, signature->len));
}
