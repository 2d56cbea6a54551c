/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/book.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/cryptoki.h"
#include "remote/base/bytes.h"
#include "remote/base/cleanup.h"
#include "tests/soak/signer.h"
#include "tests/soak/worker.h"

enum { LOST_ALWAYS = 2, LOST_PART = 50 }; /* so many, and one of so many */

void book_break(struct book *book, const char *format, ...)
{
    va_list args;
    if (book->broken[0])
        return;
    va_start(args, format);
    (void)vsnprintf(book->broken, sizeof(book->broken), format, args);
    va_end(args);
}

static void count(struct tally *tallies, size_t room, const char *name)
{
    size_t i = 0;
    while (i < room - 1 && tallies[i].count && strcmp(tallies[i].name, name) != 0)
        i++;
    (void)snprintf(tallies[i].name, sizeof(tallies[i].name), "%s", name);
    tallies[i].count++;
}

static void count_answer(struct book *book, CK_RV rv)
{
    static const struct {
        CK_RV rv;
        const char *name;
    } names[] = {{CKR_OK, "CKR_OK"},
                 {CKR_FUNCTION_REJECTED, "CKR_FUNCTION_REJECTED"},
                 {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED"},
                 {CKR_FUNCTION_CANCELED, "CKR_FUNCTION_CANCELED"},
                 {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"},
                 {RV_KILLED, "killed"}};
    char other[24];
    (void)snprintf(other, sizeof(other), "0x%lx", rv);
    const char *name = other;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].rv == rv)
            name = names[i].name;
    count(book->answers, ANSWERS_MAX, name);
}

static void book_document(struct book *book, const struct post *post, uint64_t now_ms)
{
    char digest[2 * DIGEST_LEN + 1];
    hex_encode(span_of(post->digest, DIGEST_LEN), digest);
    struct story *story =
        post->kind == POST_ASKED ? story_make(book->rows, digest) : story_find(book->rows, digest);
    if (!story) {
        book_break(book, "document %.8s was ended twice, or memory is short", digest);
        return;
    }
    if (post->kind == POST_ANSWERED) {
        count_answer(book, post->rv);
        book->slowest_ms = post->took_ms > book->slowest_ms ? post->took_ms : book->slowest_ms;
        story->kills += post->rv == RV_KILLED;
        book->kills += post->rv == RV_KILLED;
    }
    if (post->kind == POST_SIGNED || post->kind == POST_GIVEN_UP) {
        story->end = post->kind == POST_SIGNED ? STORY_SIGNED : STORY_GIVEN_UP;
        story->ended_ms = now_ms;
        book->signatures += post->kind == POST_SIGNED;
        book->given_up += post->kind == POST_GIVEN_UP;
    }
}

void book_post(struct book *book, const struct post *post, uint64_t now_ms)
{
    switch (post->kind) {
    case POST_LOCAL:
        book->local_signatures++;
        break;
    case POST_TOOL_BEGUN:
        book->tool_runs++;
        break;
    case POST_TOOL_ENDED:
        book->tool_good += post->rv == 0;
        break;
    case POST_BROKEN:
        book_break(book, "signer %u: %s", post->desk, post->text);
        break;
    case POST_ASKED:
    case POST_ANSWERED:
    case POST_SIGNED:
    case POST_GIVEN_UP:
        book_document(book, post, now_ms);
        break;
    }
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(number) ? number->valuedouble : 0;
}

/* Does a request that met it leave its client with a definite, false answer? */
static bool is_falsifying(const char *fault)
{
    static const char *const names[] = {
        "wrong_id",          "swap",        "swap_one",  "other_hash",      "other_key", "replay",
        "missing_signature", "missing_one", "duplicate", "unknown_document"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], fault) == 0)
            return true;
    return false;
}

void book_requests(struct book *book, const cJSON *requests)
{
    const cJSON *request = NULL;
    cJSON_ArrayForEach(request, requests)
    {
        const char *fault = text_of(request, "fault");
        book->known_requests = (unsigned long)number_of(request, "n");
        book->requests++;
        if (!*fault)
            continue;
        count(book->faults, FAULT_KINDS_MAX, fault);
        if (is_falsifying(fault) &&
            !falsified_add(&book->falsified, text_of(request, "transaction_id"),
                           (uint64_t)number_of(request, "at_ms")))
            book_break(book, "memory is short");
    }
}

/* Whether nobody waits for that transaction any more, at the time the next one came. */
static bool is_over(const struct book *book, const struct entry *entry, uint64_t at_ms)
{
    if (entry->state == ENTRY_WAITING)
        return false;
    return entry->is_lost || entry->state != ENTRY_SIGNED ||
           falsified_before(book->falsified, entry, at_ms);
}

/*
 * Between the moment when the journal lets go of a signature and the one when its caller has it lie
 * some milliseconds: a process that is killed just then takes it along. That happens, and rarely.
 */
static bool is_lost(struct book *book, struct story *story, struct entry *entry)
{
    if (entry->state != ENTRY_SIGNED || story->kills == 0)
        return false;
    entry->is_lost = true;
    story->kills--;
    book->lost++;
    if (book->lost > LOST_ALWAYS + book->kills / LOST_PART)
        book_break(book, "of %u processes that were killed, %u had just got their signature",
                   book->kills, book->lost);
    return true;
}

static void add_entry(struct book *book, struct story *story, const struct entry *entry)
{
    for (size_t i = 0; i < story->entry_count; i++)
        if (!is_over(book, &story->entries[i], entry->created_ms) &&
            !is_lost(book, story, &story->entries[i]))
            book_break(book,
                       "document %.8s was asked of the person again, in transaction %s, while "
                       "transaction %s was %s",
                       story->digest, entry->id, story->entries[i].id,
                       entry_state_name(story->entries[i].state));
    if (story->entry_count == ENTRIES_MAX)
        book_break(book, "document %.8s was in more than %d transactions", story->digest,
                   ENTRIES_MAX);
    else
        story->entries[story->entry_count++] = *entry;
    book->pushes++;
}

static void book_entry(struct book *book, const char *digest, const struct entry *entry)
{
    struct story *story = story_find(book->rows, digest);
    struct entry *known = story ? story_entry(story, entry->id) : NULL;
    if (!story)
        book_break(book, "document %.8s, in transaction %s, was asked of the person for nobody",
                   digest, entry->id);
    else if (!known)
        add_entry(book, story, entry);
    else
        known->state = entry->state;
}

static struct entry entry_of(const cJSON *transaction)
{
    struct entry entry = {.state = entry_state_of(text_of(transaction, "state")),
                          .created_ms = (uint64_t)number_of(transaction, "created_ms")};
    (void)snprintf(entry.id, sizeof(entry.id), "%s", text_of(transaction, "transaction_id"));
    (void)snprintf(entry.tran_code, sizeof(entry.tran_code), "%s",
                   text_of(transaction, "tran_code"));
    return entry;
}

static void book_transaction(struct book *book, const cJSON *transaction, bool is_new)
{
    struct entry entry = entry_of(transaction);
    const cJSON *digests = cJSON_GetObjectItemCaseSensitive(transaction, "digests");
    const cJSON *digest = NULL;
    if (number_of(transaction, "pushes") != 1)
        book_break(book, "transaction %s was pushed %d times", entry.id,
                   (int)number_of(transaction, "pushes"));
    if (strcmp(text_of(transaction, "user_id"), TOOL_USER) == 0) {
        book->tool_pushes += is_new;
        if (book->tool_pushes > book->tool_runs)
            book_break(book, "%u runs of smartca sign made %u transactions", book->tool_runs,
                       book->tool_pushes);
        return;
    }
    cJSON_ArrayForEach(digest, digests) book_entry(book, cJSON_GetStringValue(digest), &entry);
}

void book_transactions(struct book *book, const cJSON *transactions)
{
    unsigned first = book->known_transactions;
    unsigned number = first;
    bool is_settled = true;
    const cJSON *transaction = NULL;
    cJSON_ArrayForEach(transaction, transactions)
    {
        book_transaction(book, transaction, number++ >= book->seen_transactions);
        is_settled = is_settled && strcmp(text_of(transaction, "state"), "waiting") != 0;
        book->known_transactions += is_settled;
    }
    if (number > book->seen_transactions)
        book->seen_transactions = number;
}

/* R-E7: what was pushed for it is its signature, and otherwise definite failures. */
static void judge(struct book *book, const struct story *story)
{
    bool was_rejected = false;
    for (size_t i = 0; i < story->entry_count; i++) {
        const struct entry *entry = &story->entries[i];
        bool is_last = i + 1 == story->entry_count;
        was_rejected = was_rejected || entry->state == ENTRY_REJECTED;
        book->refused_pushes += entry->state != ENTRY_SIGNED;
        if (story->end == STORY_SIGNED && is_last && entry->state == ENTRY_SIGNED)
            continue;
        book->falsified_pushes += entry->state == ENTRY_SIGNED && !entry->is_lost;
        if (!is_over(book, entry, UINT64_MAX))
            book_break(book, "document %.8s: transaction %s was %s, and nobody got its signature",
                       story->digest, entry->id, entry_state_name(entry->state));
    }
    if (story->end == STORY_GIVEN_UP && !was_rejected)
        book_break(book, "document %.8s: CKR_FUNCTION_REJECTED, but nobody rejected it",
                   story->digest);
    if (story->end == STORY_SIGNED &&
        (story->entry_count == 0 || story->entries[story->entry_count - 1].state != ENTRY_SIGNED))
        book_break(book, "document %.8s: CKR_OK, but nobody confirmed it", story->digest);
    if (story->end == STORY_OPEN)
        book_break(book, "document %.8s has no end", story->digest);
}

void book_forget(struct book *book, uint64_t over_before_ms)
{
    for (size_t row = 0; row < ARRAY_LEN(book->rows); row++) {
        struct story **link = &book->rows[row];
        while (*link) {
            struct story *story = *link;
            if (story->end == STORY_OPEN || story->ended_ms >= over_before_ms) {
                link = &story->next;
                continue;
            }
            judge(book, story);
            *link = story->next;
            free(story);
        }
    }
}

void book_close(struct book *book)
{
    book_forget(book, UINT64_MAX);
    for (size_t row = 0; row < ARRAY_LEN(book->rows); row++) {
        while (book->rows[row]) {
            struct story *story = book->rows[row];
            judge(book, story);
            book->rows[row] = story->next;
            free(story);
        }
    }
    falsified_free(book->falsified);
    book->falsified = NULL;
    unsigned accounted =
        book->signatures + book->refused_pushes + book->falsified_pushes + book->lost;
    if (book->pushes != accounted)
        book_break(book, "%u documents were pushed, and %u are accounted for", book->pushes,
                   accounted);
}
