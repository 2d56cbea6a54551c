/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/ledger_match.h"

#include <string.h>

static bool is_forgotten(const struct journal_transaction *item, int64_t now)
{
    return item->begun_at < now - JOURNAL_KEEP_S || item->begun_at > now + JOURNAL_KEEP_S;
}

void ledger_match_forget(struct ledger *ledger, int64_t now)
{
    for (size_t i = ledger->count; i-- > 0;)
        if (is_forgotten(&ledger->items[i], now))
            ledger_remove(ledger, &ledger->items[i]);
}

static bool holds_digest(const struct journal_transaction *item,
                         const struct journal_document *wanted)
{
    for (size_t i = 0; i < item->document_count; i++)
        if (item->documents[i].digest_len == wanted->digest_len &&
            memcmp(item->documents[i].digest, wanted->digest, wanted->digest_len) == 0)
            return true;
    return false;
}

static bool is_wanted(const struct journal_transaction *item,
                      const struct journal_transaction *wanted)
{
    if (strcmp(item->url, wanted->url) != 0 || strcmp(item->user_id, wanted->user_id) != 0 ||
        strcmp(item->serial, wanted->serial) != 0)
        return false;
    for (size_t i = 0; i < wanted->document_count; i++)
        if (!holds_digest(item, &wanted->documents[i]))
            return false;
    return true;
}

/* The newest: an older one with the same digests has been given up for it. */
bool ledger_match_join(struct ledger *ledger, struct journal_transaction *wanted)
{
    for (size_t i = ledger->count; i-- > 0;)
        if (is_wanted(&ledger->items[i], wanted)) {
            journal_transaction_fini(wanted);
            *wanted = ledger->items[i];
            ledger->items[i].documents = NULL; /* wanted owns them now */
            return true;
        }
    return false;
}
