/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/http/library.h"

#include "remote/base/lock.h"
#include "remote/http/engine.h"
#include "remote/http/guest.h"

#include <stdatomic.h>

#include <openssl/crypto.h>

static struct lock library_lock = LOCK_INITIALIZER(LOCK_LEAF);
static atomic_bool is_started;

static enum sca_status library_start_locked(struct call *call) REQUIRES(library_lock)
{
    if (atomic_load(&is_started))
        return SCA_OK;
    enum sca_status st = engine_global_init(call);
    if (st == SCA_OK)
        atomic_store(&is_started, true);
    return st;
}

enum sca_status library_start(struct call *call)
{
    if (guest_is_too_late())
        return call_fail(call, SCA_NETWORK, "the process is ending: nothing is sent any more");
    if (atomic_load(&is_started))
        return SCA_OK;

    /* The host's OpenSSL configuration is loaded first and outside the lock, as the host's own
     * first use would do it: a provider it names may call us. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    lock_take(&library_lock);
    enum sca_status st = library_start_locked(call);
    lock_drop(&library_lock);
    return st;
}

void library_abandon(void)
{
    lock_init(&library_lock, LOCK_LEAF);
}
