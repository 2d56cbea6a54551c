/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/foreign_stage.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/token/slot_look.h"
#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "tests/lib/folder.h"

enum { SLOTS_MAX = 16, MODULE_MAX = 4 * 1024 * 1024, LOG_MAX = 65536 };

const struct cryptoki_list_3_2 *p11;
struct foreign_stage foreign;

void foreign_expect(CK_RV expected, CK_RV actual, const char *file, int line)
{
    if (expected != actual)
        fail_msg("%s:%d: 0x%lx instead of 0x%lx", file, line, actual, expected);
}

void foreign_odd(const char *words)
{
    assert_int_equal(setenv("ODD", words, 1), 0);
    slot_look_forget_pace();
}

void foreign_configure(const char *module, const char *lines)
{
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   "[module]\nstate_dir = %s/state\nlog = %s/log\nlog_level = info\n"
                   "[token odd]\nmodule = %s\n%s",
                   foreign.dir, foreign.dir, module, lines);
    assert_int_equal(file_replace(foreign.dir, "main.conf", span_text(text)), SCA_OK);
}

static void copy_module(void)
{
    AUTO(buf_fini) struct buf bytes;
    const char *why = NULL;

    assert_int_equal(file_read_trusted(ODD_MODULE, FILE_ANY, MODULE_MAX, false, &bytes, &why),
                     SCA_OK);
    assert_int_equal(file_replace(foreign.dir, "odd.so", buf_span(&bytes)), SCA_OK);
}

int foreign_begin(void **state)
{
    char path[96];
    CK_INTERFACE *interface = NULL;
    (void)state;

    EXPECT(CKR_OK, C_GetInterface(NULL, NULL, &interface, 0));
    p11 = interface->pFunctionList;
    (void)strcpy(foreign.dir, "/tmp/foreign.XXXXXX");
    assert_non_null(mkdtemp(foreign.dir));
    (void)snprintf(foreign.module, sizeof(foreign.module), "%s/odd.so", foreign.dir);
    (void)snprintf(path, sizeof(path), "%s/main.conf", foreign.dir);
    assert_int_equal(setenv("SMARTCA_PKCS11_CONF", path, 1), 0);
    copy_module();
    foreign_configure(foreign.module, "");
    foreign_odd("");
    return 0;
}

int foreign_end(void **state)
{
    (void)state;
    (void)p11->C_Finalize(NULL); /* a test may have done that */
    folder_remove(foreign.dir);
    return 0;
}

static CK_ULONG list(CK_BBOOL present, CK_SLOT_ID *slots)
{
    CK_ULONG count = 0;
    CK_ULONG found = 0;

    slot_look_forget_pace();
    EXPECT(CKR_OK, p11->C_GetSlotList(present, NULL, &count));
    assert_in_range(count, 0, SLOTS_MAX);
    EXPECT(CKR_OK, p11->C_GetSlotList(present, slots, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        CK_SLOT_INFO info;
        EXPECT(CKR_OK, p11->C_GetSlotInfo(slots[i], &info));
        if (memcmp(info.manufacturerID, "VNPT", 4) != 0)
            slots[found++] = slots[i];
    }
    return found;
}

CK_ULONG foreign_count(CK_BBOOL present)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    return list(present, slots);
}

CK_ULONG foreign_start(void)
{
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    return foreign_count(CK_TRUE);
}

CK_SLOT_ID foreign_slot(void)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    assert_int_equal(list(CK_TRUE, slots), 1);
    return slots[0];
}

CK_SESSION_HANDLE foreign_open(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    EXPECT(CKR_OK,
           p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    return session;
}

CK_RV foreign_try_login(CK_SESSION_HANDLE session, CK_USER_TYPE type, const char *pin)
{
    CK_UTF8CHAR *text = (CK_UTF8CHAR *)(uintptr_t)pin;
    return p11->C_Login(session, type, text, pin ? strlen(pin) : 0);
}

CK_SESSION_HANDLE foreign_login(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = foreign_open(slot);
    EXPECT(CKR_OK, foreign_try_login(session, CKU_USER, ODD_PIN));
    return session;
}

CK_OBJECT_HANDLE foreign_key(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
    CK_OBJECT_HANDLE found[2] = {CK_INVALID_HANDLE};
    CK_ULONG count = 0;

    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, &template, 1));
    EXPECT(CKR_OK, p11->C_FindObjects(session, found, 2, &count));
    EXPECT(CKR_OK, p11->C_FindObjectsFinal(session));
    return found[0];
}

CK_RV foreign_sign(CK_SESSION_HANDLE session, CK_BYTE signature[static ODD_SIGNATURE_LEN])
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE data[] = "data";
    CK_ULONG len = ODD_SIGNATURE_LEN;

    CK_RV rv = p11->C_SignInit(session, &mechanism, foreign_key(session));
    return rv == CKR_OK ? p11->C_Sign(session, data, sizeof(data), signature, &len) : rv;
}

struct odd_counts *foreign_counts(void)
{
    void *library = dlopen(foreign.module, RTLD_NOW | RTLD_NOLOAD);
    if (!library)
        return NULL;
    struct odd_counts *counts = dlsym(library, "odd_counts");
    assert_int_equal(dlclose(library), 0);
    return counts;
}

CK_FUNCTION_LIST *foreign_load_as_host(void)
{
    CK_C_GetFunctionList get = NULL;
    CK_FUNCTION_LIST *list = NULL;
    void *library = dlopen(foreign.module, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    assert_non_null(library);
    void *symbol = dlsym(library, "C_GetFunctionList");
    memcpy(&get, &symbol, sizeof(get));
    EXPECT(CKR_OK, get(&list));
    assert_int_equal(dlclose(library), 0);
    return list;
}

char *foreign_log(void)
{
    AUTO(freep) char *path = path_join(foreign.dir, "log");
    struct buf bytes;
    const char *why = NULL;

    assert_int_equal(file_read_trusted(path, FILE_ANY, LOG_MAX, false, &bytes, &why), SCA_OK);
    char *text = bytes.ptr ? strdup((const char *)bytes.ptr) : strdup("");
    buf_fini(&bytes);
    return text;
}
