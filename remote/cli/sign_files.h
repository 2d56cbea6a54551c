/* SPDX-License-Identifier: Apache-2.0 */
/* The files that `smartca sign` is given, and what becomes of each. */
#ifndef REMOTE_CLI_SIGN_FILES_H
#define REMOTE_CLI_SIGN_FILES_H

#include <sys/types.h>

#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>

#include "remote/cli/cms_build.h"
#include "remote/cli/trouble.h"
#include "remote/smartca/confirm.h"

enum { SIGN_VALUE_MAX = 1024, SIGN_DIGEST_LEN = 32 };

enum sign_state {
    SIGN_OPEN,    /* nobody tried */
    SIGN_WAITING, /* asynchronous: the module has it */
    SIGN_DONE,    /* value is there */
    SIGN_FAILED,  /* rv says why */
    SIGN_FALSE,   /* signed, but what came is no signature of this file; trouble says why */
};

struct sign_file {
    const char *path;               /* of the command line */
    char *output;                   /* where the signature goes */
    uint8_t place[SIGN_DIGEST_LEN]; /* SHA-256 of that path, whatever names it goes by */
    bool is_reserved;               /* fd is open for the signature, and locked (live_file.h) */
    int fd;
    char *temporary; /* its name beside output; NULL: it has none, or its own by now */
    bool is_placed;  /* output is there, and was not before */
    bool is_written; /* output is there */
    dev_t device;
    ino_t inode;
    uint8_t document[EVP_MAX_MD_SIZE]; /* the file's digest */
    size_t document_len;
    int64_t signing_time;
    struct cms_draft *draft;
    uint8_t digest[SIGN_DIGEST_LEN]; /* SHA-256 of the attributes: what a service is sent */
    struct buf input;                /* of C_Sign */
    bool is_noted;                   /* its transaction is in the run's note */
    char code[CONFIRM_CODE_SIZE];
    enum sign_state state;
    CK_RV rv;
    CK_BYTE value[SIGN_VALUE_MAX];
    CK_ULONG value_len;
};

struct sign_files {
    struct sign_file *items;
    size_t count;
    bool is_forced; /* replaces what is there */
};

/*
 * The operands, looked at: regular files that can be read, none twice, a free name for each
 * signature in a folder that is there. The caller sign_files_fini()s ret_files, whatever is
 * returned; that also removes what is temporary.
 */
bool sign_files_collect(const struct cli *cli, struct sign_files *ret_files,
                        struct trouble *trouble);
void sign_files_fini(struct sign_files *files);

/* The digest of a file, in constant memory. False too after Ctrl-C. */
bool sign_file_digest(const struct sign_file *file, const EVP_MD *md,
                      uint8_t out[static EVP_MAX_MD_SIZE], struct trouble *trouble);

/* The file that was collected; the caller closes ret_fd. */
bool sign_file_open(const struct sign_file *file, int *ret_fd, struct trouble *trouble);

#endif
