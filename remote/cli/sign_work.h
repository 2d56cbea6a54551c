/* SPDX-License-Identifier: Apache-2.0 */
/* Many signatures of one slot, in flight together where that costs a person one answer. */
#ifndef REMOTE_CLI_SIGN_WORK_H
#define REMOTE_CLI_SIGN_WORK_H

#include <time.h>

#include "remote/cli/sign_files.h"
#include "remote/cli/sign_note.h"
#include "remote/cli/sign_slot.h"

struct sign_work {
    const struct cli *cli;
    const struct sign_slot *slot;
    struct sign_files *files;
    const struct sign_note *note; /* NULL: nobody is asked for long */
    struct timespec since;
};

/* At most that many documents are in one transaction; and in flight together. */
enum { SIGN_TOGETHER_MAX = 1024 };

/* Signs what is SIGN_OPEN, until all is done, one failed (unless --keep-going), or Ctrl-C. */
void sign_work_run(struct sign_work *work);

/* Does somebody have to confirm on a phone? */
bool sign_work_has_phone(const struct sign_work *work);

/*
 * Asynchronous sessions of PKCS#11 3.2, one for each file. False, and nothing done, where the
 * module has none for this slot.
 */
bool sign_async_run(struct sign_work *work);

/* A thread with a session of its own for each signature in flight. */
void sign_threads_run(struct sign_work *work);

/* For both: a session; the operation begun in it; has it all to end? how far it is. */
CK_RV sign_work_open(const struct sign_work *work, CK_FLAGS flags, CK_SESSION_HANDLE *ret_session);
CK_RV sign_work_begin(const struct sign_work *work, CK_SESSION_HANDLE session);
void sign_work_settle(struct sign_file *file, CK_RV rv);
bool sign_work_is_over(const struct sign_work *work, bool has_failed);
void sign_work_show(const struct sign_work *work, size_t done);

#endif
