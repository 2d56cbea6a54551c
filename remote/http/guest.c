/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/http/guest.h"

#include "remote/base/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

enum { ERRORS_MAX = 16 }; /* what OpenSSL's queue holds */

struct guest_error {
    unsigned long code;
    char *file;
    char *func;
    char *data; /* NULL unless it is text */
    int line;
};

/* Signals that a fault of the running code raises: to block them is undefined. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};

/*
 * Everything else is blocked, not SIGPIPE alone: the thread libcurl starts for a name look-up
 * inherits the mask, and a host's handler must not run there.
 */
static void signals_put_aside(struct guest *guest)
{
    sigset_t blocked;
    sigset_t pending;

    sigfillset(&blocked);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &guest->signals);

    guest->is_pipe_ours = true;
    if (sigismember(&guest->signals, SIGPIPE) == 1 && sigpending(&pending) == 0)
        guest->is_pipe_ours = sigismember(&pending, SIGPIPE) == 0;
}

static void signals_put_back(const struct guest *guest)
{
    if (guest->is_pipe_ours) {
        const struct timespec now = {0};
        sigset_t pipe_only;
        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
        (void)sigtimedwait(&pipe_only, NULL, &now); /* drains it, if there is one */
    }
    pthread_sigmask(SIG_SETMASK, &guest->signals, NULL);
}

static char *text_dup(const char *text)
{
    return text && *text ? strdup(text) : NULL;
}

/*
 * A mark (ERR_set_mark) would not do: libcurl calls ERR_clear_error, which takes marks and the
 * host's entries along. The queue is nearly always empty, and then this costs nothing.
 */
static void errors_put_aside(struct guest *guest)
{
    guest->errors = NULL;
    guest->error_count = 0;
    if (ERR_peek_error() == 0)
        return;
    guest->errors = calloc(ERRORS_MAX, sizeof(*guest->errors));
    if (!guest->errors)
        return; /* without memory the host loses old error texts, nothing else */

    for (size_t i = 0; i < ERRORS_MAX; i++) {
        const char *file = NULL;
        const char *func = NULL;
        const char *data = NULL;
        int flags = 0;
        struct guest_error *error = &guest->errors[i];
        error->code = ERR_get_error_all(&file, &error->line, &func, &data, &flags);
        if (error->code == 0)
            break;
        error->file = text_dup(file);
        error->func = text_dup(func);
        error->data = flags & ERR_TXT_STRING ? text_dup(data) : NULL;
        guest->error_count = i + 1;
    }
}

static void errors_put_back(struct guest *guest)
{
    ERR_clear_error();
    for (size_t i = 0; i < guest->error_count; i++) {
        struct guest_error *error = &guest->errors[i];
        ERR_new();
        ERR_set_debug(error->file ? error->file : "", error->line, error->func ? error->func : "");
        if (error->data)
            ERR_set_error(ERR_GET_LIB(error->code), ERR_GET_REASON(error->code), "%s", error->data);
        else
            ERR_set_error(ERR_GET_LIB(error->code), ERR_GET_REASON(error->code), NULL);
        free(error->file);
        free(error->func);
        free(error->data);
    }
    free(guest->errors);
}

void guest_enter(struct guest *guest, OSSL_LIB_CTX *libctx)
{
    signals_put_aside(guest);
    errors_put_aside(guest);
    guest->libctx = OSSL_LIB_CTX_set0_default(libctx);
}

void guest_leave(struct guest *guest)
{
    (void)OSSL_LIB_CTX_set0_default(guest->libctx);
    errors_put_back(guest);
    signals_put_back(guest);
}

bool guest_is_too_late(void)
{
    return OPENSSL_init_crypto(0, NULL) != 1;
}
