/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/journal_revive.h"

#include "remote/base/cleanup.h"
#include "remote/smartca/journal_work.h"

static enum sca_status revive(const struct journal *journal, struct journal_file *file, void *arg)
{
    AUTO(ledger_fini) struct ledger ledger = {0};
    AUTO(buf_fini) struct buf lines;
    struct journal_transaction revived = *(const struct journal_transaction *)arg;

    buf_init(&lines, LEDGER_SIZE_MAX, false);
    revived.state = JOURNAL_SUBMITTED;
    revived.is_parked = true;
    revived.pid = 0;
    enum sca_status st = journal_read_live(file, &ledger);
    if (st == SCA_OK && ledger_find(&ledger, revived.id))
        st = ledger_write_event("end", revived.id, NULL, &lines);
    if (st == SCA_OK)
        st = ledger_write_transaction(&revived, &lines);
    return st == SCA_OK ? journal_store(journal, file, &ledger, buf_span(&lines)) : st;
}

enum sca_status journal_revive(struct journal *journal, struct call *call,
                               const struct journal_transaction *transaction)
{
    struct journal_transaction copy = *transaction;

    if (!ledger_is_writable(transaction))
        return SCA_INVALID;
    enum sca_status st = journal_in_turn(journal, call, revive, &copy);
    return st == SCA_OK ? st : journal_explain(journal, call, st);
}
