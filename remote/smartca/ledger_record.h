/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction as the JSON of its lines in the journal, both ways: what is written here is what is
 * read here, and ledger_is_writable (ledger.h) is defined beside it. Lines, checksums and what an
 * event does to the ledger are ledger.c's.
 */
#ifndef REMOTE_SMARTCA_LEDGER_RECORD_H
#define REMOTE_SMARTCA_LEDGER_RECORD_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "remote/base/status.h"
#include "remote/smartca/journal.h"

/* The object of a "begin" line. SCA_INVALID: something is missing, wrong or too long; SCA_NOMEM. */
enum sca_status ledger_record_read(const cJSON *json, struct journal_transaction *ret_transaction);

/* What a "submitted" line adds. False, and nothing changed, if it is missing or too long. */
bool ledger_record_read_code(const cJSON *json, struct journal_transaction *transaction);

/* What a "claimed" line changes. False, and nothing changed, if a part is missing. */
bool ledger_record_read_claim(const cJSON *json, struct journal_transaction *transaction);

/* The object of a "claimed" line; the caller cJSON_Delete()s it. NULL without memory. */
cJSON *ledger_record_new_claim(const struct journal_transaction *transaction);

/* What an "ended" line says. False, and nothing changed, if a part is missing or makes no sense. */
bool ledger_record_read_ended(const cJSON *json, struct journal_transaction *transaction);

/* The objects of a "collected" and of an "ended" line, as above. */
cJSON *ledger_record_new_collected(const struct journal_transaction *transaction);
cJSON *ledger_record_new_ended(const struct journal_transaction *transaction);

/* The object of a "begin" line, or of a "want" line; the caller cJSON_Delete()s it. NULL without
 * memory. */
cJSON *ledger_record_new(const struct journal_transaction *transaction);

#endif
