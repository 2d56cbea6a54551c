/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/deliver.h"

#include <errno.h>
#include <string.h>

#include "remote/audit/audit.h"
#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/smartca/request.h"

/* With one document there is nothing to confuse: its answer may lack the doc_id, or be the only
 * one. */
static bool is_answer_to(const struct delivery *delivery, const struct codec_reply *reply,
                         const struct codec_signature *item, const char *doc_id)
{
    if (delivery->record->document_count == 1 && (!item->doc_id || reply->signature_count == 1))
        return true;
    return item->doc_id && strcmp(item->doc_id, doc_id) == 0;
}

/* Best effort: the document has its status whether or not this can be written. */
static void audit_mismatch(const struct delivery *delivery, struct span digest, const char *doc_id)
{
    const struct audit_entry entry = {
        .user = delivery->record->user_id,
        .account = delivery->account,
        .program = program_invocation_short_name,
        .slot = -1,
        .serial = delivery->record->serial,
        .digest = digest,
        .doc_id = doc_id,
        .transaction = delivery->record->id,
        .outcome = "mismatch",
        .milliseconds = -1,
    };

    enum sca_status st = audit_append(delivery->state_dir, delivery->clock, &entry);
    if (st != SCA_OK)
        log_line(LOG_LEVEL_ERROR, "transaction %s: the mismatch is not in the audit log in %s: %s",
                 delivery->record->id, delivery->state_dir, sca_status_name(st));
}

static enum sca_status deliver_one(const struct delivery *delivery, const struct codec_reply *reply,
                                   size_t index)
{
    const struct remote_document *document = &delivery->documents[index];
    const struct journal_document *known =
        request_document(delivery->record, document->digest, index);
    const char *doc_id = known ? known->doc_id : NULL;
    enum sca_status st = SCA_PROTOCOL;

    for (size_t i = 0; doc_id && i < reply->signature_count; i++) {
        const struct codec_signature *item =
            &reply->signatures[(index + i) % reply->signature_count];
        if (!is_answer_to(delivery, reply, item, doc_id))
            continue;
        st = result_extract(delivery->verifier, document->digest, item->value, document->signature,
                            delivery->signature_len);
        if (st == SCA_OK || st == SCA_NOMEM)
            return st;
    }
    log_line(LOG_LEVEL_ERROR,
             st == SCA_MISMATCH
                 ? "transaction %s, document %s: the signature that came does not verify; it was "
                   "thrown away, report this to the service provider"
                 : "transaction %s, document %s: the service says signed and sent no signature",
             delivery->record->id, doc_id ? doc_id : "?");
    if (st == SCA_MISMATCH)
        audit_mismatch(delivery, document->digest, doc_id);
    return st;
}

static enum sca_status worse(enum sca_status a, enum sca_status b)
{
    static const enum sca_status by_weight[] = {SCA_NOMEM, SCA_MISMATCH, SCA_PROTOCOL};

    for (size_t i = 0; i < ARRAY_LEN(by_weight); i++)
        if (a == by_weight[i] || b == by_weight[i])
            return by_weight[i];
    return a == SCA_OK ? b : a;
}

enum sca_status deliver_signatures(const struct delivery *delivery, const struct codec_reply *reply)
{
    enum sca_status worst = SCA_OK;

    for (size_t i = 0; i < delivery->count; i++) {
        if (delivery->documents[i].status == SCA_BUSY)
            continue;
        delivery->documents[i].status = deliver_one(delivery, reply, i);
        worst = worse(worst, delivery->documents[i].status);
    }
    return worst;
}

void deliver_failure(enum sca_status status, struct remote_document *documents, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (documents[i].status != SCA_BUSY)
            documents[i].status = status;
}
