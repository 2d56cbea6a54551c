/* SPDX-License-Identifier: Apache-2.0 */
/* A story told in a forked child, which must not use cmocka's asserts: it says where it went wrong.
 */
#ifndef TESTS_MODULE_CHILD_H
#define TESTS_MODULE_CHILD_H

#define CHECK(claim)                                                                               \
    do {                                                                                           \
        if (!(claim))                                                                              \
            return __LINE__;                                                                       \
    } while (0)

/*
 * Runs story in a child and returns what it returns: 0, or the line of the claim that failed; -1
 * when the child died or did not come to an end in twenty seconds.
 */
int child_run(int (*story)(void *arg), void *arg);

#endif
