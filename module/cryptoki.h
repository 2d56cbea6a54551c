/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cryptoki as the module speaks it: the system's 2.40 header, and what PKCS#11 3.0 and 3.2 add and
 * the header lacks. Values and member order are the standard's; a test compares sizes and offsets.
 */
#ifndef MODULE_CRYPTOKI_H
#define MODULE_CRYPTOKI_H

#include <p11-kit/pkcs11.h>

#ifndef CKA_UNIQUE_ID
#define CKA_UNIQUE_ID 0x4UL
#endif
#ifndef CKA_PROFILE_ID
#define CKA_PROFILE_ID 0x601UL
#endif
#ifndef CKO_PROFILE
#define CKO_PROFILE 0x9UL
#endif
#ifndef CKP_BASELINE_PROVIDER
#define CKP_BASELINE_PROVIDER         0x1UL
#define CKP_EXTENDED_PROVIDER         0x2UL
#define CKP_AUTHENTICATION_TOKEN      0x3UL
#define CKP_PUBLIC_CERTIFICATES_TOKEN 0x4UL
#endif
#ifndef CKF_FIND_OBJECTS
#define CKF_FIND_OBJECTS 0x40UL
#endif
#ifndef CKF_MESSAGE_SIGN
#define CKF_MESSAGE_SIGN   0x8UL
#define CKF_MESSAGE_VERIFY 0x10UL
#define CKF_MULTI_MESSAGE  0x20UL
#endif
#ifndef CKF_ASYNC_SESSION
#define CKF_ASYNC_SESSION 0x8UL
#endif
#ifndef CKF_ASYNC_SESSION_SUPPORTED
#define CKF_ASYNC_SESSION_SUPPORTED 0x4000000UL
#endif
#ifndef CKR_TOKEN_RESOURCE_EXCEEDED
#define CKR_TOKEN_RESOURCE_EXCEEDED     0x201UL
#define CKR_OPERATION_CANCEL_FAILED     0x202UL
#define CKR_PENDING                     0x204UL
#define CKR_SESSION_ASYNC_NOT_SUPPORTED 0x205UL
#endif
#ifndef CK_UNAVAILABLE_INFORMATION
#define CK_UNAVAILABLE_INFORMATION ((CK_ULONG)-1)
#endif
#ifndef CK_CERTIFICATE_CATEGORY_AUTHORITY
#define CK_CERTIFICATE_CATEGORY_TOKEN_USER 1UL
#define CK_CERTIFICATE_CATEGORY_AUTHORITY  2UL
#endif

/* CK_EDDSA_PARAMS (3.0 section 2.3.5) under a name that no header has, since its type cannot be
 * asked for. */
struct cryptoki_eddsa_params {
    CK_BBOOL phFlag;
    CK_ULONG ulContextDataLen;
    CK_BYTE *pContextData;
};

#ifndef CK_INTERFACE_PTR
struct ck_interface_3 {
    CK_UTF8CHAR *pInterfaceName;
    void *pFunctionList;
    CK_FLAGS flags;
};
typedef struct ck_interface_3 CK_INTERFACE;

/* 3.2 section 3.7: what C_AsyncComplete fills in. */
struct ck_async_data_3 {
    CK_ULONG ulVersion;
    CK_BYTE *pValue;
    CK_ULONG ulValue;
    CK_OBJECT_HANDLE hObject;
    CK_OBJECT_HANDLE hAdditionalObject;
};
typedef struct ck_async_data_3 CK_ASYNC_DATA;
#endif

/* clang-format off */
/* Members of every list, in the standard's order. F(name) makes one member. */
#define CRYPTOKI_MEMBERS_2_40(F) \
    F(Initialize) F(Finalize) F(GetInfo) F(GetFunctionList) F(GetSlotList) F(GetSlotInfo) \
    F(GetTokenInfo) F(GetMechanismList) F(GetMechanismInfo) F(InitToken) F(InitPIN) F(SetPIN) \
    F(OpenSession) F(CloseSession) F(CloseAllSessions) F(GetSessionInfo) F(GetOperationState) \
    F(SetOperationState) F(Login) F(Logout) F(CreateObject) F(CopyObject) F(DestroyObject) \
    F(GetObjectSize) F(GetAttributeValue) F(SetAttributeValue) F(FindObjectsInit) F(FindObjects) \
    F(FindObjectsFinal) F(EncryptInit) F(Encrypt) F(EncryptUpdate) F(EncryptFinal) \
    F(DecryptInit) F(Decrypt) F(DecryptUpdate) F(DecryptFinal) F(DigestInit) F(Digest) \
    F(DigestUpdate) F(DigestKey) F(DigestFinal) F(SignInit) F(Sign) F(SignUpdate) F(SignFinal) \
    F(SignRecoverInit) F(SignRecover) F(VerifyInit) F(Verify) F(VerifyUpdate) F(VerifyFinal) \
    F(VerifyRecoverInit) F(VerifyRecover) F(DigestEncryptUpdate) F(DecryptDigestUpdate) \
    F(SignEncryptUpdate) F(DecryptVerifyUpdate) F(GenerateKey) F(GenerateKeyPair) F(WrapKey) \
    F(UnwrapKey) F(DeriveKey) F(SeedRandom) F(GenerateRandom) F(GetFunctionStatus) \
    F(CancelFunction) F(WaitForSlotEvent)

#define CRYPTOKI_MEMBERS_3_0(F) \
    F(GetInterfaceList) F(GetInterface) F(LoginUser) F(SessionCancel) F(MessageEncryptInit) \
    F(EncryptMessage) F(EncryptMessageBegin) F(EncryptMessageNext) F(MessageEncryptFinal) \
    F(MessageDecryptInit) F(DecryptMessage) F(DecryptMessageBegin) F(DecryptMessageNext) \
    F(MessageDecryptFinal) F(MessageSignInit) F(SignMessage) F(SignMessageBegin) \
    F(SignMessageNext) F(MessageSignFinal) F(MessageVerifyInit) F(VerifyMessage) \
    F(VerifyMessageBegin) F(VerifyMessageNext) F(MessageVerifyFinal)

#define CRYPTOKI_MEMBERS_3_2(F) \
    F(EncapsulateKey) F(DecapsulateKey) F(VerifySignatureInit) F(VerifySignature) \
    F(VerifySignatureUpdate) F(VerifySignatureFinal) F(GetSessionValidationFlags) \
    F(AsyncComplete) F(AsyncGetID) F(AsyncJoin) F(WrapKeyAuthenticated) \
    F(UnwrapKeyAuthenticated)
/* clang-format on */

/* Prototypes of what 3.0 and 3.2 add. */
typedef CK_RV (*CK_C_GetInterfaceList)(CK_INTERFACE *, CK_ULONG *);
typedef CK_RV (*CK_C_GetInterface)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS);
typedef CK_RV (*CK_C_LoginUser)(CK_SESSION_HANDLE, CK_USER_TYPE, CK_UTF8CHAR *, CK_ULONG,
                                CK_UTF8CHAR *, CK_ULONG);
typedef CK_RV (*CK_C_SessionCancel)(CK_SESSION_HANDLE, CK_FLAGS);

/* C_Message...Init; ...Final; one message; its beginning; its next part. */
typedef CK_RV (*cryptoki_message_init)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
typedef CK_RV (*cryptoki_message_final)(CK_SESSION_HANDLE);
typedef CK_RV (*cryptoki_message_crypt)(CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
                                        CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *);
typedef CK_RV (*cryptoki_message_crypt_begin)(CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *,
                                              CK_ULONG);
typedef CK_RV (*cryptoki_message_crypt_next)(CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *,
                                             CK_ULONG, CK_BYTE *, CK_ULONG *, CK_FLAGS);
typedef CK_RV (*cryptoki_message_sign)(CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
                                       CK_BYTE *, CK_ULONG *);
typedef CK_RV (*cryptoki_message_begin)(CK_SESSION_HANDLE, void *, CK_ULONG);
typedef CK_RV (*cryptoki_message_verify)(CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
                                         CK_BYTE *, CK_ULONG);

typedef cryptoki_message_init CK_C_MessageEncryptInit;
typedef cryptoki_message_crypt CK_C_EncryptMessage;
typedef cryptoki_message_crypt_begin CK_C_EncryptMessageBegin;
typedef cryptoki_message_crypt_next CK_C_EncryptMessageNext;
typedef cryptoki_message_final CK_C_MessageEncryptFinal;
typedef cryptoki_message_init CK_C_MessageDecryptInit;
typedef cryptoki_message_crypt CK_C_DecryptMessage;
typedef cryptoki_message_crypt_begin CK_C_DecryptMessageBegin;
typedef cryptoki_message_crypt_next CK_C_DecryptMessageNext;
typedef cryptoki_message_final CK_C_MessageDecryptFinal;
typedef cryptoki_message_init CK_C_MessageSignInit;
typedef cryptoki_message_sign CK_C_SignMessage;
typedef cryptoki_message_begin CK_C_SignMessageBegin;
typedef cryptoki_message_sign CK_C_SignMessageNext;
typedef cryptoki_message_final CK_C_MessageSignFinal;
typedef cryptoki_message_init CK_C_MessageVerifyInit;
typedef cryptoki_message_verify CK_C_VerifyMessage;
typedef cryptoki_message_begin CK_C_VerifyMessageBegin;
typedef cryptoki_message_verify CK_C_VerifyMessageNext;
typedef cryptoki_message_final CK_C_MessageVerifyFinal;

typedef CK_RV (*CK_C_EncapsulateKey)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE,
                                     CK_ATTRIBUTE *, CK_ULONG, CK_BYTE *, CK_ULONG *,
                                     CK_OBJECT_HANDLE *);
typedef CK_RV (*CK_C_DecapsulateKey)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE,
                                     CK_ATTRIBUTE *, CK_ULONG, CK_BYTE *, CK_ULONG,
                                     CK_OBJECT_HANDLE *);
typedef CK_RV (*CK_C_VerifySignatureInit)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE,
                                          CK_BYTE *, CK_ULONG);
typedef CK_RV (*CK_C_VerifySignature)(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG);
typedef CK_RV (*CK_C_VerifySignatureUpdate)(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG);
typedef CK_RV (*CK_C_VerifySignatureFinal)(CK_SESSION_HANDLE);
typedef CK_RV (*CK_C_GetSessionValidationFlags)(CK_SESSION_HANDLE, CK_ULONG, CK_FLAGS *);
typedef CK_RV (*CK_C_AsyncComplete)(CK_SESSION_HANDLE, CK_UTF8CHAR *, CK_ASYNC_DATA *);
typedef CK_RV (*CK_C_AsyncGetID)(CK_SESSION_HANDLE, CK_UTF8CHAR *, CK_ULONG *);
typedef CK_RV (*CK_C_AsyncJoin)(CK_SESSION_HANDLE, CK_UTF8CHAR *, CK_ULONG, CK_BYTE *, CK_ULONG);
typedef CK_RV (*CK_C_WrapKeyAuthenticated)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE,
                                           CK_OBJECT_HANDLE, CK_BYTE *, CK_ULONG, CK_BYTE *,
                                           CK_ULONG *);
typedef CK_RV (*CK_C_UnwrapKeyAuthenticated)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE,
                                             CK_BYTE *, CK_ULONG, CK_ATTRIBUTE *, CK_ULONG,
                                             CK_BYTE *, CK_ULONG, CK_OBJECT_HANDLE *);

#define CRYPTOKI_MEMBER(name) CK_C_##name C_##name;

struct cryptoki_list_3_0 {
    CK_VERSION version;
    CRYPTOKI_MEMBERS_2_40(CRYPTOKI_MEMBER)
    CRYPTOKI_MEMBERS_3_0(CRYPTOKI_MEMBER)
};

struct cryptoki_list_3_2 {
    CK_VERSION version;
    CRYPTOKI_MEMBERS_2_40(CRYPTOKI_MEMBER)
    CRYPTOKI_MEMBERS_3_0(CRYPTOKI_MEMBER)
    CRYPTOKI_MEMBERS_3_2(CRYPTOKI_MEMBER)
};

#endif
