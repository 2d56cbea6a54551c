/* SPDX-License-Identifier: Apache-2.0 */
/* Allocations. strdup and asprintf are counted as one, for whoever calls them. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/inject/strike.h"

#define NO_MEMORY STRIKES(INJECT_MEMORY, NULL, ENOMEM, ENOMEM, ENOMEM, ENOMEM)

void *malloc(size_t size)
{
    REAL(void *, "malloc", size_t);
    return NO_MEMORY ? NULL : real(size);
}

void *calloc(size_t count, size_t size)
{
    REAL(void *, "calloc", size_t, size_t);
    return NO_MEMORY ? NULL : real(count, size);
}

void *realloc(void *ptr, size_t size)
{
    REAL(void *, "realloc", void *, size_t);
    return NO_MEMORY ? NULL : real(ptr, size);
}

void *reallocarray(void *ptr, size_t count, size_t size)
{
    REAL(void *, "reallocarray", void *, size_t, size_t);
    if (NO_MEMORY)
        return NULL;
    strike_enter();
    void *memory = real(ptr, count, size);
    strike_leave();
    return memory;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    REAL(void *, "aligned_alloc", size_t, size_t);
    return NO_MEMORY ? NULL : real(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
    REAL(int, "posix_memalign", void **, size_t, size_t);
    return NO_MEMORY ? ENOMEM : real(ret_memory, alignment, size);
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    REAL(void *, "mmap", void *, size_t, int, int, int, off_t);
    return NO_MEMORY ? MAP_FAILED : real(addr, len, prot, flags, fd, offset);
}

int mlock(const void *addr, size_t len)
{
    REAL(int, "mlock", const void *, size_t);
    return NO_MEMORY ? -1 : real(addr, len);
}

char *strdup(const char *text)
{
    if (NO_MEMORY)
        return NULL;
    strike_enter();
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    strike_leave();
    return copy ? memcpy(copy, text, size) : NULL;
}

char *strndup(const char *text, size_t max)
{
    if (NO_MEMORY)
        return NULL;
    strike_enter();
    size_t len = strnlen(text, max);
    char *copy = malloc(len + 1);
    strike_leave();
    if (!copy)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = 0;
    return copy;
}

static int print(char **ret_text, const char *format, va_list args)
{
    REAL(int, "vasprintf", char **, const char *, va_list);
    strike_enter();
    int len = real(ret_text, format, args);
    strike_leave();
    return len;
}

/* What else stands in *ret_text is undefined then; a caller that frees it shall be seen. */
static int no_text(char **ret_text)
{
    *ret_text = (char *)(uintptr_t)0xdead;
    return -1;
}

int vasprintf(char **ret_text, const char *format, va_list args)
{
    return NO_MEMORY ? no_text(ret_text) : print(ret_text, format, args);
}

int asprintf(char **ret_text, const char *format, ...)
{
    va_list args;
    if (NO_MEMORY)
        return no_text(ret_text);
    va_start(args, format);
    int len = print(ret_text, format, args);
    va_end(args);
    return len;
}

/* With _FORTIFY_SOURCE these are called in their place. */
int __vasprintf_chk(char **ret_text, int flag, const char *format, va_list args);
int __vasprintf_chk(char **ret_text, int flag, const char *format, va_list args)
{
    (void)flag;
    return NO_MEMORY ? no_text(ret_text) : print(ret_text, format, args);
}

int __asprintf_chk(char **ret_text, int flag, const char *format, ...);
int __asprintf_chk(char **ret_text, int flag, const char *format, ...)
{
    va_list args;
    (void)flag;
    if (NO_MEMORY)
        return no_text(ret_text);
    va_start(args, format);
    int len = print(ret_text, format, args);
    va_end(args);
    return len;
}
