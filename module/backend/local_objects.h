/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of PKCS#11 as the keystore keeps them. A body is a row of attributes, each of them
 *
 *   u64 type | u32 length | value
 *
 * without gaps, numbers in the byte order of the computer, values as PKCS#11 has them in memory.
 * CKA_UNIQUE_ID is not in it: it follows from the token's serial number and the object's.
 */
#ifndef MODULE_BACKEND_LOCAL_OBJECTS_H
#define MODULE_BACKEND_LOCAL_OBJECTS_H

#include "module/backend/attributes.h"
#include "module/backend/backend.h"
#include "remote/base/bytes.h"
#include "remote/keystore/keystore.h"

/* Longest body; a certificate or a data object of that size is larger than any in use. */
enum { LOCAL_BODY_MAX = 1024 * 1024 };

/* The caller buf_fini()s ret_body in every case; it is wiped then. SCA_NOMEM; SCA_NO_SPACE when the
 * object is too large. */
enum sca_status local_body_put(const CK_ATTRIBUTE *attributes, CK_ULONG count,
                               struct buf *ret_body);

/* The reverse, added to ret_attributes; values borrow from body. SCA_INVALID, with nothing to be
 * used, unless body is such a row of at most ATTRIBUTES_MAX - 1. */
enum sca_status local_body_get(struct span body, struct attributes *ret_attributes);

/* Hands the token's objects and profiles to the sink: private ones with a master key only. What
 * keystore_read returns, with its reason in why. */
enum sca_status local_objects_list(const struct keystore *keystore, const char *serial,
                                   const struct secret *master_key, struct object_sink *sink,
                                   const char **why);

/* keystore_write of changes as the token layer has them. */
enum sca_status local_objects_write(const struct keystore *keystore, struct call *call,
                                    const struct secret *master_key, struct object_change *changes,
                                    size_t count);

#endif
