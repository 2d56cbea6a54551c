/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run of `smartca sign` has somebody asked for, on the disk: a CMS signature's attributes
 * hold the time of signing, so that only who knows that time can ask for the same signature again,
 * and be given the one that was confirmed (design.md section 5, promise 2).
 *
 * A note is a file state_dir/signing/RANDOM (0600) of one run, which holds it (live_file.h): a line
 * "file DOCUMENT DIGEST TIME" for each document, "end"; then lines of ledger.h for the transactions
 * that its documents were seen in, and "done DIGEST" for a document that a later run is done with.
 * DOCUMENT and DIGEST are hex, of the file and of the attributes.
 */
#ifndef REMOTE_CLI_SIGN_NOTE_H
#define REMOTE_CLI_SIGN_NOTE_H

#include "remote/cli/sign_files.h"
#include "remote/smartca/ledger.h"

#define SIGN_NOTE_FOLDER "signing"

enum { SIGN_NOTE_MAX = 64 << 20 };

struct sign_entry {
    uint8_t document[EVP_MAX_MD_SIZE];
    size_t document_len;
    uint8_t digest[SIGN_DIGEST_LEN];
    int64_t signing_time;
    bool is_over; /* done with: its signature is written, or there is none to be had */
};

/* What a note says. */
struct sign_entries {
    struct sign_entry *items;
    size_t count;
    struct ledger asked; /* transactions */
};

/* SCA_INVALID: it never was finished, or is none. text is changed on the way. The caller
 * sign_entries_fini()s ret_entries on SCA_OK. */
enum sca_status sign_entries_read(struct buf *text, struct sign_entries *ret_entries);
void sign_entries_fini(struct sign_entries *entries);

/* The line that says of an entry that it is over. */
enum sca_status sign_entry_write_over(const struct sign_entry *entry, struct buf *lines);

/* This run's. */
struct sign_note {
    const char *state_dir;
    char *path; /* NULL: there is none */
    int fd;
};

/* On the disk when this returns: before that nobody may be asked. state_dir is borrowed. */
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
