/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login_tool MODULE LABEL: logs in to the token of that label with the PIN on standard input,
 * signs, logs out and finalizes; "signed", "out" and "finalized" on standard output tell how far it
 * is, and a line on standard input lets it go on, so that somebody can look into its memory
 * meanwhile. It keeps no PIN itself.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

enum { SLOTS_MAX = 32, PIN_MAX = 80, SIGNATURE_MAX = 512 };

static void require(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    (void)fprintf(stderr, "%s: 0x%lx\n", what, rv);
    exit(1);
}

static CK_FUNCTION_LIST *load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);
    CK_FUNCTION_LIST *p11 = NULL;
    CK_C_GetFunctionList get = NULL;

    if (library)
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    require(get ? get(&p11) : CKR_GENERAL_ERROR, "C_GetFunctionList");
    return p11;
}

static CK_SESSION_HANDLE open_session(CK_FUNCTION_LIST *p11, const char *label)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_TOKEN_INFO info;

    require(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count && session == CK_INVALID_HANDLE; i++)
        if (p11->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
            memcmp(info.label, label, strlen(label)) == 0)
            require(p11->C_OpenSession(slots[i], CKF_SERIAL_SESSION, NULL, NULL, &session),
                    "C_OpenSession");
    return session;
}

/* Read with read(2), so that no buffer of stdio has it; one byte at a time, up to the line's end.
 */
static void login(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session)
{
    CK_UTF8CHAR pin[PIN_MAX];
    CK_ULONG len = 0;

    while (len < PIN_MAX && read(STDIN_FILENO, &pin[len], 1) == 1 && pin[len] != '\n')
        len++;
    CK_RV rv = p11->C_Login(session, CKU_USER, pin, len);
    explicit_bzero(pin, sizeof(pin));
    require(rv, "C_Login");
}

static void sign(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session)
{
    static CK_BYTE message[] = "what is signed";
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof(class)};
    CK_KEY_TYPE type = CKK_RSA;
    CK_ATTRIBUTE type_of = {CKA_KEY_TYPE, &type, sizeof(type)};
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[SIGNATURE_MAX];
    CK_ULONG len = sizeof(signature);
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG found = 0;

    require(p11->C_FindObjectsInit(session, &wanted, 1), "C_FindObjectsInit");
    require(p11->C_FindObjects(session, &key, 1, &found), "C_FindObjects");
    require(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    require(p11->C_GetAttributeValue(session, key, &type_of, 1), "C_GetAttributeValue");
    if (type == CKK_EC)
        mechanism.mechanism = CKM_ECDSA_SHA256;
    require(p11->C_SignInit(session, &mechanism, key), "C_SignInit");
    require(p11->C_Sign(session, message, sizeof(message) - 1, signature, &len), "C_Sign");
}

static void pause_at(const char *place)
{
    char c = 0;

    (void)printf("%s\n", place);
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
        continue;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    CK_FUNCTION_LIST *p11 = load(argv[1]);
    require(p11->C_Initialize(NULL), "C_Initialize");
    CK_SESSION_HANDLE session = open_session(p11, argv[2]);
    login(p11, session);
    sign(p11, session);
    pause_at("signed");
    CK_RV rv = p11->C_Logout(session);
    if (rv != CKR_USER_NOT_LOGGED_IN) /* a one-time password: the signature was the logout */
        require(rv, "C_Logout");
    pause_at("out");
    require(p11->C_Finalize(NULL), "C_Finalize");
    pause_at("finalized");
    return 0;
}
