/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/ledger_match.h"

#include <string.h>

static bool is_forgotten(const struct journal_transaction *item, int64_t now)
{
    if (item->begun_at < now - JOURNAL_KEEP_S || item->begun_at > now + JOURNAL_KEEP_S)
        return true;
    if (item->state == JOURNAL_ENDED)
        return now > item->kept_until;
    return item->state == JOURNAL_WANTED && !journal_submitter_lives(item);
}

void ledger_match_forget(struct ledger *ledger, int64_t now)
{
    for (size_t i = ledger->count; i-- > 0;)
        if (is_forgotten(&ledger->items[i], now))
            ledger_remove(ledger, &ledger->items[i]);
}

static bool is_live(const struct journal_transaction *item)
{
    return item->state == JOURNAL_SUBMITTING || item->state == JOURNAL_SUBMITTED;
}

void ledger_match_keep_live(struct ledger *ledger, int64_t now)
{
    for (size_t i = ledger->count; i-- > 0;)
        if (!is_live(&ledger->items[i]) || is_forgotten(&ledger->items[i], now))
            ledger_remove(ledger, &ledger->items[i]);
}

static bool is_same_identity(const struct journal_transaction *a,
                             const struct journal_transaction *b)
{
    return strcmp(a->url, b->url) == 0 && strcmp(a->user_id, b->user_id) == 0;
}

static bool is_same_key(const struct journal_transaction *a, const struct journal_transaction *b)
{
    return is_same_identity(a, b) && strcmp(a->serial, b->serial) == 0;
}

static bool is_same_digest(const struct journal_document *a, const struct journal_document *b)
{
    return a->digest_len == b->digest_len && memcmp(a->digest, b->digest, a->digest_len) == 0;
}

/* What was collected is done with: the same digest is something new. */
static bool holds_digest(const struct journal_transaction *item,
                         const struct journal_document *wanted)
{
    for (size_t i = 0; i < item->document_count; i++)
        if (!item->documents[i].is_collected && is_same_digest(&item->documents[i], wanted))
            return true;
    return false;
}

static bool holds(const struct journal_transaction *item, const struct journal_transaction *wanted,
                  bool is_partial)
{
    size_t held = 0;

    if (!is_same_key(item, wanted))
        return false;
    for (size_t i = 0; i < wanted->document_count; i++)
        held += holds_digest(item, &wanted->documents[i]);
    return is_partial ? held > 0 : held == wanted->document_count;
}

static void take(struct journal_transaction *item, struct journal_transaction *wanted)
{
    journal_transaction_fini(wanted);
    journal_transaction_move(item, wanted);
}

/* The newest: an older one with the same digests has been given up for it. */
bool ledger_match_join(struct ledger *ledger, struct journal_transaction *wanted, bool is_partial)
{
    for (size_t i = ledger->count; i-- > 0;)
        if (is_live(&ledger->items[i]) && holds(&ledger->items[i], wanted, is_partial)) {
            take(&ledger->items[i], wanted);
            return true;
        }
    return false;
}

/* Somebody who waited for it is told in any case; whoever comes later, of a rejection only. */
static bool answers_for(const struct journal_transaction *item, const struct journal_rules *rules,
                        int64_t now)
{
    if (rules->is_again && item->ended_at >= rules->since)
        return true;
    return item->ended_with == SCA_REJECTED && now < item->ended_at + rules->cooldown_s;
}

bool ledger_match_ended(struct ledger *ledger, struct journal_transaction *wanted,
                        const struct journal_rules *rules, int64_t now)
{
    for (size_t i = ledger->count; i-- > 0;) {
        struct journal_transaction *item = &ledger->items[i];
        if (item->state == JOURNAL_ENDED && answers_for(item, rules, now) &&
            holds(item, wanted, true)) {
            take(item, wanted);
            return true;
        }
    }
    return false;
}

/* Once one signature of it was handed out, it is confirmed. */
static bool is_confirmed(const struct journal_transaction *item)
{
    for (size_t i = 0; i < item->document_count; i++)
        if (item->documents[i].is_collected)
            return true;
    return false;
}

static bool is_open(const struct journal_transaction *item, const struct journal_rules *rules,
                    int64_t now)
{
    int64_t age_s = now - item->begun_at;

    /* One of the future: a clock was set. */
    return is_live(item) && !item->is_parked && !is_confirmed(item) && age_s > -rules->open_s &&
           age_s < rules->open_s && journal_submitter_lives(item);
}

bool ledger_match_is_open(const struct journal_transaction *item,
                          const struct journal_transaction *wanted,
                          const struct journal_rules *rules, int64_t now)
{
    return is_same_identity(item, wanted) && is_open(item, rules, now);
}

bool ledger_match_must_wait(const struct ledger *ledger, const struct journal_transaction *wanted,
                            const struct journal_rules *rules, int64_t now)
{
    size_t prompts = 0;

    for (size_t i = 0; i < ledger->count; i++) {
        const struct journal_transaction *item = &ledger->items[i];
        if (!ledger_match_is_open(item, wanted, rules, now))
            continue;
        if (is_same_key(item, wanted))
            return true;
        prompts++;
    }
    return rules->prompts_max && prompts >= rules->prompts_max;
}

bool ledger_match_is_want(const struct journal_transaction *item,
                          const struct journal_transaction *wanted)
{
    return item->state == JOURNAL_WANTED && is_same_key(item, wanted) &&
           strcmp(item->confirm, wanted->confirm) == 0;
}

struct journal_transaction *ledger_match_own_want(const struct ledger *ledger,
                                                  const struct journal_transaction *wanted)
{
    for (size_t i = 0; i < ledger->count; i++) {
        struct journal_transaction *item = &ledger->items[i];
        if (ledger_match_is_want(item, wanted) && item->pid == wanted->pid &&
            item->pid_started == wanted->pid_started)
            return item;
    }
    return NULL;
}

bool ledger_match_is_same(const struct journal_transaction *one,
                          const struct journal_transaction *other)
{
    if (one->document_count != other->document_count)
        return false;
    for (size_t i = 0; i < one->document_count; i++)
        if (!is_same_digest(&one->documents[i], &other->documents[i]))
            return false;
    return true;
}

struct journal_transaction *ledger_match_number(struct ledger *ledger,
                                                const struct journal_transaction *key,
                                                uint64_t number, size_t *ret_index)
{
    for (size_t i = 0; i < ledger->count; i++) {
        struct journal_transaction *item = &ledger->items[i];
        if (!is_live(item) || !is_same_key(item, key))
            continue;
        for (size_t j = 0; j < item->document_count; j++) {
            const struct journal_document *document = &item->documents[j];
            struct span digest = span_of(document->digest, document->digest_len);
            if (document->is_collected || journal_number(item->id, digest) != number)
                continue;
            *ret_index = j;
            return item;
        }
    }
    return NULL;
}
