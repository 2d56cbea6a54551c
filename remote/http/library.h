/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl as a whole: started once in the process, and never ended. */
#ifndef REMOTE_HTTP_LIBRARY_H
#define REMOTE_HTTP_LIBRARY_H

#include "remote/base/call.h"

/*
 * Starts libcurl, once in the process and for good: what it leaves behind at its end the host may
 * be using. With a note: SCA_UNSUPPORTED when it lacks what a guest needs, SCA_NETWORK when the
 * process is ending.
 */
enum sca_status library_start(struct call *call);

/* In a forked child. */
void library_abandon(void);

#endif
