/* SPDX-License-Identifier: Apache-2.0 */
/* Scope-bound release of what a function owns. gcc and clang only, clean under -std=c11 -Wpedantic.
 */
#ifndef REMOTE_BASE_CLEANUP_H
#define REMOTE_BASE_CLEANUP_H

#include <stddef.h>
#include <stdlib.h>

/* AUTO(x_freep) struct x *p: runs x_freep(&p) when p leaves its scope, on every return. */
#define AUTO(release) __attribute__((cleanup(release)))

/* TAKE(p): yields p and empties it, so that its AUTO has nothing left to release. */
#define TAKE(pointer)                                                                              \
    (__extension__({                                                                               \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    }))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* AUTO(freep) for anything that came from malloc. */
static inline void freep(void *pointer)
{
    free(*(void **)pointer);
}

#endif
