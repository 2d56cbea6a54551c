/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SmartCA identity and how the service is reached for it (remote.h). Everything in it is
 * constant after client_new or atomic, so calls share it without a lock.
 */
#ifndef REMOTE_SMARTCA_CLIENT_H
#define REMOTE_SMARTCA_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "remote/http/http.h"
#include "remote/remote.h"
#include "remote/smartca/journal.h"
#include "remote/smartca/result.h"

/* A public key prepared once; the list only grows until client_free. */
struct client_key {
    struct client_key *next;
    struct result_key *verifier;
    size_t spki_len;
    uint8_t spki[];
};

struct smartca_client {
    const struct account_config *account; /* borrowed */
    const char *state_dir;                /* borrowed */
    struct transport *transport;
    bool owns_transport;
    struct journal *journal;
    struct gather *gather;
    _Atomic(struct client_key *) keys;
    _Atomic int64_t clock_ahead_s; /* ours, of the service's, when it last told; 0: it did not */
    atomic_bool asks_by_tran_code; /* what this service's status call was found to want */
};

/* The table of remote.h: what smartca-remote.so exports, and what the tool links. */
extern const struct remote_ops smartca_remote;

/* remote_ops.attach and abandon. Clients inherited from a parent process are not to be used. */
void client_attach(const struct remote_host *host);
void client_abandon(void);

/* remote_ops.client_new. */
enum sca_status client_new(const struct account_config *account, const char *state_dir,
                           struct smartca_client **ret_client);

/* The same over a given transport, which is borrowed. */
enum sca_status client_new_over(struct transport *transport, const struct account_config *account,
                                const char *state_dir, struct smartca_client **ret_client);
void client_free(struct smartca_client *client);
void client_freep(struct smartca_client **client);

/* The prepared key of a SubjectPublicKeyInfo; lends it as long as the client lives. */
enum sca_status client_verifier(struct smartca_client *client, struct span spki,
                                const struct result_key **ret_verifier);

#endif
