/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of the last minute, for the case that something breaks. */
#ifndef TESTS_SOAK_EVIDENCE_H
#define TESTS_SOAK_EVIDENCE_H

#include <stdint.h>
#include <stdio.h>

#include "tests/soak/post.h"

/* A line for the post, in the file that evidence_open() made in the folder. */
FILE *evidence_open(const char *folder);
void evidence_add(FILE *diary, const struct post *post, uint64_t ms);

/* Files that only grow start anew, and what was in them becomes NAME.old. */
void evidence_turn(const char *folder);

#endif
