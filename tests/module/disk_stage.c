/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/disk_stage.h"

#include <string.h>

#include "remote/base/cleanup.h"

static CK_BBOOL yes = CK_TRUE;

int disk_begin(void **state)
{
    (void)stage_begin_off(state);
    fake_play((struct fake_script){.has_disk = true});
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    return 0;
}

CK_UTF8CHAR *disk_text(const char *text)
{
    return (CK_UTF8CHAR *)(uintptr_t)text;
}

CK_RV disk_login_so(CK_SESSION_HANDLE session, const char *pin)
{
    return p11->C_Login(session, CKU_SO, disk_text(pin), strlen(pin));
}

CK_SESSION_HANDLE disk_logged_in(void)
{
    CK_SESSION_HANDLE session = stage_open_rw(FAKE_DISK);
    EXPECT(CKR_OK, stage_login(session, FAKE_PIN_TEXT));
    return session;
}

CK_OBJECT_HANDLE disk_create_data(CK_SESSION_HANDLE session, const char *label, CK_BBOOL token,
                                  CK_BBOOL is_private)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_TOKEN, &token, sizeof(token)},
        {CKA_PRIVATE, &is_private, sizeof(is_private)},
        {CKA_LABEL, disk_text(label), strlen(label)},
        {CKA_VALUE, disk_text("value"), 5},
    };
    EXPECT(CKR_OK, p11->C_CreateObject(session, template, ARRAY_LEN(template), &object));
    assert_int_not_equal(object, CK_INVALID_HANDLE);
    return object;
}

struct disk_pair disk_generate(CK_SESSION_HANDLE session, const char *label, CK_BBOOL token)
{
    static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_MECHANISM mechanism = {.mechanism = CKM_EC_KEY_PAIR_GEN};
    CK_ATTRIBUTE for_public[] = {
        {CKA_TOKEN, &token, sizeof(token)},
        {CKA_LABEL, disk_text(label), strlen(label)},
        {CKA_EC_PARAMS, p256, sizeof(p256)},
        {CKA_VERIFY, &yes, sizeof(yes)},
    };
    CK_ATTRIBUTE for_private[] = {
        {CKA_TOKEN, &token, sizeof(token)},
        {CKA_LABEL, disk_text(label), strlen(label)},
        {CKA_SIGN, &yes, sizeof(yes)},
    };
    struct disk_pair pair = {CK_INVALID_HANDLE, CK_INVALID_HANDLE};
    EXPECT(CKR_OK, p11->C_GenerateKeyPair(session, &mechanism, for_public, ARRAY_LEN(for_public),
                                          for_private, ARRAY_LEN(for_private), &pair.public_key,
                                          &pair.private_key));
    return pair;
}

CK_BBOOL disk_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = 77;
    CK_ATTRIBUTE wanted = {type, &value, sizeof(value)};
    EXPECT(CKR_OK, p11->C_GetAttributeValue(session, object, &wanted, 1));
    return value;
}
