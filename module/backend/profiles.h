/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULE_BACKEND_PROFILES_H
#define MODULE_BACKEND_PROFILES_H

#include "module/backend/attributes.h"
#include "module/backend/backend.h"

enum { PROFILES = 4, UNIQUE_ID_SIZE = 48 };

/* CKA_UNIQUE_ID of a token's object: "kind-serial-number". text is lent with the attributes. */
void unique_id_add(struct attributes *attributes, const char *kind, const char *serial,
                   unsigned number, char text[static UNIQUE_ID_SIZE]);

/* The profiles that every token meets, as objects first_number to first_number + PROFILES - 1. */
enum sca_status profiles_list(const char *kind, const char *serial, unsigned first_number,
                              struct object_sink *sink);

#endif
