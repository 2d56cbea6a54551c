/* SPDX-License-Identifier: Apache-2.0 */
/* One run that issues certificates: what all its users share, and what is done for one of them. */
#ifndef REMOTE_CLI_OFFICE_H
#define REMOTE_CLI_OFFICE_H

#include "remote/base/lock.h"
#include "remote/cli/form.h"
#include "remote/cli/holder.h"
#include "remote/cli/pin_input.h"
#include "remote/cli/token.h"

enum task_result {
    TASK_OPEN, /* nothing is known against it, and it is not done yet */
    TASK_CREATED,
    TASK_REISSUED,
    TASK_EXISTS,
    TASK_REFUSED, /* the form, or what is on the token, is against it */
    TASK_FAILED,
};

/* One user. */
struct task {
    unsigned line; /* of the file; 0: from the command line */
    struct form form;
    char *kept[FORM_FIELD_COUNT]; /* owned texts that the form borrows */
    struct order order;
    bool has_slot;
    bool is_leftover; /* done in an earlier run, but for the end of it */
    struct token_slot slot;
    enum task_result result;
    struct trouble trouble; /* TASK_EXISTS and worse */
    char serial[CERTIFICATE_SERIAL_HEX];
    int64_t not_before;
    int64_t not_after;
    bool has_renewed_issuer;
};

/* A local issuer: a token of its own, logged in for the whole run. */
struct issuer {
    const char *name;
    const struct order *order; /* the first that asks for it: says its organization and country */
    int64_t not_before;        /* of everything it is to issue in this run */
    int64_t not_after;
    struct token token;
    struct token_pair pair;
    X509 *x509;
    bool is_renewed; /* x509 takes the place of one that would have ended too soon */
};

struct office {
    const struct cli *cli;
    const struct module *module;
    struct tokens tokens;
    struct secret *so_pin;
    struct secret *pin;
    struct secret *issuer_pin;
    int pins_fd; /* -1: there is no --pins-out */
    struct issuer *issuers;
    size_t issuer_count;
    struct lock lock; /* guards the empty slot, the issuers' sessions, the file of PINs, the count
                         of tasks done */
};

/* Loads nothing yet. The caller office_fini()s it. */
void office_init(struct office *office, const struct cli *cli, const struct module *module);
void office_fini(struct office *office);

/*
 * Which tokens there are. Of our own module only when its folders can be written: it is going to,
 * and could not say by itself which folder is in the way.
 */
bool office_read_tokens(struct office *office, const char *state_dir, struct trouble *trouble);

/* Says why a task ends; returns false. */
bool task_end(struct task *task, enum task_result result);
void task_fini(struct task *task);

/*
 * A token for the task's user, open for writing and logged in: the one of its slot, or a new one.
 * The PIN is the row's, that of the run, or made up and written to the file first.
 */
bool office_seat(struct office *office, struct task *task, struct token *ret_token);

/* An authority whose key is here as well: the token is a local issuer's, no user's. */
bool office_is_issuers_own(struct token *token, const struct holder *holder);

/* True if the user's PIN will be made up. */
bool office_makes_pin(const struct office *office, const struct task *task);

/* Opens, makes or renews the issuers of all open tasks. Asks for their PIN at the first. */
bool office_open_issuers(struct office *office, struct task *tasks, size_t count,
                         struct trouble *trouble);

/* NULL: the task's certificate is signed with its own key. */
struct issuer *office_issuer(const struct office *office, const struct task *task);

/* A certificate for the pair's key as the order says, signed, not yet stored. */
bool office_certify(struct office *office, struct task *task, struct token *token,
                    const struct token_pair *pair, X509 **ret_x509);

/* Has a plan signed with a key on a token. */
struct x509_plan;
bool office_sign(struct token *token, const struct token_pair *pair, const struct x509_plan *plan,
                 X509 **ret_x509, struct trouble *trouble);

/* Puts a new certificate, and its issuer's, on the user's token. */
bool office_store(struct office *office, struct task *task, struct token *token, X509 *x509);

/*
 * What each verb does for one task. look is asked of all tasks first and changes nothing: it ends
 * the task, or leaves it open. run does the work, possibly on a thread of its own.
 */
struct office_verb {
    void (*look)(struct office *office, struct task *task);
    void (*run)(struct office *office, struct task *task);
    bool inherits; /* what the form does not say is in the certificate there is */
};

/* The questions of a run; an answer once given is kept. */
bool office_ask_so_pin(struct office *office, struct trouble *trouble);
bool office_ask_pin(struct office *office, bool is_new, struct trouble *trouble);

/* Runs a verb for --user or --csv of the command line and prints what became of it. */
enum cli_exit office_run(const struct cli *cli, const struct office_verb *verb);

#endif
