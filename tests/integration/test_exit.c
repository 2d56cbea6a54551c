/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applications that finish the module in an exit handler, as Poppler and strongSwan do: handlers
 * run in the reverse order, so one that was registered before the module was loaded runs after
 * OpenSSL's own. This program is not linked with OpenSSL; it starts itself as that application.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#include <cmocka.h>

#include "tests/lib/folder.h"

enum { EXIT_OF_HOST = 3, EXIT_OF_FINALIZE = 4, EXIT_OF_SETUP = 5 };

static CK_FUNCTION_LIST *list;
static const char *self; /* how this program was called */

static void finish_at_exit(void)
{
    if (!list || list->C_Finalize(NULL) != CKR_OK)
        _exit(EXIT_OF_FINALIZE);
}

static void must(CK_RV rv)
{
    if (rv != CKR_OK)
        _exit(EXIT_OF_SETUP);
}

static CK_UTF8CHAR *text(const char *literal)
{
    return (CK_UTF8CHAR *)(uintptr_t)literal;
}

static void load_module(void)
{
    void *library = dlopen(SMARTCA_MODULE, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = NULL;
    if (library)
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    must(get ? get(&list) : CKR_GENERAL_ERROR);
    must(list->C_Initialize(NULL));
}

/* A token with a user PIN; a session with the user logged in. */
static CK_SESSION_HANDLE make_token(void)
{
    CK_UTF8CHAR label[32];
    CK_SLOT_ID slot = 0;
    CK_ULONG count = 1;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    memset(label, ' ', sizeof(label));
    must(list->C_GetSlotList(CK_TRUE, &slot, &count));
    must(list->C_InitToken(slot, text("so-pin-1"), 8, label));
    must(list->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    must(list->C_Login(session, CKU_SO, text("so-pin-1"), 8));
    must(list->C_InitPIN(session, text("user-pin"), 8));
    must(list->C_Logout(session));
    must(list->C_Login(session, CKU_USER, text("user-pin"), 8));
    return session;
}

/* Leaves a key in use, one that was used, and a signature half made. */
static void use_keys(CK_SESSION_HANDLE session)
{
    static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, sizeof(yes)}, {CKA_EC_PARAMS, p256, sizeof(p256)}};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof(yes)}, {CKA_SIGN, &yes, sizeof(yes)}};
    CK_MECHANISM generate = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_MECHANISM sign = {CKM_ECDSA_SHA256, NULL, 0};
    CK_OBJECT_HANDLE keys[2];
    CK_BYTE signature[64];
    CK_ULONG len = sizeof(signature);

    must(list->C_GenerateKeyPair(session, &generate, public, 2, private, 2, &keys[0], &keys[1]));
    must(list->C_SignInit(session, &sign, keys[1]));
    must(list->C_Sign(session, text("abc"), 3, signature, &len));
    must(list->C_SignInit(session, &sign, keys[1]));
    must(list->C_SignUpdate(session, text("abc"), 3));
}

static void be_the_application(void)
{
    if (atexit(finish_at_exit) != 0)
        _exit(EXIT_OF_SETUP);
    load_module();
    use_keys(make_token());
    exit(EXIT_OF_HOST);
}

/* Also after OpenSSL has cleaned itself up. */
static unsigned count_audit_lines(const char *dir)
{
    char path[64];
    unsigned lines = 0;

    (void)snprintf(path, sizeof(path), "%s/state/audit.jsonl", dir);
    FILE *file = fopen(path, "re");
    for (int c = 0; file && (c = getc(file)) != EOF;)
        lines += c == '\n';
    if (file)
        (void)fclose(file);
    return lines;
}

static void finalize_in_an_exit_handler_leaves_the_exit_code_alone(void **state)
{
    char dir[] = "/tmp/exit.XXXXXX";
    char config[64];
    int status = 0;
    (void)state;

    assert_non_null(mkdtemp(dir));
    (void)snprintf(config, sizeof(config), "%s/module.conf", dir);
    FILE *file = fopen(config, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "[module]\nstate_dir = %s/state\n", dir) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(setenv("SMARTCA_PKCS11_CONF", config, 1), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)execlp(self, self, "application", (char *)NULL);
        _exit(EXIT_OF_SETUP);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    unsigned lines = count_audit_lines(dir);
    (void)folder_remove(dir);

    assert_true(WIFEXITED(status));
    assert_int_equal(lines, 1);
    assert_int_equal(WEXITSTATUS(status), EXIT_OF_HOST);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finalize_in_an_exit_handler_leaves_the_exit_code_alone),
    };
    self = argv[0];
    if (argc > 1)
        be_the_application();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
