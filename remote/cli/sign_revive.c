/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/sign_revive.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/cli/output.h"
#include "remote/cli/workspace.h"
#include "remote/smartca/journal_revive.h"
#include "remote/smartca/pending.h"

/* Borrowed. */
struct search {
    const struct sign_memory *memory;
    const struct account_config *account;
    const struct sign_files *files;
    const struct sign_recollection *item; /* whose transactions are looked at */
};

/* Of a document that is to be signed now; NULL for others. */
static struct sign_entry *wanted_of(const struct search *search,
                                    const struct journal_document *document)
{
    const struct sign_entries *entries = &search->item->entries;

    for (size_t i = 0; i < entries->count; i++) {
        struct sign_entry *entry = &entries->items[i];
        if (!entry->is_over && document->digest_len == sizeof(entry->digest) &&
            memcmp(document->digest, entry->digest, sizeof(entry->digest)) == 0)
            return sign_memory_file(search->files, entry) ? entry : NULL;
    }
    return NULL;
}

static bool is_waiting(const struct search *search, const struct journal_document *document)
{
    return document->digest_len == SIGN_DIGEST_LEN &&
           sign_note_find(&search->memory->waiting, document->digest);
}

/* Marks what of the transaction is done with; is something of it wanted that cannot be joined? */
static bool mark(const struct search *search, struct journal_transaction *transaction)
{
    bool is_missing = false;

    for (size_t i = 0; i < transaction->document_count; i++) {
        struct journal_document *document = &transaction->documents[i];
        bool can_be_joined = is_waiting(search, document);
        bool is_wanted = wanted_of(search, document) != NULL;
        document->is_collected = !can_be_joined && !is_wanted;
        is_missing = is_missing || (is_wanted && !can_be_joined);
    }
    return is_missing;
}

static void give_up(const struct search *search, const struct journal_transaction *transaction)
{
    for (size_t i = 0; i < transaction->document_count; i++) {
        struct sign_entry *entry = wanted_of(search, &transaction->documents[i]);
        if (entry && !is_waiting(search, &transaction->documents[i]))
            entry->is_over = true;
    }
}

static enum sca_status ask(const struct search *search, struct call *call,
                           const struct journal_transaction *transaction, bool *ret_is_to_be_had)
{
    AUTO(client_freep) struct smartca_client *client = NULL;
    enum pending_outcome outcome = PENDING_UNKNOWN;

    enum sca_status st =
        smartca_remote.client_new(search->account, search->memory->state_dir, &client);
    if (st == SCA_OK)
        st = pending_ask(client, call, transaction, &outcome);
    bool is_to_be_had = outcome == PENDING_SIGNED || outcome == PENDING_WAITING;
    if (st == SCA_OK && is_to_be_had)
        st = journal_revive(client->journal, call, transaction);
    *ret_is_to_be_had = st == SCA_OK && is_to_be_had;
    return st;
}

static bool ask_within_time(const struct search *search,
                            const struct journal_transaction *transaction, bool *ret_is_to_be_had,
                            struct trouble *trouble)
{
    const struct service_config *service = &search->account->service;
    struct call call;

    call_init(&call, &clock_system,
              (uint64_t)service->connect_timeout_ms + service->request_timeout_ms);
    enum sca_status st = ask(search, &call, transaction, ret_is_to_be_had);
    if (st != SCA_OK)
        (void)trouble_say(trouble, output_code(st), workspace_advice(st),
                          _("transaction %s, which an earlier run asked for: %s"), transaction->id,
                          call.note[0] ? call.note : sca_status_name(st));
    call_fini(&call);
    return st == SCA_OK;
}

static bool revive(const struct search *search, const struct journal_transaction *transaction,
                   struct trouble *trouble)
{
    AUTO(freep)
    struct journal_document *documents = calloc(transaction->document_count, sizeof(*documents));
    struct journal_transaction marked = *transaction;
    bool is_to_be_had = false;

    if (!documents)
        return trouble_no_memory(trouble);
    memcpy(documents, transaction->documents, transaction->document_count * sizeof(*documents));
    marked.documents = documents;
    if (!mark(search, &marked))
        return true;
    if (!ask_within_time(search, &marked, &is_to_be_had, trouble))
        return false;
    if (!is_to_be_had)
        give_up(search, transaction);
    return true;
}

/* Another account may have signed the same file. */
static bool is_ours(const struct search *search, const struct journal_transaction *transaction)
{
    const struct identity identity = {.url = transaction->url, .user_id = transaction->user_id};

    return identity_equal(config_identity(search->account), identity);
}

bool sign_revive(const struct sign_memory *memory, const struct account_config *account,
                 const struct sign_files *files, struct trouble *trouble)
{
    struct search search = {.memory = memory, .account = account, .files = files};

    for (size_t i = 0; i < memory->count; i++) {
        search.item = &memory->items[i];
        const struct ledger *asked = &search.item->entries.asked;
        for (size_t j = 0; j < asked->count; j++)
            if (is_ours(&search, &asked->items[j]) && !revive(&search, &asked->items[j], trouble))
                return false;
    }
    return true;
}
