/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of eContract, as bytes; remote/README.md has the calls. Pure functions. */
#ifndef REMOTE_ECONTRACT_QUESTION_H
#define REMOTE_ECONTRACT_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/base/bytes.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"

enum { QUESTION_MAX = 64 * 1024 };

struct question_login {
    const char *username;
    const struct secret *password;
    const char *company_id;   /* NULL: none. Digits alone are sent as a number */
    const struct secret *otp; /* NULL: none */
};

/*
 * ret_body is initialised here, sensitive; the caller buf_fini()s it, on failure it is empty.
 * SCA_NOMEM; SCA_INVALID for a text that is no UTF-8, or holds a NUL, or is too long.
 */
enum sca_status question_login(const struct question_login *login, struct buf *ret_body);

/* serial NULL: every certificate. */
enum sca_status question_add(int64_t user_id, const char *user_name, const char *serial,
                             struct buf *ret_body);

struct question_update {
    int64_t certificate_id;
    int64_t user_id;
    bool is_default;
    const char *name; /* NULL: as it is */
};
enum sca_status question_update(const struct question_update *update, struct buf *ret_body);
enum sca_status question_delete(int64_t certificate_id, int64_t user_id, struct buf *ret_body);

struct question_page {
    const char *search; /* NULL: none */
    unsigned page;      /* from 1 */
    unsigned page_size;
};

/* The address of a page of users, below the service's url. As above, and a text. */
enum sca_status question_users(const char *url, const struct question_page *page,
                               struct buf *ret_address);

#endif
