/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/module/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module/entry/trace.h"
#include "remote/base/cleanup.h"
#include "tests/lib/folder.h"

const struct cryptoki_list_3_2 *p11;

static struct {
    char dir[64];
    char log[96];
} stage;

static void write_configuration(void)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/smartca.conf", stage.dir);
    (void)snprintf(stage.log, sizeof(stage.log), "%s/log", stage.dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "[module]\nlog = %s\nlog_level = debug\nstate_dir = %s/state\n",
                        stage.log, stage.dir) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(setenv("SMARTCA_PKCS11_CONF", path, 1), 0);
    assert_int_equal(unsetenv("SMARTCA_PKCS11_LOG"), 0);
}

int stage_begin_off(void **state)
{
    CK_INTERFACE *interface = NULL;
    (void)state;

    assert_int_equal(C_GetInterface(NULL, NULL, &interface, 0), CKR_OK);
    p11 = interface->pFunctionList;
    (void)strcpy(stage.dir, "/tmp/module.XXXXXX");
    assert_non_null(mkdtemp(stage.dir));
    write_configuration();
    fake_reset();
    return 0;
}

int stage_begin(void **state)
{
    (void)stage_begin_off(state);
    EXPECT(CKR_OK, p11->C_Initialize(NULL));
    return 0;
}

int stage_end(void **state)
{
    (void)state;
    fake_release();
    CK_RV rv = p11->C_Finalize(NULL);
    assert_int_equal(folder_remove(stage.dir), 0);
    assert_true(rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(fake_counted().live, 0);
    return 0;
}

const char *stage_name(CK_RV rv)
{
    const char *name = trace_rv_name(rv);
    return name ? name : "a code without a name";
}

void stage_expect(CK_RV expected, CK_RV actual, const char *call, const char *file, int line)
{
    if (expected == actual)
        return;
    print_error("%s\n  returned %s (0x%lx) instead of %s\n", call, stage_name(actual), actual,
                stage_name(expected));
    _fail(file, line);
}

static char *read_text(const char *path)
{
    enum { ROOM = 4 << 20 };
    char *text = calloc(1, ROOM);
    assert_non_null(text);
    FILE *file = fopen(path, "r");
    if (file) {
        size_t len = fread(text, 1, ROOM - 1, file);
        text[len] = 0;
        assert_int_equal(fclose(file), 0);
    }
    return text;
}

char *stage_log(void)
{
    return read_text(stage.log);
}

const char *stage_folder(void)
{
    return stage.dir;
}

char *stage_audit(void)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/state/audit.jsonl", stage.dir);
    return read_text(path);
}

void stage_configure(const char *line)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/smartca.conf", stage.dir);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_true(fprintf(file, "%s\n", line) > 0);
    assert_int_equal(fclose(file), 0);
}

static CK_SESSION_HANDLE open_with(CK_SLOT_ID slot, CK_FLAGS flags)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    EXPECT(CKR_OK, p11->C_OpenSession(slot, flags, NULL, NULL, &session));
    assert_int_not_equal(session, CK_INVALID_HANDLE);
    return session;
}

CK_SESSION_HANDLE stage_open(CK_SLOT_ID slot)
{
    return open_with(slot, CKF_SERIAL_SESSION);
}

CK_SESSION_HANDLE stage_open_rw(CK_SLOT_ID slot)
{
    return open_with(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION);
}

CK_RV stage_login(CK_SESSION_HANDLE session, const char *pin)
{
    CK_UTF8CHAR text[128] = "";
    size_t len = strlen(pin);
    assert_true(len < sizeof(text));
    memcpy(text, pin, len);
    return p11->C_Login(session, CKU_USER, text, len);
}

CK_OBJECT_HANDLE stage_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label)
{
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    AUTO(freep) char *text = strdup(label ? label : "");
    assert_non_null(text);
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_LABEL, text, strlen(text)},
    };

    EXPECT(CKR_OK, p11->C_FindObjectsInit(session, template, label ? 2 : 1));
    EXPECT(CKR_OK, p11->C_FindObjects(session, &object, 1, &count));
    EXPECT(CKR_OK, p11->C_FindObjectsFinal(session));
    return count ? object : CK_INVALID_HANDLE;
}

CK_RV stage_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM wanted = {.mechanism = mechanism};
    return p11->C_SignInit(session, &wanted, key);
}

CK_SESSION_HANDLE stage_signing(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism)
{
    CK_SESSION_HANDLE session = stage_open(slot);
    if (slot == FAKE_PIN) {
        CK_RV rv = stage_login(session, FAKE_PIN_TEXT);
        assert_true(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN);
    }
    EXPECT(CKR_OK,
           stage_sign_init(session, mechanism, stage_find(session, CKO_PRIVATE_KEY, FAKE_KEY)));
    return session;
}

bool stage_was_signing(CK_SESSION_HANDLE session)
{
    /* A missing length pointer ends an operation, and is told apart from having none. */
    return p11->C_Sign(session, MESSAGE, MESSAGE_LEN, NULL, NULL) == CKR_ARGUMENTS_BAD;
}
