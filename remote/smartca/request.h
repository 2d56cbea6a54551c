/* SPDX-License-Identifier: Apache-2.0 */
/* From documents to what is written into the journal, and from there to what is sent. */
#ifndef REMOTE_SMARTCA_REQUEST_H
#define REMOTE_SMARTCA_REQUEST_H

#include <stddef.h>

#include "remote/base/call.h"
#include "remote/base/status.h"
#include "remote/config/config.h"
#include "remote/remote.h"
#include "remote/smartca/codec.h"
#include "remote/smartca/journal.h"

enum { REQUEST_TIME_SIZE = 16 };

/* Who is to sign what. Borrowed. */
struct request_subject {
    const struct account_config *account;
    const char *service_serial;
    const struct remote_document *documents;
    size_t count;
};

/* Whose key, and nothing else of a transaction. SCA_INVALID for a text that is too long. */
enum sca_status request_key(const struct account_config *account, const char *service_serial,
                            struct journal_transaction *ret_key);

/*
 * The document of a transaction that has this digest, or NULL. A transaction of our own holds the
 * documents in the caller's order, so the search starts there; a joined one may hold more.
 */
struct journal_document *request_document(const struct journal_transaction *record,
                                          struct span digest, size_t start);

/*
 * Drafts a transaction: a new id, a doc_id for each document (its control code, made unique), the
 * description, the time. Whatever *record held is released first. SCA_INVALID with the call's note
 * for a digest or a text that cannot be sent, SCA_IO with it, SCA_NOMEM; *record is to be fini()ed
 * in any case.
 */
enum sca_status request_draft(const struct request_subject *subject, struct call *call,
                              struct journal_transaction *record);

/* Adds documents to a draft, each digest once, under doc_ids of their own; request_describe then
 * says how many there are. SCA_NOMEM: nothing was added. */
enum sca_status request_add_documents(struct journal_transaction *record,
                                      const struct journal_document *documents, size_t count);
void request_describe(struct journal_transaction *record);

/*
 * The body of a signing request. Everything in it comes from the journal's record, so that whoever
 * sends it again sends the same bytes. Borrows from the record.
 */
struct request {
    struct codec_sign_request body;
    struct codec_sign_file *files;
    char time_stamp[REQUEST_TIME_SIZE];
};

/* SCA_NOMEM; request_fini is right in any case. *request must not be moved. */
enum sca_status request_init(struct request *request, const struct journal_transaction *record);
void request_fini(struct request *request);

#endif
