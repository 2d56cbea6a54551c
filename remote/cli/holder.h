/* SPDX-License-Identifier: Apache-2.0 */
/* What a token holds of its user: the certificates in use, those archived, those of issuers. */
#ifndef REMOTE_CLI_HOLDER_H
#define REMOTE_CLI_HOLDER_H

#include "remote/cli/token.h"
#include "remote/cli/x509_read.h"

/*
 * An archived certificate is a data object of this application, labelled with the serial number:
 * exportable for ever, and no program takes it for one to sign with.
 */
#define HOLDER_ARCHIVE           "smartca archive"
#define HOLDER_ARCHIVE_OF_ISSUER "smartca archive of issuer"

struct holding {
    CK_OBJECT_HANDLE object;
    X509 *x509;
    bool is_archived;
    bool is_authority;
    char serial[CERTIFICATE_SERIAL_HEX];
};

struct holder {
    struct holding *items;
    size_t count;
};

/* Is the certificate in use that is object an issuer's? */
bool holder_is_authority(struct token *token, CK_OBJECT_HANDLE object, X509 *x509);

/* Needs no login. The caller holder_fini()s ret_holder, whatever is returned. */
bool holder_read(struct token *token, struct holder *ret_holder, struct trouble *trouble);
void holder_fini(struct holder *holder);

/*
 * The certificate in use: neither archived nor an issuer's, the one that begins last. One that
 * names the user goes before others. NULL if there is none.
 */
const struct holding *holder_current(const struct holder *holder, const char *user);

/* The user ids on the token are all this one, or the label is the whole user id. */
bool holder_is_of(const struct holder *holder, const char *label, const char *user);

/* The issuer's certificate in use: the one that ends last. NULL if there is none. */
const struct holding *holder_authority(const struct holder *holder);

/* True if the certificate is there, archived or not as asked. */
bool holder_has(const struct holder *holder, const X509 *x509, bool is_archived);

/* Keeps the certificate as a data object; then destroys the other object, which has to be whole. */
bool holder_archive(struct token *token, const struct holder *holder, const struct holding *old,
                    struct trouble *trouble);
bool holder_destroy(struct token *token, CK_OBJECT_HANDLE object, struct trouble *trouble);

#endif
