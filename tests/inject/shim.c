/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/inject/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/inject/strike.h"

static struct inject_plan plan;
static struct inject_result result;
static atomic_bool is_armed;
static atomic_ulong count;
static const char *report; /* preloaded: where to tell */

/* Not _Thread_local's usual model: that one allocates. */
static _Thread_local unsigned depth __attribute__((tls_model("initial-exec")));

void strike_enter(void)
{
    depth++;
}

void strike_leave(void)
{
    depth--;
}

void *strike_next(const char *name)
{
    depth++;
    void *function = dlsym(RTLD_NEXT, name);
    depth--;
    if (!function)
        abort();
    return function;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool starts_with_one_of(const char *name, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
            return true;
    return false;
}

/* The program is ours when the library was preloaded: the tool. */
static bool is_in_scope(const void *caller)
{
    static const char *const ours[] = {"libsmartca-pkcs11", "smartca-remote", NULL};
    /* Other vendors' code; what comes with libcurl and complains on stderr; the tools'. */
    static const char *const never[] = {"libsofthsm2", "libstdc++", "libp11-kit",
                                        "libgnutls",   "libtasn1",  "libgcc_s",
                                        "libinject",   "libasan",   NULL};
    struct dl_find_object found;

    if (_dl_find_object((void *)(uintptr_t)caller, &found) != 0)
        return false; /* a library that is just being loaded: others' constructors */
    const char *name = file_name(found.dlfo_link_map->l_name);
    if (plan.scope == INJECT_EVERYWHERE)
        return !starts_with_one_of(name, never);
    return name[0] ? starts_with_one_of(name, ours) : report != NULL;
}

static void tell(void)
{
    int fd = open(report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
        backtrace_symbols_fd(result.frames, result.frame_count, fd);
        (void)close(fd);
    }
}

static void note_strike(void)
{
    depth++;
    if (!result.has_struck) {
        result.has_struck = true;
        result.frame_count = backtrace(result.frames, INJECT_FRAMES);
        if (report)
            tell();
    }
    depth--;
}

bool strike_falls(enum inject_kind kind, const void *caller, const int errors[static INJECT_ERRORS],
                  bool *ret_short)
{
    if (!atomic_load(&is_armed) || depth || plan.kind != kind || !is_in_scope(caller))
        return false;
    unsigned long number = atomic_fetch_add(&count, 1) + 1;
    if (plan.k == 0 || (plan.lasts ? number < plan.k : number != plan.k))
        return false;
    note_strike();
    int error = errors[plan.error];
    if (error == STRIKE_SHORT) {
        *ret_short = true;
        return false;
    }
    errno = error ? error : errno;
    return error != 0;
}

void inject_arm(const struct inject_plan *new_plan)
{
    plan = *new_plan;
    result = (struct inject_result){.has_struck = false};
    atomic_store(&count, 0);
    atomic_store(&is_armed, true);
}

void inject_disarm(struct inject_result *ret_result)
{
    atomic_store(&is_armed, false);
    *ret_result = result;
    ret_result->count = atomic_load(&count);
}

/* backtrace loads libgcc_s at its first call. */
__attribute__((constructor)) static void prepare(void)
{
    const char *text = getenv("SMARTCA_INJECT_PLAN");
    struct inject_plan from_environment = {.kind = INJECT_NOTHING};
    void *frames[2];
    unsigned numbers[5];

    (void)backtrace(frames, 2);
    report = getenv("SMARTCA_INJECT_REPORT");
    if (!text || !report)
        return;
    char *rest = (char *)(uintptr_t)text;
    for (int n = 0; n < 5; n++)
        numbers[n] = (unsigned)strtoul(rest, &rest, 10);
    from_environment = (struct inject_plan){.kind = numbers[0],
                                            .scope = numbers[1],
                                            .k = numbers[2],
                                            .error = numbers[3],
                                            .lasts = numbers[4] != 0};
    inject_arm(&from_environment);
}

__attribute__((destructor)) static void tell_count(void)
{
    struct inject_result all;

    if (!report || !atomic_load(&is_armed) || plan.k != 0)
        return;
    inject_disarm(&all);
    int fd = open(report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)dprintf(fd, "%lu\n", all.count);
        (void)close(fd);
    }
}
