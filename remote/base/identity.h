/* SPDX-License-Identifier: Apache-2.0 */
/* Whose certificates, secrets and one-time passwords they are. */
#ifndef REMOTE_BASE_IDENTITY_H
#define REMOTE_BASE_IDENTITY_H

#include <stdbool.h>

#include "remote/base/status.h"

/* A person or company at one service; accounts are names for it, and several may share it.
 * Borrowed. */
struct identity {
    const char *url;
    const char *user_id;
};

bool identity_equal(struct identity a, struct identity b);

enum { IDENTITY_NAME_SIZE = 65 };

/*
 * What files of the identity are called: SHA-256 of "url\nuser_id" in hex, which says nothing about
 * it; a file's name may be the first digits only. These names are on disk. SCA_NOMEM.
 */
enum sca_status identity_name(struct identity identity, char ret_name[static IDENTITY_NAME_SIZE]);

#endif
