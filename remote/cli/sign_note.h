/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run of `smartca sign` has somebody asked for, on the disk: a CMS signature's attributes
 * hold the time of signing, so that only who knows that time can ask for the same signature again,
 * and be given the one that was confirmed.
 */
#ifndef REMOTE_CLI_SIGN_NOTE_H
#define REMOTE_CLI_SIGN_NOTE_H

#include "remote/cli/sign_entries.h"

/* This run's. */
struct sign_note {
    const char *state_dir;
    char *path; /* NULL: there is none, and nothing open */
    int folder;
    int fd;
};

/* On the disk when this returns: before that nobody may be asked. False too when a run that lives
 * has the same outputs. state_dir is borrowed. */
bool sign_note_write(const char *state_dir, const struct sign_files *files,
                     struct sign_note *ret_note, struct trouble *trouble);

/*
 * Adds the transactions that files are in by now, if one that waits is in none yet: what was
 * collected is not in the journal any more, and can be asked for by its transaction's id only.
 * Best effort. note NULL: does nothing.
 */
void sign_note_learn(const struct sign_note *note, struct sign_files *files);

/* Removes it, unless a signature may still be had for what it says, and lets go of it. */
void sign_note_end(struct sign_note *note, const struct sign_files *files);

/* What waits by the journal; false, and nothing, where it cannot be read. The caller
 * ledger_fini()s ret_waiting in both cases. */
bool sign_note_waiting(const char *state_dir, struct ledger *ret_waiting);

/* The document of one of the transactions that has this digest and is not collected; or NULL. */
struct journal_document *sign_note_find(const struct ledger *ledger,
                                        const uint8_t digest[static SIGN_DIGEST_LEN]);

#endif
