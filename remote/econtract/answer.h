/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What eContract answers, taken apart; remote/README.md has the calls. Pure functions: nothing but
 * the envelope has to be there, and members nobody knows are passed over.
 */
#ifndef REMOTE_ECONTRACT_ANSWER_H
#define REMOTE_ECONTRACT_ANSWER_H

#include "remote/base/bytes.h"
#include "remote/base/secret.h"
#include "remote/base/status.h"
#include "remote/econtract/econtract.h"
#include "remote/smartca/json.h"

enum {
    ANSWER_USERS_MAX = 1000,
    ANSWER_CERTIFICATES_MAX = 256, /* of one user */
    ANSWER_COMPANIES_MAX = 256,
};

/* The envelope. Owns its JSON. */
struct answer {
    cJSON *json;
    cJSON *data; /* in json; NULL if absent or null */
    struct econtract_verdict verdict;
};

/*
 * body as json_parse wants it. SCA_PROTOCOL with the reason in why (static text) when it is no
 * envelope. The caller answer_fini()s ret_answer, which is empty on failure but for http_status.
 */
enum sca_status answer_parse(struct span body, long http_status, struct answer *ret_answer,
                             const char **why);
void answer_fini(struct answer *answer);

/* Did the service do what it was asked for? */
bool answer_is_good(const struct answer *answer);

/*
 * Of a login: a token, or companies to choose from. The token is not left in the answer.
 * SCA_PROTOCOL when it is neither, with the reason in why.
 */
enum sca_status answer_take_login(struct answer *answer, struct secret **ret_token,
                                  struct econtract_companies *ret_companies, const char **why);

/* SCA_PROTOCOL over the limits. Whoever has no id is left out. */
enum sca_status answer_users(const struct answer *answer, struct econtract_users *ret_users,
                             const char **why);

/* The same of one user. Zeros when the answer has none. */
enum sca_status answer_user(const struct answer *answer, struct econtract_user *ret_user,
                            const char **why);

#endif
