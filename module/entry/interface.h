/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_ENTRY_INTERFACE_H
#define MODULE_ENTRY_INTERFACE_H

#include "module/cryptoki.h"

extern const CK_FUNCTION_LIST list_2_40;
extern const struct cryptoki_list_3_0 list_3_0;
extern const struct cryptoki_list_3_2 list_3_2;

/* C_GetFunctionList (2.40 section 5.4), C_GetInterfaceList and C_GetInterface (3.0 section 5.4). */
CK_RV list_get(CK_FUNCTION_LIST **ret_list);
CK_RV interface_list(CK_INTERFACE *interfaces, CK_ULONG *count);
CK_RV interface_get(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **ret_interface,
                    CK_FLAGS flags);

#endif
