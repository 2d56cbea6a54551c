/* SPDX-License-Identifier: Apache-2.0 */
/* A self-signed token: what is changed is changed or as it was. */
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/inject/campaign.h"
#include "tests/inject/guest.h"

#define LABEL   "t" /* of the token */
#define NEW_PIN "654321"
#define NOTE    "a note"
#define RENAMED "another name"

static CK_SESSION_HANDLE session;

/* Of act, for judge. */
struct kept {
    struct signature signature;
    CK_OBJECT_HANDLE object;
};

static struct kept *kept(void)
{
    return campaign_kept();
}

static void open_with(const char *pin)
{
    MUST(p11->C_Initialize(NULL));
    MUST(guest_open(LABEL, NULL, CKF_RW_SESSION, &session));
    MUST(guest_login(session, pin));
}

static void open(void)
{
    open_with(GUEST_PIN);
}

static void start_over(const char *pin)
{
    (void)p11->C_Finalize(NULL);
    open_with(pin);
}

/* Where judge goes on in act's process, that one's session. */
static void ensure_open(void)
{
    if (!guest_is_on())
        open();
}

static CK_ULONG count(void)
{
    CK_ULONG objects = 0;
    MUST(guest_count(session, &objects));
    return objects;
}

static void key_works(void)
{
    struct signature signature;
    MUST(guest_sign(session, "after all", &signature));
    guest_verify(session, "after all", &signature);
}

static CK_RV sign_from_the_start(void)
{
    TRY(p11->C_Initialize(NULL));
    TRY(guest_open(LABEL, NULL, CKF_RW_SESSION, &session));
    TRY(guest_login(session, GUEST_PIN));
    return guest_sign(session, "local", &kept()->signature);
}

static void is_signed(CK_RV rv)
{
    start_over(GUEST_PIN);
    if (rv == CKR_OK)
        guest_verify(session, "local", &kept()->signature);
    key_works();
}

static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

static CK_RV generate(void)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, sizeof(yes)}, {CKA_EC_PARAMS, p256, sizeof(p256)}};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof(yes)}, {CKA_SIGN, &yes, sizeof(yes)}};
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_OBJECT_HANDLE keys[2];

    return p11->C_GenerateKeyPair(session, &mechanism, public, ARRAY_LEN(public), private,
                                  ARRAY_LEN(private), &keys[0], &keys[1]);
}

/* How many objects there are more than in the undisturbed token: all or none; all if rv says so. */
static void has_more(CK_RV rv, CK_ULONG more)
{
    ensure_open();
    CK_ULONG after = count();
    start_over(GUEST_PIN);
    CLAIM(count() == after);
    CK_ULONG before = (CK_ULONG)campaign_first_view(after) - more;
    CLAIM(after == before + more || (rv != CKR_OK && after == before));
    key_works();
}

static void has_both_keys_or_none(CK_RV rv)
{
    has_more(rv, 2);
}

static CK_RV create(void)
{
    CK_OBJECT_CLASS data = CKO_DATA;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &data, sizeof(data)},
                               {CKA_TOKEN, &yes, sizeof(yes)},
                               {CKA_PRIVATE, &yes, sizeof(yes)},
                               {CKA_VALUE, (void *)(uintptr_t)NOTE, strlen(NOTE)}};
    return p11->C_CreateObject(session, template, ARRAY_LEN(template), &kept()->object);
}

static CK_RV create_key(void)
{
    CK_OBJECT_CLASS private = CKO_PRIVATE_KEY;
    CK_KEY_TYPE ec = CKK_EC;
    CK_BBOOL yes = CK_TRUE;
    CK_BYTE one[32] = {[31] = 1};
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &private, sizeof(private)}, {CKA_KEY_TYPE, &ec, sizeof(ec)},
        {CKA_TOKEN, &yes, sizeof(yes)},         {CKA_SIGN, &yes, sizeof(yes)},
        {CKA_EC_PARAMS, p256, sizeof(p256)},    {CKA_VALUE, one, sizeof(one)}};
    return p11->C_CreateObject(session, template, ARRAY_LEN(template), &kept()->object);
}

static void has_one_more_or_not(CK_RV rv)
{
    has_more(rv, 1);
}

static void open_and_create(void)
{
    open();
    MUST(create());
}

static CK_RV rename_it(void)
{
    CK_ATTRIBUTE label = {CKA_LABEL, (void *)(uintptr_t)RENAMED, strlen(RENAMED)};
    return p11->C_SetAttributeValue(session, kept()->object, &label, 1);
}

static CK_OBJECT_HANDLE find_data(const char *label)
{
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    MUST(guest_find(session, CKO_DATA, label, &found));
    return found;
}

static void has_either_name(CK_RV rv)
{
    ensure_open();
    bool is_renamed = find_data(RENAMED) == kept()->object;
    start_over(GUEST_PIN);
    CLAIM(is_renamed == (find_data(RENAMED) != CK_INVALID_HANDLE));
    CLAIM(is_renamed || rv != CKR_OK);
    CLAIM(find_data(NULL) != CK_INVALID_HANDLE);
    key_works();
}

static CK_RV destroy(void)
{
    return p11->C_DestroyObject(session, kept()->object);
}

static void is_gone_or_there(CK_RV rv)
{
    ensure_open();
    bool is_there = find_data(NULL) != CK_INVALID_HANDLE;
    start_over(GUEST_PIN);
    CLAIM(is_there == (find_data(NULL) != CK_INVALID_HANDLE));
    CLAIM(!is_there || rv != CKR_OK);
    key_works();
}

static CK_RV change_pin(void)
{
    CK_UTF8CHAR old_pin[] = GUEST_PIN;
    CK_UTF8CHAR new_pin[] = NEW_PIN;
    return p11->C_SetPIN(session, old_pin, sizeof(old_pin) - 1, new_pin, sizeof(new_pin) - 1);
}

/* One of the two PINs, the new one after a success, and no try is lost. */
static void one_pin_opens_it(CK_RV rv)
{
    CK_TOKEN_INFO info;
    CK_SLOT_ID slot = 0;

    (void)p11->C_Finalize(NULL);
    MUST(p11->C_Initialize(NULL));
    MUST(guest_open(LABEL, NULL, CKF_RW_SESSION, &session));
    CK_RV login = guest_login(session, NEW_PIN);
    CLAIM(login == CKR_OK || (rv != CKR_OK && login == CKR_PIN_INCORRECT));
    if (login != CKR_OK)
        MUST(guest_login(session, GUEST_PIN));
    MUST(guest_find_slot(LABEL, NULL, &slot));
    MUST(p11->C_GetTokenInfo(slot, &info));
    CLAIM(!(info.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED)));
    key_works();
}

const struct story local_stories[] = {
    {"local C_Sign, from C_Initialize on", false, NULL, sign_from_the_start, is_signed},
    {"local C_GenerateKeyPair", false, open, generate, has_both_keys_or_none},
    {"local C_CreateObject", false, open, create, has_one_more_or_not},
    {"local C_CreateObject of a key", false, open, create_key, has_one_more_or_not},
    {"local C_SetAttributeValue", false, open_and_create, rename_it, has_either_name},
    {"local C_DestroyObject", false, open_and_create, destroy, is_gone_or_there},
    {"local C_SetPIN", false, open, change_pin, one_pin_opens_it},
    {NULL, false, NULL, NULL, NULL},
};
