/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network half as the module sees it: one exported symbol of smartca-remote.so, a table. It is
 * loaded at the first remote use, so that a host that never signs remotely never maps libcurl.
 * The tool links the same functions directly.
 */
#ifndef REMOTE_REMOTE_H
#define REMOTE_REMOTE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "remote/base/bytes.h"
#include "remote/base/call.h"
#include "remote/base/log.h"
#include "remote/base/status.h"
#include "remote/config/config.h"

/* Both halves are built together; a left-over file of another build is refused. */
enum { REMOTE_ABI = 3 };
#define REMOTE_SYMBOL "smartca_remote"

/* What the half borrows from the process it lives in, for as long as the process lives. */
struct remote_host {
    const struct log *log;
    OSSL_LIB_CTX *libctx;
};

/* One SmartCA identity and the service it is at. Thread-safe. */
struct smartca_client;

/* The key that is to sign. Borrowed for the call. */
struct remote_key {
    const char *service_serial; /* serial_number as the service wrote it */
    struct span spki;           /* DER, to verify with */
    size_t signature_len;       /* of every signature of this key, bytes */
};

/*
 * What the user's login opened, borrowed for one call. A member that is NULL is fetched from where
 * the configuration says (file:, env:, literal).
 */
struct remote_credentials {
    const struct secret *sp_password;
    const struct secret *password;    /* of the person, for confirm = otp and totp */
    const struct secret *totp_secret; /* as the configuration would have it: base64, base32:, ... */
    const struct secret *otp;         /* confirm = otp: the six digits that the person typed */
};

/* One thing to sign: what goes in, and after the call what came of it. */
struct remote_document {
    struct span digest;           /* of the hash function that has digests of this length */
    uint8_t *signature;           /* room for signature_len bytes; written on SCA_OK only */
    const atomic_uint *wanted_by; /* how many callers wait for it; of 0 the signature, if it comes,
                                     is left at the service for who asks again; NULL: one */
    enum sca_status status;
};

/* A signature that is on its way, and nobody waits for. */
struct remote_ticket;

/* Who asks for it, the same in every call about a ticket. Borrowed for the call. */
struct remote_asking {
    struct smartca_client *client;
    const struct remote_credentials *credentials;
    const struct remote_key *key;
};

struct remote_ops {
    unsigned abi;

    /* First call after loading. */
    void (*attach)(const struct remote_host *host);

    /* First call in a forked child: http_abandon and the like. */
    void (*abandon)(void);

    /* C_Finalize: closes the connections that nobody uses. */
    void (*close_idle)(void);

    /* account and state_dir are borrowed until client_free. */
    enum sca_status (*client_new)(const struct account_config *account, const char *state_dir,
                                  struct smartca_client **ret_client);
    void (*client_free)(struct smartca_client *client);

    /*
     * Asks the service for the account's certificates and stores them in the catalogue
     * (catalogue_store). ret_count: how many the account (with its serial) has.
     */
    enum sca_status (*fetch)(struct smartca_client *client, struct call *call,
                             const struct remote_credentials *credentials, size_t *ret_count);

    /*
     * Signs one document, as README.md promises. Calls that come while another one of the
     * same key is on its way share its confirmation, or the next one. The signature has been
     * verified with key->spki. document's status is what this returns.
     */
    enum sca_status (*sign)(struct smartca_client *client, struct call *call,
                            const struct remote_credentials *credentials,
                            const struct remote_key *key, struct remote_document *document);

    /*
     * The same without a wait. begin takes a digest in and asks nobody; patience_ms from then on
     * SCA_UNCONFIRMED is the outcome. poll is what makes it go on: SCA_OK with the signature,
     * SCA_PENDING, or the outcome. number gives what join takes, in any process: SCA_PENDING as
     * long as it has none, SCA_UNSUPPORTED when the outcome is there already. join: SCA_NOT_FOUND.
     * keep: what poll told reached nobody, and stays where it was for whoever asks again.
     * One thread at a time per ticket. drop lets go of it; NULL is fine.
     */
    enum sca_status (*begin)(const struct remote_asking *asking, struct call *call,
                             struct span digest, uint64_t patience_ms,
                             struct remote_ticket **ret_ticket);
    enum sca_status (*poll)(struct remote_ticket *ticket, const struct remote_asking *asking,
                            struct call *call, uint8_t *signature);
    enum sca_status (*number)(struct remote_ticket *ticket, const struct remote_asking *asking,
                              struct call *call, uint64_t *ret_number);
    enum sca_status (*join)(const struct remote_asking *asking, struct call *call, uint64_t number,
                            uint64_t patience_ms, struct remote_ticket **ret_ticket);
    void (*keep)(struct remote_ticket *ticket);
    void (*drop)(struct remote_ticket *ticket);
};

#endif
