/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another vendor's PKCS#11 module in this process: loaded once, shared by every section that names
 * its file, never unloaded. The host may have loaded it too, and has the same right to it: it is
 * initialised if nobody has done that, and never finalised, unless its section says release = yes:
 * then it is whenever nobody uses it, if we were the one who initialised it. What it answers is
 * bounded here and believed nowhere.
 */
#ifndef MODULE_BACKEND_INNER_H
#define MODULE_BACKEND_INNER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "module/cryptoki.h"
#include "remote/base/library_file.h"
#include "remote/base/lock.h"
#include "remote/base/status.h"

/* What pass-through cannot do without, and what only a part of it needs (NULL: not there). */
/* clang-format off */
#define INNER_REQUIRED(F) \
    F(Initialize) F(GetSlotList) F(GetSlotInfo) F(GetTokenInfo) F(GetMechanismList) \
    F(OpenSession) F(CloseSession) F(Login) F(Logout) F(FindObjectsInit) F(FindObjects) \
    F(FindObjectsFinal) F(GetAttributeValue) F(SignInit) F(Sign)
#define INNER_OPTIONAL(F) F(GetInfo) F(SetPIN) F(GetSessionInfo)
/* clang-format on */

/* In this process: one value, so that who looks never sees half a change. */
enum inner_state {
    INNER_OFF,
    INNER_READY,    /* initialised */
    INNER_RELEASED, /* was so, and is again when it is entered */
};

struct inner {
    struct inner *next;
    struct library_file file;
    CK_FUNCTION_LIST *list; /* as p11-kit knows it */
#define INNER_MEMBER(name) CK_C_##name name;
    INNER_REQUIRED(INNER_MEMBER)
    INNER_OPTIONAL(INNER_MEMBER) /* copied, so that they stay */
#undef INNER_MEMBER
    atomic_bool is_refused;  /* it turned out to be one that must not be called */
    bool is_ours_to_end;     /* we initialised it last */
    atomic_bool is_shared;   /* with the host: finalised when nobody uses it */
    atomic_bool is_starting; /* a thread is in its C_Initialize, or never came back from it */
    _Atomic enum inner_state state;
    atomic_uint inside;       /* threads between inner_enter and inner_leave */
    atomic_uint logins;       /* tokens with a user who logged in through us */
    atomic_ulong generation;  /* rises when all its handles have become void */
    _Atomic uint64_t last_ms; /* when it was released last, monotonic */
    struct lock lock;         /* for changed */
    pthread_cond_t changed;
    atomic_bool is_changing; /* a thread is initialising or finalising it; others wait */
    atomic_bool is_held;     /* somebody was in it at the last fork; means something in the child */
    bool is_lost;            /* somebody was when this process was forked: it may hang */
};

enum { INNER_WHY_SIZE = 256 };

/*
 * The module of that file, loaded and initialised now or before. Nobody else could have put the
 * file there (library_file.h), it is not this module, nor p11-kit's proxy, which would load this
 * module. SCA_NOMEM, or SCA_INVALID with the reason in why.
 */
enum sca_status inner_open(const char *path, struct inner **ret_inner, char why[INNER_WHY_SIZE]);

/*
 * Around calls into the module, with no lock held. False, and nothing to leave: it must not be
 * called, because it is not initialised, or does not start again just now, or the process is
 * exiting and its destructors may have run.
 */
bool inner_enter(struct inner *inner);
void inner_leave(struct inner *inner);

/* Somebody has finalised it under us: initialises it again. Not between enter and leave. */
bool inner_revive(struct inner *inner);

/* Is it released, and has been for a moment only? Then nothing new can be learned of it. */
bool inner_rests(const struct inner *inner);

/* In a forked child: what was initialised was so in the parent. */
void inner_abandon(void);

/* Waits until no thread is in it, or, false, that time (monotonic, in ms) has come. */
bool inner_await_idle(const struct inner *inner, uint64_t until_ms);

/* Before its destructors run, calls into it end (inner.c). False: the exit cannot be watched. */
bool inner_watch_exit(void);

/* Asked after inside, is_starting or is_changing is set, which the exit waits for: not before. */
bool inner_is_exiting(void);

/* Of all that were ever loaded; the others follow as its next. */
struct inner *inner_first(void);

/* inner_read.c, between enter and leave. */

enum { INNER_SLOTS_MAX = 256, INNER_MECHANISMS_MAX = 512 };

/* Slots with a token in them. CKR_DEVICE_ERROR: more than anybody has. */
CK_RV inner_slots(const struct inner *inner, CK_SLOT_ID slots[static INNER_SLOTS_MAX],
                  CK_ULONG *ret_count);
CK_RV inner_mechanisms(const struct inner *inner, CK_SLOT_ID slot,
                       CK_MECHANISM_TYPE types[static INNER_MECHANISMS_MAX], CK_ULONG *ret_count);

/* A padded text of the module as a C string; out has room for size + 1. What is not printable
 * UTF-8 becomes '?'. */
void inner_text(const CK_UTF8CHAR *field, size_t size, char *out);

#endif
