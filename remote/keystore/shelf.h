/* SPDX-License-Identifier: Apache-2.0 */
/* Where a token's files are, and reading them with their owner, mode and content checked. */
#ifndef REMOTE_KEYSTORE_SHELF_H
#define REMOTE_KEYSTORE_SHELF_H

#include "remote/base/status.h"
#include "remote/keystore/keystore.h"
#include "remote/keystore/pins.h"
#include "remote/keystore/tokenfile.h"

#define SHELF_DIR       "tokens"
#define SHELF_EXTENSION ".token"
enum { SHELF_FILE_SIZE = 48 };

/* The folder, and the names of one token's files in it. shelf_fini releases. */
struct shelf {
    char *dir;
    uint8_t token_id[WRAP_ID_SIZE];
    char token[SHELF_FILE_SIZE];
    char old[SHELF_FILE_SIZE];
    char pins[SHELF_FILE_SIZE];
    char lock[SHELF_FILE_SIZE];
    char login[SHELF_FILE_SIZE];
};

/* 32 lower-case hex digits? Nothing else gets into a path. */
bool shelf_is_name(const char *name);

/* Is file such a name and that extension, and nothing else? */
bool shelf_name_of(const char *file, const char *extension,
                   char ret_name[static KEYSTORE_NAME_SIZE]);

/* The folder in state_dir, malloced; NULL without memory. The name does not matter. */
char *shelf_dir(const struct keystore *keystore);

/*
 * Is the folder ours alone? SCA_NOT_FOUND if it is not there, SCA_IO if it cannot or must not be
 * read, with the reason in why, as with all below; they say SCA_INVALID of a file that is damaged.
 */
enum sca_status shelf_check_dir(const char *dir, const char **why);

/* Names only; SCA_INVALID for a name that is none. */
enum sca_status shelf_init(struct shelf *shelf, const struct keystore *keystore, const char **why);
void shelf_fini(struct shelf *shelf);

/* The head of the token file, checked; not the rest. SCA_NOT_FOUND if there is none. */
enum sca_status shelf_read_head(const struct shelf *shelf, struct tokenfile_head *ret_head,
                                const char **why);

/* The whole of it, checked. */
struct shelf_file {
    uint8_t *bytes;
    size_t len;
    struct tokenfile file; /* lends from bytes */
};

enum sca_status shelf_read(const struct shelf *shelf, struct shelf_file *ret_file,
                           const char **why);
void shelf_file_fini(struct shelf_file *file);

/* The counters that belong to this head. */
struct pins shelf_pins(const struct shelf *shelf, const struct tokenfile_head *head);

/* Puts why, if there is one, into the note of call; returns status. */
enum sca_status shelf_fail(const struct shelf *shelf, struct call *call, enum sca_status status,
                           const char *why);

#endif
