/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the journal that change nothing. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/smartca/journal_work.h"
#include "remote/smartca/ledger_match.h"

struct finding {
    const struct journal_transaction *key;
    uint64_t number;
    struct journal_transaction *ret_transaction;
    size_t *ret_index;
};

static enum sca_status find(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    const struct finding *finding = arg;

    (void)journal;
    enum sca_status st = journal_read_live(file, &ledger);
    if (st != SCA_OK)
        return st;
    struct journal_transaction *found =
        ledger_match_number(&ledger, finding->key, finding->number, finding->ret_index);
    if (!found)
        return SCA_NOT_FOUND;
    journal_transaction_move(found, finding->ret_transaction);
    return SCA_OK;
}

enum sca_status journal_find(struct journal *journal, struct call *call,
                             const struct journal_transaction *key, uint64_t number,
                             struct journal_transaction *ret_transaction, size_t *ret_index)
{
    struct finding finding = {
        .key = key, .number = number, .ret_transaction = ret_transaction, .ret_index = ret_index};

    enum sca_status st = journal_in_turn(journal, call, find, &finding);
    return st == SCA_OK || st == SCA_NOT_FOUND ? st : journal_explain(journal, call, st);
}

uint64_t journal_number(const char *id, struct span digest)
{
    uint8_t hash[EVP_MAX_MD_SIZE] = {0};
    uint64_t number = 0;
    AUTO(buf_fini) struct buf text;

    buf_init(&text, CODEC_ID_SIZE + JOURNAL_DIGEST_MAX, false);
    if (buf_append(&text, span_text(id)) == SCA_OK && buf_append(&text, digest) == SCA_OK &&
        EVP_Digest(text.ptr, text.len, hash, NULL, crypto_md(CRYPTO_SHA256), NULL) == 1)
        memcpy(&number, hash, sizeof(number));
    return number;
}

struct listing {
    struct ledger *ledger;
    int64_t now;
};

static enum sca_status list(const struct journal *journal, struct journal_file *file, void *arg)
{
    struct listing *listing = arg;

    (void)journal;
    enum sca_status st = journal_read_live(file, listing->ledger);
    if (st == SCA_OK)
        ledger_match_keep_live(listing->ledger, listing->now);
    return st;
}

enum sca_status journal_list(struct journal *journal, struct call *call, struct ledger *ledger)
{
    struct listing listing = {.ledger = ledger, .now = call->clock->wall_s(call->clock)};

    /* A question makes no file. */
    enum sca_status st = SCA_OK;
    if (access(journal->path, F_OK) == 0)
        st = journal_in_turn(journal, call, list, &listing);
    else if (errno != ENOENT && errno != ENOTDIR)
        st = errno == ENOMEM ? SCA_NOMEM : SCA_IO;
    return st == SCA_OK ? st : journal_explain(journal, call, st);
}
