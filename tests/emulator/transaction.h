/* SPDX-License-Identifier: Apache-2.0 */
/* What the service was asked to sign, and what became of it. */
#ifndef TESTS_EMULATOR_TRANSACTION_H
#define TESTS_EMULATOR_TRANSACTION_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/emulator/hsm.h"
#include "tests/emulator/jwt.h"
#include "tests/emulator/phone.h"
#include "tests/emulator/user.h"
#include "tests/emulator/uuid.h"

enum {
    TRANSACTION_ID_MAX = 128,
    TRANSACTION_TEXT_MAX = 512,
    DOCUMENT_ID_MAX = 256,
    TRANSACTION_ROWS = 4096
};

enum transaction_state {
    TRANSACTION_WAITING,
    TRANSACTION_SIGNED,
    TRANSACTION_REJECTED,
    TRANSACTION_EXPIRED,
    TRANSACTION_FAILED,
};

struct document {
    char doc_id[DOCUMENT_ID_MAX + 1];
    uint8_t hash[64];
    size_t hash_len;
    uint8_t signature[HSM_SIGNATURE_LEN];
};

/*
 * Shared by the table and the requests that work on it, each with a reference. The members from
 * rule to refs change under the emulator's lock only; signatures are made under signing.
 */
struct transaction {
    char id[TRANSACTION_ID_MAX + 1];
    char tran_code[UUID_LEN + 1];
    char other_id[UUID_LEN + 1]; /* shown for id where the behaviour wants another one */
    char description[TRANSACTION_TEXT_MAX + 1];
    const struct user *user;
    const struct certificate *certificate;
    struct document *documents;
    size_t document_count;
    uint64_t created_ms;
    bool is_v2; /* asked for with password and OTP */

    struct phone_rule rule;
    enum transaction_state state;
    uint64_t first_status_ms; /* 0: nobody asked yet */
    uint64_t decided_ms;      /* 0: still waiting */
    unsigned polls;
    unsigned pushes;
    unsigned confirms;     /* confirmations that were answered with signatures */
    char sad[JWT_MAX + 1]; /* the permission to sign that is good now; "": none */
    uint64_t sad_ms;       /* when it was given */
    unsigned refs;
    struct transaction *next_by_id;
    struct transaction *next_by_code;

    pthread_mutex_t signing;
    bool has_signatures;
};

/* Room for count documents; one reference, the caller's. NULL without memory. */
struct transaction *transaction_new(size_t count);
void transaction_ref(struct transaction *transaction);
void transaction_unref(struct transaction *transaction);

/* Gives a new permission to sign, that takes the place of an older one. */
void transaction_permit(struct transaction *transaction, uint64_t now_ms);

/* Whether both ask for the same documents, of the same user with the same certificate. */
bool transaction_is_same(const struct transaction *a, const struct transaction *b);

/* Lets time and phone do their work: see phone.h. */
void transaction_settle(struct transaction *transaction, uint64_t now_ms, uint64_t lifetime_ms);
void transaction_decide(struct transaction *transaction, enum phone_action action, uint64_t now_ms);

/* Makes the signatures unless they are there. Call without the emulator's lock. */
enum sca_status transaction_sign(struct transaction *transaction, struct hsm *hsm);

const char *transaction_state_name(enum transaction_state state);

/* All transactions, in the order they came, found by either of their ids. */
struct transaction_table {
    struct transaction **list;
    size_t count;
    size_t room;
    struct transaction *by_id[TRANSACTION_ROWS];
    struct transaction *by_code[TRANSACTION_ROWS];
};

enum id_kind { ID_TRANSACTION = 1, ID_TRAN_CODE = 2, ID_EITHER = 3 };

/* Takes a reference of its own. SCA_INVALID: an id is used already; SCA_NOMEM. */
enum sca_status transaction_table_add(struct transaction_table *table,
                                      struct transaction *transaction);

/* Lends. NULL when there is none. */
struct transaction *transaction_table_find(const struct transaction_table *table, const char *id,
                                           enum id_kind kind);
void transaction_table_clear(struct transaction_table *table);

#endif
