/* SPDX-License-Identifier: Apache-2.0 */
/* A state folder with an audit log in it, and a second opinion on the log's hashes. */
#ifndef TESTS_UNIT_AUDIT_STAGE_H
#define TESTS_UNIT_AUDIT_STAGE_H

#include <stddef.h>

#include "remote/audit/audit.h"
#include "remote/base/clock.h"

#define AUDIT_USER "012345678901"
#define AUDIT_TIME "2026-05-28T20:26:40Z"
#define AUDIT_ZERO "0000000000000000000000000000000000000000000000000000000000000000"

enum { AUDIT_LINES_MAX = 16, AUDIT_HEX_SIZE = 65 };

struct audit_stage {
    char dir[64]; /* a state folder that is not there yet */
    char path[96];
    char parent[64];
    struct clock clock;
    char *text; /* the file as audit_stage_read found it, owned */
    size_t len;
    struct span lines[AUDIT_LINES_MAX]; /* in text, without their newlines */
    size_t line_count;
};

/* cmocka setup and teardown; *state is the stage. */
int audit_stage_begin(void **state);
int audit_stage_end(void **state);

/* An entry with everything in it. */
struct audit_entry audit_stage_entry(void);

/* Appends count of them, which must work; line after line they differ in their slot, from 1 on. */
void audit_stage_append(struct audit_stage *stage, size_t count);

/* Reads the file into text and lines. */
void audit_stage_read(struct audit_stage *stage);

/* Replaces the file. */
void audit_stage_write(const struct audit_stage *stage, struct span bytes);

/* As if the end of the log had been noted nowhere; audit_stage_write does so too. */
void audit_stage_behead(const struct audit_stage *stage);

/* What audit_verify says of the file, which must work. */
struct audit_report audit_stage_verify(const struct audit_stage *stage);

void audit_stage_sha256(struct span bytes, char out[static AUDIT_HEX_SIZE]);

/* object with the chain it must have after previous, as a line without newline. The caller frees.
 */
char *audit_stage_sealed(const char *previous, const char *object);

/* The chain value that a line says it has. */
const char *audit_stage_chain(const struct audit_stage *stage, size_t index,
                              char out[static AUDIT_HEX_SIZE]);

#endif
