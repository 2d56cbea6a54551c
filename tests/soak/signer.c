/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/signer.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "tests/soak/sanitizer.h"

enum { CANCEL_WITHIN_MS = 1500, SLICE_MS = 20, CANCEL_MS = 1000 };

static const char sign_name[] = "C_Sign";

struct ask {
    struct signer *signer;
    const struct document *document;
    uint8_t *signature;
};

void signer_rest(unsigned ms)
{
    const struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

static CK_BYTE *bytes_of(const struct document *document)
{
    return (CK_BYTE *)(uintptr_t)document->text; /* PKCS#11 knows no const */
}

static CK_RV begin(const struct signer *signer, CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    return signer->world->p11->C_SignInit(session, &mechanism, signer->key);
}

static CK_RV check_len(const struct signer *signer, CK_RV rv, CK_ULONG len)
{
    if (rv == CKR_OK && len != SIGNATURE_LEN)
        post_broken(signer->number, "C_Sign returned %lu bytes", len);
    return rv;
}

static CK_RV ask_plain(const struct ask *ask)
{
    struct signer *signer = ask->signer;
    CK_ULONG len = SIGNATURE_LEN;
    CK_RV rv = begin(signer, signer->session);
    if (rv == CKR_OK)
        rv = signer->world->p11->C_Sign(signer->session, bytes_of(ask->document),
                                        ask->document->len, ask->signature, &len);
    return check_len(signer, rv, len);
}

static CK_RV ask_in_parts(const struct ask *ask)
{
    struct signer *signer = ask->signer;
    const CK_FUNCTION_LIST *p11 = signer->world->p11;
    CK_ULONG len = SIGNATURE_LEN;
    size_t half = ask->document->len / 2;
    CK_BYTE *bytes = bytes_of(ask->document);
    CK_RV rv = begin(signer, signer->session);
    if (rv == CKR_OK)
        rv = p11->C_SignUpdate(signer->session, bytes, half);
    if (rv == CKR_OK)
        rv = p11->C_SignUpdate(signer->session, bytes + half, ask->document->len - half);
    if (rv == CKR_OK)
        rv = p11->C_SignFinal(signer->session, ask->signature, &len);
    return check_len(signer, rv, len);
}

static CK_RV ask_and_be_cancelled(const struct ask *ask)
{
    struct signer *signer = ask->signer;
    (void)pthread_mutex_lock(&signer->lock);
    signer->was_cancelled = false;
    signer->cancel_at_ms = world_now_ms() + dice_below(&signer->dice, CANCEL_WITHIN_MS);
    (void)pthread_mutex_unlock(&signer->lock);

    CK_RV rv = ask_plain(ask);

    (void)pthread_mutex_lock(&signer->lock);
    signer->cancel_at_ms = 0;
    bool was_cancelled = signer->was_cancelled;
    (void)pthread_mutex_unlock(&signer->lock);
    if (was_cancelled && rv == CKR_OPERATION_NOT_INITIALIZED)
        return CKR_FUNCTION_CANCELED; /* it came between C_SignInit and C_Sign */
    if (!was_cancelled && rv == CKR_FUNCTION_CANCELED)
        post_broken(signer->number, "C_Sign was cancelled by nobody");
    return rv;
}

void signer_cancel_if_due(struct signer *signer)
{
    (void)pthread_mutex_lock(&signer->lock);
    uint64_t now = world_now_ms();
    if (signer->cancel_at_ms && now >= signer->cancel_at_ms) {
        CK_RV rv = signer->world->p11_3->C_SessionCancel(signer->session, CKF_SIGN);
        if (rv != CKR_OK)
            post_broken(signer->number, "C_SessionCancel returned 0x%lx", rv);
        uint64_t took = world_now_ms() - now;
        if (took > CANCEL_MS)
            post_broken(signer->number, "C_SessionCancel took %llu ms", (unsigned long long)took);
        signer->cancel_at_ms = 0;
        signer->was_cancelled = true;
    }
    (void)pthread_mutex_unlock(&signer->lock);
}

/* Looks until it is something else than pending, or until_ms (0: for ever) has come. */
static CK_RV complete(const struct ask *ask, CK_SESSION_HANDLE session, uint64_t until_ms)
{
    struct signer *signer = ask->signer;
    CK_UTF8CHAR function[] = "C_Sign";
    CK_ASYNC_DATA data = {.ulVersion = 0};
    uint64_t late_ms = world_now_ms() + CONFIRM_MS + LATE_MS + REQUEST_MS;
    CK_RV rv = CKR_PENDING;
    while (rv == CKR_PENDING) {
        uint64_t now = world_now_ms();
        if (until_ms && now >= until_ms)
            return CKR_FUNCTION_CANCELED;
        if (now > late_ms)
            post_broken(signer->number, "an asynchronous signature is pending after its deadline");
        desk_begin(signer->desk, "C_AsyncComplete", 2 * REQUEST_MS + LATE_MS);
        rv = signer->world->p11_32->C_AsyncComplete(session, function, &data);
        desk_end(signer->desk);
        signer_rest(SLICE_MS);
    }
    return check_len(signer, rv, data.ulValue);
}

static CK_RV ask_without_waiting(const struct ask *ask, uint64_t until_ms)
{
    struct signer *signer = ask->signer;
    const CK_FUNCTION_LIST *p11 = signer->world->p11;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_ULONG len = SIGNATURE_LEN;
    CK_RV rv = p11->C_OpenSession(signer->slot, CKF_SERIAL_SESSION | CKF_ASYNC_SESSION, NULL, NULL,
                                  &session);
    if (rv != CKR_OK)
        return rv;
    rv = begin(signer, session);
    if (rv == CKR_OK)
        rv =
            p11->C_Sign(session, bytes_of(ask->document), ask->document->len, ask->signature, &len);
    if (rv == CKR_PENDING)
        rv = complete(ask, session, until_ms);
    if (rv == CKR_FUNCTION_CANCELED)
        (void)signer->world->p11_3->C_SessionCancel(session, CKF_SIGN); /* closing ends it, too */
    CK_RV closed = p11->C_CloseSession(session);
    if (closed != CKR_OK)
        post_broken(signer->number, "C_CloseSession returned 0x%lx", closed);
    return rv;
}

static CK_RV ask_async(const struct ask *ask)
{
    return ask_without_waiting(ask, 0);
}

static CK_RV ask_async_and_cancel(const struct ask *ask)
{
    return ask_without_waiting(ask,
                               world_now_ms() + dice_below(&ask->signer->dice, CANCEL_WITHIN_MS));
}

/* In the child: what another program does. Its answer is left on the desk. */
static void sign_as_child(struct signer *signer, const struct document *document)
{
    const CK_FUNCTION_LIST *p11 = signer->world->p11;
    struct ask ask = {signer, document, signer->desk->signature};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing is left of a soak that was stopped */
    CK_RV rv = p11->C_Initialize(NULL);
    if (rv == CKR_OK)
        rv = p11->C_OpenSession(signer->slot, CKF_SERIAL_SESSION, NULL, NULL, &signer->session);
    if (rv == CKR_OK)
        rv = ask_plain(&ask);
    signer->desk->rv = rv;
    atomic_store(&signer->desk->is_answered, true);
    if (dice_percent(&signer->dice, 50))
        (void)p11->C_Finalize(NULL); /* some programs just end */
    _exit(0);
}

/* The child has ended, or is killed at until_ms. Its wait status. */
static int await_child(pid_t child, uint64_t until_ms)
{
    int status = 0;
    bool is_killed = false;
    while (waitpid(child, &status, is_killed ? 0 : WNOHANG) == 0) {
        is_killed = world_now_ms() >= until_ms;
        if (is_killed)
            (void)kill(child, SIGKILL);
        else
            signer_rest(SLICE_MS / 4);
    }
    return status;
}

static CK_RV ask_by_child(const struct ask *ask, uint64_t patience_ms)
{
    struct signer *signer = ask->signer;
    struct desk *desk = signer->desk;
    atomic_store(&desk->is_answered, false);
    pid_t child = fork();
    if (child == 0)
        sign_as_child(signer, ask->document);
    if (child < 0) {
        post_broken(signer->number, "fork failed");
        return CKR_HOST_MEMORY;
    }
    int status = await_child(child, world_now_ms() + patience_ms);
    if (atomic_load(&desk->is_answered)) {
        memcpy(ask->signature, desk->signature, SIGNATURE_LEN);
        return desk->rv;
    }
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        post_broken(signer->number, "a child ended with wait status 0x%x", (unsigned)status);
    return RV_KILLED;
}

static CK_RV ask_child(const struct ask *ask)
{
    CK_RV rv = ask_by_child(ask, CONFIRM_MS + LATE_MS + REQUEST_MS);
    if (rv == RV_KILLED)
        post_broken(ask->signer->number, "a child's C_Sign did not come back in time");
    return rv;
}

static CK_RV ask_child_and_kill(const struct ask *ask)
{
    return ask_by_child(ask, dice_below(&ask->signer->dice, CANCEL_WITHIN_MS));
}

static const struct manner_row {
    const char *name;
    unsigned weight; /* of 100 */
    bool is_whole;   /* it is one call: its time is that of the call */
    CK_RV (*ask)(const struct ask *ask);
} manners[MANNERS] = {
    [MANNER_PLAIN] = {"C_Sign", 35, true, ask_plain},
    [MANNER_PARTS] = {"C_SignFinal", 10, true, ask_in_parts},
    [MANNER_CANCELLED] = {"C_Sign, cancelled", 15, true, ask_and_be_cancelled},
    [MANNER_ASYNC] = {"asynchronous", 15, false, ask_async},
    [MANNER_ASYNC_CANCELLED] = {"asynchronous, cancelled", 10, false, ask_async_and_cancel},
    [MANNER_CHILD] = {"a child's C_Sign", 10, false, ask_child},
    [MANNER_CHILD_KILLED] = {"a child's C_Sign, killed", 5, false, ask_child_and_kill},
};

const char *manner_name(enum manner manner)
{
    return manners[manner].name;
}

enum manner manner_choose(struct dice *dice)
{
    unsigned point = dice_below(dice, 100);
    size_t i = 0;
    while (point >= manners[i].weight)
        point -= manners[i++].weight;
    /* Another thread may have held the sanitizer's lock when the child was made: it would wait for
     * it for ever, as no program does with the allocator of the C library. */
    return HAS_SANITIZER && i >= MANNER_CHILD ? MANNER_PLAIN : (enum manner)i;
}

CK_RV signer_ask(struct signer *signer, const struct document *document, enum manner manner,
                 uint8_t *signature)
{
    const struct manner_row *row = &manners[manner];
    struct ask ask = {signer, document, signature};
    struct post post = {.kind = POST_ASKED, .desk = signer->number};
    memcpy(post.digest, document->digest, DIGEST_LEN);
    strncpy(post.text, row->name, sizeof(post.text) - 1);
    post_send(&post);

    uint64_t begun = world_now_ms();
    if (row->is_whole)
        desk_begin(signer->desk, sign_name, CONFIRM_MS + LATE_MS);
    post.rv = row->ask(&ask);
    if (row->is_whole)
        desk_end(signer->desk);
    post.took_ms = world_now_ms() - begun;
    post.kind = POST_ANSWERED;
    post_send(&post);
    if (row->is_whole && post.took_ms > CONFIRM_MS + LATE_MS)
        post_broken(signer->number, "C_Sign took %llu ms", (unsigned long long)post.took_ms);
    return post.rv;
}
