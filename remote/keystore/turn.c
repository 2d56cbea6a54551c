/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/keystore/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"

enum { STEP_MS = 10 };

void turn_endp(int *turn)
{
    fd_unlock_closep(turn);
    *turn = -1;
}

static enum sca_status wait_for(int fd, const char *name, struct call *call, unsigned wait_ms)
{
    uint64_t until = call_now_ms(call) + wait_ms;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return call_fail(call, SCA_IO, "%s cannot be locked: %s", name, strerror(errno));
        enum sca_status st = call_now_ms(call) < until ? call_wait(call, STEP_MS) : SCA_UNCONFIRMED;
        if (st == SCA_UNCONFIRMED)
            return call_fail(call, SCA_IO, "other programs keep %s locked; try again", name);
        if (st != SCA_OK)
            return st;
    }
    return SCA_OK;
}

/* Somebody may have swept it away before it was locked (keystore_sweep). */
static bool is_swept(int turn)
{
    struct stat info;

    return fstat(turn, &info) == 0 && info.st_nlink == 0;
}

static enum sca_status take_once(const char *path, const char *name, struct call *call,
                                 unsigned wait_ms, int *ret_turn)
{
    int turn = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (turn < 0)
        return call_fail(call, SCA_IO, "%s cannot be opened for writing: %s", path,
                         strerror(errno));
    enum sca_status st = wait_for(turn, name, call, wait_ms);
    if (st == SCA_OK && is_swept(turn))
        st = SCA_GONE;
    if (st == SCA_OK)
        *ret_turn = turn;
    else
        (void)close(turn);
    return st;
}

enum sca_status turn_take(const char *dir, const char *name, struct call *call, unsigned wait_ms,
                          int *ret_turn)
{
    AUTO(freep) char *path = path_join(dir, name);
    enum sca_status st = path ? SCA_GONE : SCA_NOMEM;

    while (st == SCA_GONE)
        st = take_once(path, name, call, wait_ms, ret_turn);
    return st;
}
