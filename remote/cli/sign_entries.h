/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A note is a file state_dir/signing/RANDOM (0600) of one run, which holds it (live_file.h): a line
 * "file DOCUMENT DIGEST TIME PLACE" for each document, "end"; then lines of ledger.h for the
 * transactions that its documents were seen in, and "done DIGEST" for a document that a later run
 * is done with, one for each of several that are the same. DOCUMENT, DIGEST and PLACE are hex, of
 * the file, of the attributes and of where the signature goes.
 */
#ifndef REMOTE_CLI_SIGN_ENTRIES_H
#define REMOTE_CLI_SIGN_ENTRIES_H

#include "remote/cli/sign_files.h"
#include "remote/smartca/ledger.h"

#define SIGN_NOTE_FOLDER "signing"

enum { SIGN_NOTE_MAX = 64 << 20 };

struct sign_entry {
    uint8_t document[EVP_MAX_MD_SIZE];
    size_t document_len;
    uint8_t digest[SIGN_DIGEST_LEN];
    int64_t signing_time;
    uint8_t place[SIGN_DIGEST_LEN];
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

/* The lines of files, "end" with them. */
enum sca_status sign_entries_write(const struct sign_files *files, struct buf *lines);

#endif
