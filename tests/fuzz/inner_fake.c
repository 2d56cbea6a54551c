/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/inner_fake.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "module/cryptoki.h"
#include "remote/base/cleanup.h"
#include "remote/base/lock.h"

enum {
    SLOT = 7,
    KEY_BYTES = 256,
    SIGNATURE_MAX = 4096,
    ODD = 0xc0, /* choices from here on are odd ones */
    OBJECT_OF_CLASS = 16,
};

/* Three objects of each class: with an RSA key, one of P-256, one of Ed25519. */
enum { KEY_RSA, KEY_EC, KEY_EDWARDS, KEY_KINDS };

static struct {
    struct feed *feed;
    CK_OBJECT_CLASS wanted;
    bool has_found;
    CK_SESSION_HANDLE last;
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len;
} fake;

void inner_fake_feed(struct feed *feed)
{
    fake.feed = feed;
    fake.signature_len = 0;
    fake.has_found = false;
}

struct span inner_fake_signed(void)
{
    return span_of(fake.signature, fake.signature_len);
}

/* Every function begins here: with the code it ends with, and no lock of ours held. */
static CK_RV code(void)
{
    static const CK_RV codes[] = {
        CKR_CRYPTOKI_NOT_INITIALIZED,
        CKR_SESSION_HANDLE_INVALID,
        CKR_SESSION_CLOSED,
        CKR_DEVICE_REMOVED,
        CKR_TOKEN_NOT_PRESENT,
        CKR_USER_NOT_LOGGED_IN,
        CKR_PIN_INCORRECT,
        CKR_PIN_LOCKED,
        CKR_BUFFER_TOO_SMALL,
        CKR_OPERATION_ACTIVE,
        CKR_KEY_HANDLE_INVALID,
        CKR_OBJECT_HANDLE_INVALID,
        CKR_SESSION_COUNT,
        CKR_ATTRIBUTE_TYPE_INVALID,
        CKR_ATTRIBUTE_SENSITIVE,
        CKR_HOST_MEMORY,
        CKR_GENERAL_ERROR,
        CKR_FUNCTION_CANCELED,
        CKR_USER_ALREADY_LOGGED_IN,
        CKR_MECHANISM_INVALID,
        CKR_DATA_LEN_RANGE,
        CKR_ARGUMENTS_BAD,
    };
    uint8_t choice = feed_byte(fake.feed);

    require(lock_none_held());
    if (choice < ODD)
        return CKR_OK;
    return choice == 0xff ? feed_number(fake.feed) : codes[(choice - ODD) % ARRAY_LEN(codes)];
}

static bool is_odd(void)
{
    return feed_byte(fake.feed) >= ODD;
}

/* A number that somebody would be wrong to believe. */
static CK_ULONG absurd(void)
{
    static const CK_ULONG numbers[] = {0, 1, 255, 513, 1UL << 16, 1UL << 32, ~0UL, ~0UL - 1};
    uint8_t choice = feed_byte(fake.feed);

    return choice == 0xff ? feed_number(fake.feed) : numbers[choice % ARRAY_LEN(numbers)];
}

/* Blank padded, or any bytes. */
static void write_text(CK_UTF8CHAR *field, size_t size, const char *text)
{
    memset(field, ' ', size);
    memcpy(field, text, strlen(text));
    if (is_odd()) {
        struct span bytes = feed_bytes(fake.feed, size);
        if (bytes.len > 0)
            memcpy(field, bytes.ptr, bytes.len);
    }
}

static CK_RV fake_Initialize(void *args)
{
    (void)args;
    return code();
}

static CK_RV fake_Finalize(void *reserved)
{
    (void)reserved;
    return code();
}

/* Never a description of ours: a module that says that is refused for good. */
static CK_RV fake_GetInfo(CK_INFO *info)
{
    memset(info, 0, sizeof(*info));
    write_text(info->libraryDescription, sizeof(info->libraryDescription), "fake");
    info->libraryDescription[0] = 'f';
    return code();
}

static CK_RV fake_GetSlotList(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
    CK_ULONG room = *count;

    (void)present;
    *count = 1;
    if (is_odd())
        *count = absurd();
    for (CK_ULONG i = 0; slots && i < *count && i < room; i++)
        slots[i] = SLOT + i % 3;
    return code();
}

static CK_RV fake_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
    (void)slot;
    memset(info, 0, sizeof(*info));
    write_text(info->slotDescription, sizeof(info->slotDescription), "reader");
    info->flags = CKF_TOKEN_PRESENT;
    return code();
}

static CK_RV fake_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    memset(info, 0, sizeof(*info));
    write_text(info->label, sizeof(info->label), "token");
    write_text(info->manufacturerID, sizeof(info->manufacturerID), "Fake Ltd");
    write_text(info->model, sizeof(info->model), "model");
    write_text(info->serialNumber, sizeof(info->serialNumber), "0123456789ABCDEF");
    info->serialNumber[0] = (CK_UTF8CHAR)('0' + slot % 10);
    info->flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED;
    info->ulMaxPinLen = 8;
    if (is_odd()) {
        info->flags = feed_number(fake.feed);
        info->ulMinPinLen = absurd();
        info->ulMaxPinLen = absurd();
    }
    return code();
}

static CK_RV fake_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *types, CK_ULONG *count)
{
    static const CK_MECHANISM_TYPE all[] = {
        CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS,
        CKM_ECDSA,    CKM_ECDSA_SHA256,    CKM_EDDSA,        CKM_MD5};
    CK_ULONG room = *count;

    (void)slot;
    *count = ARRAY_LEN(all);
    if (is_odd())
        *count = absurd();
    for (CK_ULONG i = 0; types && i < *count && i < room; i++)
        types[i] = all[i % ARRAY_LEN(all)];
    return code();
}

static CK_RV fake_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                              CK_SESSION_HANDLE *session)
{
    (void)slot;
    (void)flags;
    (void)application;
    (void)notify;
    *session = is_odd() ? absurd() : ++fake.last;
    return code();
}

static CK_RV fake_CloseSession(CK_SESSION_HANDLE session)
{
    (void)session;
    return code();
}

static CK_RV fake_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    (void)session;
    *info = (CK_SESSION_INFO){.slotID = SLOT, .state = feed_byte(fake.feed) % 6U};
    return code();
}

static CK_RV fake_Login(CK_SESSION_HANDLE session, CK_USER_TYPE type, CK_UTF8CHAR *pin,
                        CK_ULONG len)
{
    (void)session;
    (void)type;
    require(pin || len == 0);
    return code();
}

static CK_RV fake_Logout(CK_SESSION_HANDLE session)
{
    (void)session;
    return code();
}

static CK_RV fake_SetPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR *old_pin, CK_ULONG old_len,
                         CK_UTF8CHAR *new_pin, CK_ULONG new_len)
{
    (void)session;
    require((old_pin || old_len == 0) && (new_pin || new_len == 0));
    return code();
}

static CK_RV fake_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
    (void)session;
    require(count == 1 && template->ulValueLen == sizeof(fake.wanted));
    memcpy(&fake.wanted, template->pValue, sizeof(fake.wanted));
    fake.has_found = false;
    return code();
}

static CK_RV fake_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *found, CK_ULONG max,
                              CK_ULONG *count)
{
    (void)session;
    *count = fake.has_found ? 0 : KEY_KINDS;
    if (is_odd())
        *count = feed_byte(fake.feed) % 4U ? feed_byte(fake.feed) % 8U : absurd();
    for (CK_ULONG i = 0; i < *count && i < max; i++)
        found[i] = fake.wanted * OBJECT_OF_CLASS + i;
    fake.has_found = true;
    return code();
}

static CK_RV fake_FindObjectsFinal(CK_SESSION_HANDLE session)
{
    (void)session;
    return code();
}

static const struct value {
    CK_ATTRIBUTE_TYPE type;
    const char *bytes;
    size_t len;
} values[] = {
    {CKA_LABEL, "key", 3},
    {CKA_ID, "\x01\x02", 2},
    {CKA_PUBLIC_EXPONENT, "\x01\x00\x01", 3},
    {CKA_PRIVATE, "\x01", 1},
    {CKA_SIGN, "\x01", 1},
    {CKA_VERIFY, "\x01", 1},
    {CKA_ALWAYS_AUTHENTICATE, "\0", 1},
    {CKA_VALUE, "0\3\2\1\1", 5},
};

static const CK_KEY_TYPE key_types[KEY_KINDS] = {CKK_RSA, CKK_EC, CKK_EC_EDWARDS};

/* The base points of the two curves, as OCTET STRING; RFC 8032 section 5.1 for the second. */
static const uint8_t p256_point[] = {
    0x04, 0x41, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6,
    0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
    0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f,
    0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b,
    0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
static const uint8_t edwards_point[] = {0x04, 0x20, 0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};
static const uint8_t p256_params[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t edwards_params[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

/* What depends on the key. */
static struct span value_of_key(CK_ATTRIBUTE_TYPE type, size_t kind)
{
    static uint8_t modulus[KEY_BYTES];

    memset(modulus, 0xc1, sizeof(modulus));
    if (type == CKA_KEY_TYPE)
        return span_of(&key_types[kind], sizeof(key_types[kind]));
    if (type == CKA_MODULUS && kind == KEY_RSA)
        return span_of(modulus, sizeof(modulus));
    if (type == CKA_EC_PARAMS && kind == KEY_EC)
        return span_of(p256_params, sizeof(p256_params));
    if (type == CKA_EC_PARAMS && kind == KEY_EDWARDS)
        return span_of(edwards_params, sizeof(edwards_params));
    if (type == CKA_EC_POINT && kind == KEY_EC)
        return span_of(p256_point, sizeof(p256_point));
    if (type == CKA_EC_POINT && kind == KEY_EDWARDS)
        return span_of(edwards_point, sizeof(edwards_point));
    return span_of(NULL, 0);
}

/* The proper one; none has a length of nothing. */
static struct span value_of(CK_ATTRIBUTE_TYPE type, CK_OBJECT_HANDLE object)
{
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (values[i].type == type)
            return span_of(values[i].bytes, values[i].len);
    return value_of_key(type, object % OBJECT_OF_CLASS % KEY_KINDS);
}

static void write_attribute(CK_ATTRIBUTE *attribute, CK_OBJECT_HANDLE object)
{
    struct span value = value_of(attribute->type, object);
    CK_ULONG room = attribute->ulValueLen;
    CK_ULONG len = value.len ? value.len : CK_UNAVAILABLE_INFORMATION;

    if (is_odd()) {
        value = feed_bytes(fake.feed, feed_byte(fake.feed));
        len = value.len;
    }
    if (attribute->pValue && value.len > 0 && value.len <= room)
        memcpy(attribute->pValue, value.ptr, value.len);
    attribute->ulValueLen = is_odd() ? absurd() : len;
}

static CK_RV fake_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                    CK_ATTRIBUTE *template, CK_ULONG count)
{
    (void)session;
    for (CK_ULONG i = 0; i < count; i++)
        write_attribute(&template[i], object);
    return code();
}

static CK_RV fake_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)session;
    (void)key;
    require(mechanism->pParameter || mechanism->ulParameterLen == 0);
    return code();
}

static CK_RV fake_Sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *out,
                       CK_ULONG *len)
{
    CK_ULONG room = *len;
    size_t made = KEY_BYTES;

    (void)session;
    require((data || data_len == 0) && out && room <= SIGNATURE_MAX);
    if (is_odd())
        made = feed_byte(fake.feed) * 2UL;
    if (made > room)
        made = room;
    memset(out, 0x5a, made);
    memcpy(fake.signature, out, made);
    fake.signature_len = made;
    *len = made;
    if (is_odd())
        *len = absurd();
    if (*len <= room)
        fake.signature_len = *len;
    memcpy(fake.signature, out, fake.signature_len);
    return code();
}

#define MEMBER(name) .C_##name = fake_##name,
/* clang-format off */
#define OPTIONAL MEMBER(GetInfo) MEMBER(SetPIN) MEMBER(GetSessionInfo)
#define REQUIRED                                                                                   \
    MEMBER(Initialize) MEMBER(Finalize) MEMBER(GetSlotList) MEMBER(GetSlotInfo)                    \
    MEMBER(GetTokenInfo) MEMBER(GetMechanismList) MEMBER(OpenSession) MEMBER(CloseSession)         \
    MEMBER(Login) MEMBER(Logout) MEMBER(FindObjectsInit) MEMBER(FindObjects)                       \
    MEMBER(FindObjectsFinal) MEMBER(GetAttributeValue) MEMBER(SignInit)
/* clang-format on */

/* Whole; whole, to be released; with what has to be there; without C_Sign. */
static CK_FUNCTION_LIST lists[INNER_FAKE_KINDS] = {
    {.version = {2, 40}, REQUIRED OPTIONAL MEMBER(Sign)},
    {.version = {3, 0}, REQUIRED OPTIONAL MEMBER(Sign)},
    {.version = {2, 20}, REQUIRED MEMBER(Sign)},
    {.version = {2, 40}, REQUIRED OPTIONAL},
};

/* The file's name ends in its kind. */
static CK_FUNCTION_LIST *kit_load(const char *path, int flags)
{
    (void)flags;
    return &lists[(size_t)(path[strlen(path) - 1] - '0') % INNER_FAKE_KINDS];
}

static void kit_release(CK_FUNCTION_LIST *list)
{
    (void)list;
}

static CK_RV kit_finalize(CK_FUNCTION_LIST *list)
{
    return list->C_Finalize(NULL);
}

static const char *kit_message(void)
{
    return NULL;
}

static void *kit_find(const char *symbol)
{
    static const struct {
        const char *name;
        void (*function)(void);
    } kit[] = {
        {"p11_kit_module_load", (void (*)(void))kit_load},
        {"p11_kit_module_release", (void (*)(void))kit_release},
        {"p11_kit_module_finalize", (void (*)(void))kit_finalize},
        {"p11_kit_message", (void (*)(void))kit_message},
    };
    void *found = NULL;

    /* ISO C has no cast from a function's pointer to this one. */
    for (size_t i = 0; i < ARRAY_LEN(kit); i++)
        if (strcmp(kit[i].name, symbol) == 0)
            memcpy(&found, &kit[i].function, sizeof(found));
    return found;
}

/* A sanitizer calls these as well, before it is ready to watch them. */
#ifdef __clang__
#define UNWATCHED __attribute__((no_sanitize("address", "thread", "undefined", "coverage")))
#else
#define UNWATCHED __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_dlopen(const char *file, int mode);
void *__wrap_dlopen(const char *file, int mode);
void *__real_dlsym(void *library, const char *name);
void *__wrap_dlsym(void *library, const char *name);

UNWATCHED void *__wrap_dlopen(const char *file, int mode)
{
    static const char kit[] = "libp11-kit.so.0";
    size_t i = 0;

    while (file && file[i] == kit[i] && kit[i])
        i++;
    return file && !file[i] && !kit[i] ? (void *)&fake : __real_dlopen(file, mode);
}

UNWATCHED void *__wrap_dlsym(void *library, const char *symbol)
{
    return library == (void *)&fake ? kit_find(symbol) : __real_dlsym(library, symbol);
}
/* NOLINTEND(bugprone-reserved-identifier) */
