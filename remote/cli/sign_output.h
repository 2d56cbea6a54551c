/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures on their way to the disk: room first, names last. */
#ifndef REMOTE_CLI_SIGN_OUTPUT_H
#define REMOTE_CLI_SIGN_OUTPUT_H

#include "remote/cli/sign_files.h"

/* Is there no such file yet (or may it be replaced), and a folder for it? */
bool sign_output_check(const struct sign_file *file, bool is_forced, struct trouble *trouble);

/* Fills in its place; the folder is there. */
bool sign_output_locate(struct sign_file *file, struct trouble *trouble);

/*
 * Makes a file for the signature, with room for size bytes: one without a name, of which nothing
 * is left if this program is killed, or, where the file system has no such thing, a temporary one.
 */
bool sign_output_reserve(struct sign_file *file, size_t size, struct trouble *trouble);

/* The same for all of them; removes what killed runs left in their folders. */
bool sign_output_reserve_all(struct sign_files *files, size_t size, struct trouble *trouble);

/* Fills it, on the disk when this returns. */
bool sign_output_write(struct sign_file *file, struct span bytes, struct trouble *trouble);

/*
 * Gives every file that is SIGN_DONE its name: all, or, where one cannot have it, none; what was
 * replaced until then stays replaced.
 */
bool sign_output_place(struct sign_files *files, struct trouble *trouble);

/* Gives up what was reserved. */
void sign_output_discard(struct sign_file *file);

#endif
