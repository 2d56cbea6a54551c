/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/smartca/progress.h"

#include <stdlib.h>
#include <string.h>

struct progress *progress_new(struct journal_transaction *record)
{
    struct progress *progress = calloc(1, sizeof(*progress));

    if (!progress)
        return NULL;
    progress->owners = 1;
    journal_transaction_move(record, &progress->record);
    return progress;
}

struct progress *progress_share(struct progress *progress)
{
    if (progress)
        progress->owners++;
    return progress;
}

void progress_drop(struct progress *progress)
{
    if (!progress || --progress->owners > 0)
        return;
    journal_transaction_fini(&progress->record);
    free(progress);
}

enum sca_status progress_copy(const struct progress *progress,
                              struct journal_transaction *ret_record)
{
    size_t count = progress->record.document_count;
    struct journal_document *documents = calloc(count + 1, sizeof(*documents));

    if (!documents)
        return SCA_NOMEM;
    if (count > 0)
        memcpy(documents, progress->record.documents, count * sizeof(*documents));
    *ret_record = progress->record;
    ret_record->documents = documents;
    return SCA_OK;
}
