/* SPDX-License-Identifier: Apache-2.0 */
/* The three exported functions and what they choose from. */
#include "module/entry/interface.h"

#include <stdbool.h>
#include <string.h>

#include "remote/base/cleanup.h"

#define EXPORT __attribute__((visibility("default")))

/* The API wants pointers to modifiable lists. Nobody may write through them: they are read-only. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static CK_UTF8CHAR interface_name[] = "PKCS 11";

/* Newest first, which is the default. No CKF_INTERFACE_FORK_SAFE: a forked child starts anew. */
static CK_INTERFACE offered[] = {
    {interface_name, (void *)&list_3_2, 0},
    {interface_name, (void *)&list_3_0, 0},
    {interface_name, (void *)&list_2_40, 0},
};

CK_RV list_get(CK_FUNCTION_LIST **ret_list)
{
    if (!ret_list)
        return CKR_ARGUMENTS_BAD;
    *ret_list = (CK_FUNCTION_LIST *)&list_2_40;
    return CKR_OK;
}

CK_RV interface_list(CK_INTERFACE *interfaces, CK_ULONG *count)
{
    if (!count)
        return CKR_ARGUMENTS_BAD;
    CK_ULONG room = *count;
    *count = ARRAY_LEN(offered);
    if (!interfaces)
        return CKR_OK;
    if (room < ARRAY_LEN(offered))
        return CKR_BUFFER_TOO_SMALL;
    memcpy(interfaces, offered, sizeof(offered));
    return CKR_OK;
}

/* Every list starts with its version. */
static bool has_version(const CK_INTERFACE *interface, const CK_VERSION *version)
{
    const CK_VERSION *offers = interface->pFunctionList;
    return !version || (offers->major == version->major && offers->minor == version->minor);
}

CK_RV interface_get(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **ret_interface,
                    CK_FLAGS flags)
{
    if (!ret_interface)
        return CKR_ARGUMENTS_BAD;
    if (name && strcmp((const char *)name, (const char *)interface_name) != 0)
        return CKR_ARGUMENTS_BAD;
    for (size_t i = 0; i < ARRAY_LEN(offered); i++)
        if (has_version(&offered[i], version) && (offered[i].flags & flags) == flags) {
            *ret_interface = &offered[i];
            return CKR_OK;
        }
    return CKR_ARGUMENTS_BAD;
}

CK_RV C_GetInterfaceList(CK_INTERFACE *interfaces, CK_ULONG *count);
CK_RV C_GetInterface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **ret_interface,
                     CK_FLAGS flags);

EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret_list)
{
    return list_get(ret_list);
}

EXPORT CK_RV C_GetInterfaceList(CK_INTERFACE *interfaces, CK_ULONG *count)
{
    return interface_list(interfaces, count);
}

EXPORT CK_RV C_GetInterface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **ret_interface,
                            CK_FLAGS flags)
{
    return interface_get(name, version, ret_interface, flags);
}
