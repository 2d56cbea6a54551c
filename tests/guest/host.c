/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/guest/host.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 512, SLOTS_MAX = 16, LABEL_LEN = 32 };

const struct cryptoki_list_3_2 *p11;

static const struct {
    const char *name;
    const char *label;
    CK_MECHANISM_TYPE mechanism;
} slots[HOST_SLOTS] = {
    [HOST_SMARTCA] = {"smartca", "Nguyễn Văn Ánh", CKM_SHA256_RSA_PKCS},
    [HOST_RSA] = {"rsa", "anh.nv", CKM_SHA256_RSA_PKCS},
    [HOST_EC] = {"ec", "binh.tt", CKM_ECDSA_SHA256},
    [HOST_USB] = {"usb", "usb", CKM_SHA256_RSA_PKCS},
};

static CK_SLOT_ID ids[HOST_SLOTS];
static unsigned present; /* a bit for each slot */
static pid_t first;      /* the process that loaded the module */

__attribute__((format(printf, 2, 0))) static void write_line(const char *prefix, const char *format,
                                                             va_list args)
{
    char line[LINE_MAX_LEN];
    size_t prefix_len = strlen(prefix);
    memcpy(line, prefix, prefix_len);
    int len = vsnprintf(line + prefix_len, sizeof(line) - 1 - prefix_len, format, args);
    if (len < 0)
        return;
    len += (int)prefix_len;
    size_t end = (size_t)len < sizeof(line) - 1 ? (size_t)len : sizeof(line) - 2;
    line[end] = '\n';
    const char *report = getenv("GUEST_REPORT");
    int fd = open(report ? report : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, end + 1) < 0)
        _exit(HOST_FAILED);
    (void)close(fd);
}

void host_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line("", format, args);
    va_end(args);
}

void host_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line("FAILED: ", format, args);
    va_end(args);
    _exit(HOST_FAILED);
}

void host_must(CK_RV rv, const char *what)
{
    if (rv != CKR_OK)
        host_fail("%s returned 0x%lx", what, rv);
}

bool host_worked(enum host_slot slot, CK_RV rv, const char *what)
{
    static const CK_RV gone[] = {CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT,
                                 CKR_SESSION_HANDLE_INVALID};
    for (size_t i = 0; slot == HOST_USB && i < sizeof(gone) / sizeof(gone[0]); i++)
        if (rv == gone[i])
            return false;
    host_must(rv, what);
    return true;
}

void host_load(void)
{
    CK_RV (*get)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS) = NULL;
    CK_RV (*get_list)(const struct cryptoki_list_3_2 **) = NULL;
    CK_VERSION version = {3, 2};
    CK_INTERFACE *interface = NULL;

    first = getpid();
    void *library = dlopen(getenv("GUEST_MODULE"), RTLD_NOW | RTLD_LOCAL);
    if (!library)
        host_fail("dlopen: %s", dlerror());
    *(void **)&get = dlsym(library, "C_GetInterface");
    if (get && get(NULL, &version, &interface, 0) == CKR_OK) {
        p11 = interface->pFunctionList;
        return;
    }
    /* p11-kit's proxy: the list of 2.40, with which the others begin. */
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    host_must(get_list(&p11), "C_GetFunctionList");
}

static bool has_label(const CK_TOKEN_INFO *info, const char *label)
{
    CK_UTF8CHAR padded[LABEL_LEN];
    memset(padded, ' ', sizeof(padded));
    memcpy(padded, label, strlen(label));
    return memcmp(padded, info->label, sizeof(padded)) == 0;
}

void host_find_slots(void)
{
    CK_SLOT_ID all[SLOTS_MAX];
    CK_ULONG count = 0;
    const unsigned every = (1U << HOST_SLOTS) - 1;
    unsigned found = 0;

    host_must(p11->C_GetSlotList(CK_TRUE, NULL, &count), "C_GetSlotList, length");
    count = SLOTS_MAX;
    host_must(p11->C_GetSlotList(CK_TRUE, all, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        CK_RV rv = p11->C_GetTokenInfo(all[i], &info);
        if (rv == CKR_DEVICE_REMOVED || rv == CKR_DEVICE_ERROR)
            continue;
        host_must(rv, "C_GetTokenInfo");
        for (int slot = 0; slot < HOST_SLOTS; slot++) {
            if (!has_label(&info, slots[slot].label))
                continue;
            ids[slot] = all[i];
            found |= 1U << slot;
        }
    }
    /* A child does without a token that a thread of its parent was using for long when it forked,
     * or that cannot be read for a moment (host_worked). */
    if (found != every && (getpid() == first || found != (every & ~(1U << HOST_USB))))
        host_fail("of the four slots there is 0x%x", found);
    present = found;
}

bool host_has(enum host_slot slot)
{
    return present & (1U << slot);
}

void host_start(void)
{
    CK_RV rv = p11->C_Initialize(NULL);
    if (rv != CKR_CRYPTOKI_ALREADY_INITIALIZED || !getenv("GUEST_SHARED"))
        host_must(rv, "C_Initialize");
    host_find_slots();
}

CK_SLOT_ID host_slot_id(enum host_slot slot)
{
    return ids[slot];
}

const char *host_slot_name(enum host_slot slot)
{
    return slots[slot].name;
}

CK_RV host_open(enum host_slot slot, CK_FLAGS flags, CK_SESSION_HANDLE *ret_session)
{
    return p11->C_OpenSession(ids[slot], CKF_SERIAL_SESSION | flags, NULL, NULL, ret_session);
}

CK_RV host_login(CK_SESSION_HANDLE session)
{
    CK_UTF8CHAR pin[] = "123456";
    CK_RV rv = p11->C_Login(session, CKU_USER, pin, sizeof(pin) - 1);
    return rv == CKR_USER_ALREADY_LOGGED_IN ? CKR_OK : rv;
}

CK_RV host_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *ret_key)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_SIGN, &yes, sizeof(yes)}};
    CK_ULONG count = 0;
    CK_RV rv = p11->C_FindObjectsInit(session, template, 2);
    if (rv == CKR_OK)
        rv = p11->C_FindObjects(session, ret_key, 1, &count);
    CK_RV end = p11->C_FindObjectsFinal(session);
    if (rv == CKR_OK)
        rv = end;
    return rv == CKR_OK && count == 0 ? CKR_USER_NOT_LOGGED_IN
                                      : rv; /* private objects are hidden */
}

CK_RV host_sign_init(enum host_slot slot, CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {slots[slot].mechanism, NULL, 0};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_RV rv = host_key(session, &key);
    return rv == CKR_OK ? p11->C_SignInit(session, &mechanism, key) : rv;
}

CK_RV host_sign(enum host_slot slot, CK_SESSION_HANDLE session, const char *text,
                CK_BYTE signature[HOST_SIGNATURE_MAX], CK_ULONG *ret_len)
{
    CK_RV rv = host_sign_init(slot, session);
    if (rv != CKR_OK)
        return rv;
    *ret_len = HOST_SIGNATURE_MAX;
    return p11->C_Sign(session, (CK_BYTE *)(uintptr_t)text, strlen(text), signature, ret_len);
}

void host_sign_once(enum host_slot slot, const char *text)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_BYTE signature[HOST_SIGNATURE_MAX];
    CK_ULONG len = 0;
    host_must(host_open(slot, 0, &session), "C_OpenSession");
    host_must(host_login(session), "C_Login");
    host_must(host_sign(slot, session, text, signature, &len), "C_Sign");
    host_must(p11->C_CloseSession(session), "C_CloseSession");
}

void host_text(char *text, size_t size, const char *what, unsigned number)
{
    (void)snprintf(text, size, "%s %ld %ld %u", what, (long)getpid(), syscall(SYS_gettid), number);
}

uint32_t host_dice(uint32_t *dice, uint32_t sides)
{
    *dice = *dice * 1664525U + 1013904223U;
    return (*dice >> 8) % sides;
}

void host_rest_us(uint32_t microseconds)
{
    struct timespec rest = {.tv_sec = microseconds / 1000000,
                            .tv_nsec = (long)(microseconds % 1000000) * 1000};
    (void)nanosleep(&rest, NULL);
}

uint64_t host_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
