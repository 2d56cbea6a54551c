/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the journal's file: nothing crashes, what is joined is whole, and a transaction that
 * is begun after them is found again, and gone through to its end. A line that begins with '+' gets
 * its checksum here, so that what is behind the checksum is reached too.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/file.h"
#include "remote/smartca/journal.h"
#include "remote/smartca/ledger.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/still.h"

static char path[300];
static struct journal *journal;

static void draft(struct journal_transaction *made, uint8_t seed)
{
    *made = (struct journal_transaction){.begun_at = STILL_S, .document_count = 1};
    /* The folder's name is random: no input has a transaction of this id. */
    (void)snprintf(made->id, sizeof(made->id), "%s-%u", strrchr(feed_folder(), '/') + 1, seed);
    (void)snprintf(made->url, sizeof(made->url), "https://service.test");
    (void)snprintf(made->user_id, sizeof(made->user_id), "012345678901");
    (void)snprintf(made->serial, sizeof(made->serial), "54010101");
    made->documents = calloc(1, sizeof(*made->documents));
    if (!made->documents)
        abort();
    memset(made->documents[0].digest, seed, 32);
    made->documents[0].digest_len = 32;
    (void)snprintf(made->documents[0].doc_id, sizeof(made->documents[0].doc_id), "doc");
}

static void check_whole(const struct journal_transaction *joined)
{
    require(joined->id[0]);
    require(joined->document_count >= 1 && joined->document_count <= JOURNAL_DOCUMENTS_MAX);
    for (size_t i = 0; i < joined->document_count; i++) {
        require(joined->documents[i].doc_id[0]);
        require(crypto_hash_of_len(joined->documents[i].digest_len) != CRYPTO_NO_HASH);
    }
}

static bool begin(struct call *call, uint8_t seed, enum sca_status *ret_status)
{
    struct journal_transaction one;
    bool is_joined = false;

    draft(&one, seed);
    *ret_status = journal_begin(journal, call, &one, &is_joined);
    if (*ret_status == SCA_OK)
        check_whole(&one);
    (void)journal_submitter_lives(&one);
    journal_transaction_fini(&one);
    return is_joined;
}

/* What is listed is whole, and found by its numbers. */
static void list(struct call *call)
{
    struct ledger ledger = {.count = 0};
    struct journal_transaction found = {.document_count = 0};
    size_t index = 0;

    require(journal_list(journal, call, &ledger) == SCA_OK);
    for (size_t i = 0; i < ledger.count; i++) {
        const struct journal_transaction *item = &ledger.items[i];
        check_whole(item);
        for (size_t k = 0; k < item->document_count; k++) {
            struct span digest = span_of(item->documents[k].digest, item->documents[k].digest_len);
            uint64_t number = journal_number(item->id, digest);
            enum sca_status st = journal_find(journal, call, item, number, &found, &index);
            require(st == SCA_OK || item->documents[k].is_collected);
            if (st != SCA_OK)
                continue;
            const struct journal_document *it = &found.documents[index];
            require(span_equal(span_of(it->digest, it->digest_len), digest));
            journal_transaction_fini(&found);
        }
    }
    ledger_fini(&ledger);
}

/* As C_Sign has it: it begins, joins what is there, waits for it, or hears how that ended. */
static void take_turn(struct call *call, uint8_t seed, struct journal_transaction *ret_taken)
{
    struct journal_rules rules = {.takes_turns = true,
                                  .is_again = seed % 2,
                                  .since = STILL_S - 10,
                                  .joins_partly = true,
                                  .documents_max = 8,
                                  .prompts_max = 2,
                                  .open_s = 240,
                                  .cooldown_s = 30};
    enum journal_turn turn = JOURNAL_BEGUN;

    draft(ret_taken, seed);
    require(journal_take_turn(journal, call, ret_taken, &rules, &turn) == SCA_OK);
    require(turn <= JOURNAL_OVER);
    check_whole(ret_taken);
    if (turn == JOURNAL_WAITS) {
        journal_want(journal, call, ret_taken);
        journal_unwant(journal, ret_taken);
    }
}

/* Whoever joined it brings it to its end, and nobody finds it live any more. */
static void finish(struct call *call, struct journal_transaction *taken)
{
    bool is_ours = false;

    enum sca_status st = journal_claim(journal, call, taken, 0, &is_ours);
    require(st == SCA_OK || st == SCA_GONE);
    journal_submitted(journal, taken);
    journal_signed(journal, taken->id);
    journal_park(journal, taken->id);
    list(call);
    taken->documents[0].is_collected = true;
    journal_collect(journal, taken);
    journal_end_with(journal, taken, SCA_REJECTED, &still, 30);
    list(call);
}

static void set_up(void)
{
    require(journal_new(feed_folder(), &journal) == SCA_OK);
    (void)snprintf(path, sizeof(path), "%s/journal/transactions", feed_folder());
}

static void put(int fd, struct span bytes)
{
    if (fd_write_all(fd, bytes) != SCA_OK)
        abort();
}

static void put_line(int fd, struct span line)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    char sum[17];

    if (line.len > 0 && line.ptr[0] == '+') {
        line = span_of(line.ptr + 1, line.len - 1);
        if (EVP_Digest(line.ptr, line.len, hash, NULL, crypto_md(CRYPTO_SHA256), NULL) != 1)
            abort();
        hex_encode(span_of(hash, 8), sum);
        put(fd, span_text(sum));
        put(fd, span_text(" "));
    }
    put(fd, line);
}

static void write_file(const uint8_t *data, size_t size)
{
    AUTO(fd_closep) int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) : size;
        put_line(fd, span_of(data, len));
        if (end)
            put(fd, span_text("\n"));
        size -= end ? len + 1 : len;
        data += end ? len + 1 : len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum sca_status st = SCA_OK;
    struct call call;
    struct journal_transaction taken;

    if (!journal)
        set_up();
    call_init(&call, &still, 1000);
    (void)begin(&call, 200, &st); /* makes the folder */
    require(st == SCA_OK);
    write_file(data, size);
    list(&call);
    take_turn(&call, 1, &taken);
    (void)begin(&call, 1, &st); /* the corpus has it under another id */
    require(st == SCA_OK);
    bool is_joined = begin(&call, 1, &st);
    require(st == SCA_OK && is_joined);
    finish(&call, &taken);
    journal_transaction_fini(&taken);
    journal_left(journal, "id-1"); /* the corpus's */
    journal_end(journal, "id-1");
    call_fini(&call);
    return 0;
}
