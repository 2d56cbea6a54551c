/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_ENTRY_TRACE_H
#define MODULE_ENTRY_TRACE_H

#include "module/cryptoki.h"
#include "module/token/names.h"

/*
 * The call trace, one debug line per call: names of mechanisms, attributes and codes; lengths
 * instead of contents; of a PIN nothing at all. format has a character per argument or pair:
 *
 *   s  struct session *             b  CK_BBOOL       u  CK_ULONG, handle     f  CK_FLAGS
 *   m  CK_MECHANISM *               M  CK_MECHANISM_TYPE                      h  CK_OBJECT_HANDLE *
 *   t  CK_ATTRIBUTE *, CK_ULONG     d  data, CK_ULONG p  PIN, CK_ULONG        -  a pointer, not
 * shown o  output pointer, followed by c  CK_ULONG * with its length or count
 */
void trace_call(const char *name, CK_RV rv, const char *format, ...);

#endif
