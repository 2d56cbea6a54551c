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

/*
 * Drafts a transaction: a new id, a doc_id for each document (its control code, made unique), the
 * description, the time. Whatever *record held is released first. SCA_INVALID with the call's note
 * for a digest or a text that cannot be sent, SCA_NOMEM; *record is to be fini()ed in any case.
 */
enum sca_status request_draft(const struct request_subject *subject, struct call *call,
                              struct journal_transaction *record);

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
