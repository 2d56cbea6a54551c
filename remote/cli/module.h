/* SPDX-License-Identifier: Apache-2.0 */
/* The PKCS#11 module, loaded and asked as any application would. */
#ifndef REMOTE_CLI_MODULE_H
#define REMOTE_CLI_MODULE_H

#include <stdbool.h>

#include "module/cryptoki.h"
#include "remote/base/status.h"
#include "remote/cli/cli.h"

struct module {
    void *library;
    CK_FUNCTION_LIST *p11;
    bool is_initialized;
};

/*
 * Path of the module: --module, $SMARTCA_PKCS11_MODULE, beside the tool in a build tree, p11-kit's
 * folder. The caller frees ret_path. SCA_NOT_FOUND with the path that is missing in ret_path too.
 */
/* The folder of the running tool; false if it cannot be told. */
bool module_own_folder(char *out, size_t size);

enum sca_status module_find(const struct cli *cli, char **ret_path);

/* Loads it. False with the reason in why. The caller module_fini()s it in both cases. */
bool module_open(struct module *module, const char *path, const char **why);

/* C_Initialize; module_fini calls C_Finalize. */
CK_RV module_start(struct module *module);
void module_fini(struct module *module);

/* True if C_GetInterface is exported and answers for "PKCS 11". */
bool module_has_interface(const struct module *module);

/* What PKCS#11 3.0 and 3.2 added; NULL where the module has no such function. */
CK_C_SessionCancel module_session_cancel(const struct module *module);
CK_C_AsyncComplete module_async_complete(const struct module *module);

/* Finds and starts the module; says on stderr why not. */
enum cli_exit module_use(const struct cli *cli, struct module *module);

/* The slots, those without a token too. The caller frees ret_slots. */
CK_RV module_slots(const struct module *module, CK_SLOT_ID **ret_slots, CK_ULONG *ret_count);

/* First object of a class; with the id, unless id is NULL. CK_INVALID_HANDLE if there is none. */
CK_OBJECT_HANDLE module_find_object(const struct module *module, CK_SESSION_HANDLE session,
                                    CK_OBJECT_CLASS class, const CK_ATTRIBUTE *id);

/* Text of a fixed-size member without the blanks at its end. out has room for len + 1. */
const char *module_text(const CK_UTF8CHAR *padded, size_t len, char *out);

#endif
