/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_LIB_FOLDER_H
#define TESTS_LIB_FOLDER_H

/* Removes a test's folder and all that is in it, links not followed. 0, or -1 when something stays.
 */
int folder_remove(const char *path);

#endif
