/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of the notes (sign_entries.h), which is one user's alone. A note is named by 16 hex
 * digits. Its run holds it exclusively as long as it lives; to read it needs no lock, to add to
 * what a dead run left, or to remove that, an exclusive one.
 */
#ifndef REMOTE_CLI_SIGN_FOLDER_H
#define REMOTE_CLI_SIGN_FOLDER_H

#include "remote/cli/sign_entries.h"

enum { SIGN_NOTE_NAME_SIZE = 17 };

/*
 * False, with the reason in trouble, where it is not this user's alone. makes_it: it is there
 * afterwards; otherwise *ret_fd is -1 if it is not. The caller closes ret_fd.
 */
bool sign_folder_open(const char *state_dir, bool makes_it, int *ret_fd, struct trouble *trouble);

/* For reading and adding; -1 with errno: there is none, or it is not this user's alone (EACCES).
 * The caller closes it. */
int sign_folder_open_note(int folder, const char *name);

/* The whole of a note that was just opened. SCA_INVALID: it never was finished, or is none. The
 * caller sign_entries_fini()s ret_entries on SCA_OK. */
enum sca_status sign_folder_read_note(int fd, struct sign_entries *ret_entries);

/* Is told of a note; may take what is in entries. is_held: most likely its run lives. */
typedef enum sca_status sign_folder_visitor(const char *name, struct sign_entries *entries,
                                            bool is_held, void *arg);

/*
 * Shows all notes, until the visitor returns something else than SCA_OK, which is returned then.
 * Removes those that are too old, or never were finished (nobody was asked), if their runs are
 * gone. SCA_NOMEM or SCA_IO where not all could be looked at: nobody knows what was asked for.
 */
enum sca_status sign_folder_each(int folder, sign_folder_visitor *visit, void *arg);

/* Says why notes could not be shown; returns false. */
bool sign_folder_fail(enum sca_status status, struct trouble *trouble);

/* False, with the reason in trouble: a run that lives is about to write one of these outputs. */
bool sign_folder_is_free(int folder, const struct sign_files *files, struct trouble *trouble);

#endif
