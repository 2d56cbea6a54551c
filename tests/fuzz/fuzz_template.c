/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attribute templates as an application might build them: any types, lengths and pointers, through
 * search, reading, and every refused write. Input: per attribute four bytes of choices.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "module/entry/interface.h"
#include "tests/fuzz/quiet.h"
#include "tests/module/fake_backends.h"

enum { ATTRIBUTES_AT_MOST = 32, VALUE_ROOM = 64, CHOICES = 4 };

static const CK_ATTRIBUTE_TYPE types[] = {
    CKA_CLASS, CKA_TOKEN,    CKA_PRIVATE,   CKA_LABEL,      CKA_ID,
    CKA_VALUE, CKA_KEY_TYPE, CKA_UNIQUE_ID, CKA_START_DATE, CKA_PUBLIC_KEY_INFO,
    CKA_SIGN,  CKA_MODULUS,  CKA_PRIME_1,   0x8000beefUL,   CKF_ARRAY_ATTRIBUTE | 0x211UL,
};

struct template
{
    CK_ATTRIBUTE list[ATTRIBUTES_AT_MOST];
    uint8_t values[ATTRIBUTES_AT_MOST][VALUE_ROOM];
    CK_ULONG count;
};

static void build(struct template *template, const uint8_t *data, size_t size)
{
    size_t wanted = size / CHOICES;
    template->count = wanted < ATTRIBUTES_AT_MOST ? wanted : ATTRIBUTES_AT_MOST;
    for (CK_ULONG i = 0; i < template->count; i++) {
        const uint8_t *choice = data + CHOICES * i;
        CK_ULONG len = choice[1] % (VALUE_ROOM + 1U);
        memset(template->values[i], choice[2], VALUE_ROOM);
        template->values[i][0] = choice[3];
        template->list[i] = (CK_ATTRIBUTE){
            .type = types[choice[0] % (sizeof(types) / sizeof(types[0]))],
            .pValue = choice[1] & 0x80 ? NULL : template->values[i],
            /* Without memory behind it a length may be anything. */
            .ulValueLen = choice[1] & 0x80 && choice[1] & 0x40 ? CK_UNAVAILABLE_INFORMATION : len,
        };
    }
}

/* Whatever was served fits where it was to go. */
static void check_lengths(const struct template *before, const struct template *after)
{
    for (CK_ULONG i = 0; i < after->count; i++)
        if (before->list[i].pValue && after->list[i].ulValueLen != CK_UNAVAILABLE_INFORMATION &&
            after->list[i].ulValueLen > before->list[i].ulValueLen)
            abort();
}

static CK_SESSION_HANDLE session(void)
{
    static CK_SESSION_HANDLE opened;
    quiet_configuration();
    if (!opened && (list_2_40.C_Initialize(NULL) != CKR_OK ||
                    list_2_40.C_OpenSession(FAKE_ODD, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
                                            NULL, &opened) != CKR_OK))
        abort();
    return opened;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct template template;
    CK_OBJECT_HANDLE objects[8];
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    CK_SESSION_HANDLE s = session();

    build(&template, data, size);
    if (list_2_40.C_FindObjectsInit(s, template.list, template.count) != CKR_OK ||
        list_2_40.C_FindObjects(s, objects, 8, &count) != CKR_OK ||
        list_2_40.C_FindObjectsFinal(s) != CKR_OK)
        abort(); /* a search for anything is no error */

    if (list_2_40.C_CreateObject(s, template.list, template.count, &made) == CKR_OK)
        abort(); /* the token is write-protected */
    if (list_2_40.C_FindObjectsInit(s, NULL, 0) != CKR_OK ||
        list_2_40.C_FindObjects(s, objects, 8, &count) != CKR_OK ||
        list_2_40.C_FindObjectsFinal(s) != CKR_OK)
        abort();
    for (CK_ULONG i = 0; i < count; i++) {
        if (list_2_40.C_SetAttributeValue(s, objects[i], template.list, template.count) == CKR_OK ||
            list_2_40.C_CopyObject(s, objects[i], template.list, template.count, &made) == CKR_OK)
            abort();
        struct template served = template;
        for (CK_ULONG k = 0; k < served.count; k++)
            if (served.list[k].pValue)
                served.list[k].pValue = served.values[k];
        (void)list_2_40.C_GetAttributeValue(s, objects[i], served.list, served.count);
        check_lengths(&template, &served);
    }
    return 0;
}
