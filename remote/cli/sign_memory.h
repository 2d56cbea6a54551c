/* SPDX-License-Identifier: Apache-2.0 */
/* What runs of `smartca sign` that are gone had somebody asked for, and left without collecting. */
#ifndef REMOTE_CLI_SIGN_MEMORY_H
#define REMOTE_CLI_SIGN_MEMORY_H

#include "remote/cli/sign_folder.h"
#include "remote/cli/sign_note.h"
#include "remote/config/config.h"

/* A note as it was when it was read. Others may read it too: the journal gives a signature out
 * once. */
struct sign_recollection {
    char name[SIGN_NOTE_NAME_SIZE];
    struct sign_entries entries;
};

struct sign_memory {
    const char *state_dir;
    int folder; /* of the notes; -1: there is none */
    struct sign_recollection *items;
    size_t count;
    size_t room;
    struct ledger waiting; /* what can be joined */
};

/*
 * Reads the notes that are about one of files, whose documents' digests are known; those of runs
 * that live, too. account: whose slot signs; NULL: not known. A transaction of theirs that the
 * journal does not have any more, because its signatures were collected by a run that died before
 * it wrote them, is asked for at the service, and put into the journal again if it is signed or
 * waits. False, with the reason in trouble, where that or the journal cannot be told: asking anew
 * could ask somebody twice; also where a run that lives is about to write one of the same outputs.
 * The caller sign_memory_end()s ret_memory, whatever is returned.
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

/* Removes the notes of which nothing is to be had any more, unless their runs live, and says in the
 * others what is done with. */
void sign_memory_end(struct sign_memory *memory, const struct sign_files *files);

#endif
