/* SPDX-License-Identifier: Apache-2.0 */
/* What runs of `smartca sign` that are gone had somebody asked for, and left without collecting. */
#ifndef REMOTE_CLI_SIGN_MEMORY_H
#define REMOTE_CLI_SIGN_MEMORY_H

#include "remote/cli/sign_note.h"
#include "remote/config/config.h"

/* The notes (sign_note.h) of such runs; this one holds them, so that no other takes them too. */
struct sign_recollection {
    char *path;
    int fd;
    struct sign_entries entries;
};

struct sign_memory {
    const char *state_dir;
    struct sign_recollection *items;
    size_t count;
    size_t room;
    struct ledger waiting; /* what can be joined */
};

/*
 * Takes over the notes that are about one of files, whose documents' digests are known. account:
 * whose slot signs; NULL: not known. A transaction of theirs that the journal does not have any
 * more, because its signatures were collected by a run that died before it wrote them, is asked
 * for at the service, and put into the journal again if it is signed. False, with the reason in
 * trouble, where that cannot be told: asking anew could ask somebody twice. The caller
 * sign_memory_end()s ret_memory, whatever is returned.
 */
bool sign_memory_read(const char *state_dir, const struct account_config *account,
                      const struct sign_files *files, struct sign_memory *ret_memory,
                      struct trouble *trouble);

/*
 * The next note of the document after *at (0 at first), of which a signature can still be had;
 * NULL: no further one. It may be of another certificate: its digest tells.
 */
const struct sign_entry *sign_memory_next(const struct sign_memory *memory, struct span document,
                                          size_t *at);

/* The file that the entry is about, NULL if it is not among these. */
const struct sign_file *sign_memory_file(const struct sign_files *files,
                                         const struct sign_entry *entry);

/* Removes the notes of which nothing is to be had any more, and lets go of the others. */
void sign_memory_end(struct sign_memory *memory, const struct sign_files *files);

#endif
