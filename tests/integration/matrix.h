/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fault matrix: what can go wrong at the service or on the way to it, against each of its
 * endpoints, and what an application is told then.
 */
#ifndef TESTS_INTEGRATION_MATRIX_H
#define TESTS_INTEGRATION_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tests/integration/harness.h"

enum matrix_column {
    MATRIX_LIST,    /* get_certificate, by C_GetSlotList of a program that has no catalogue */
    MATRIX_REFRESH, /* the same by smartca account refresh, which has one */
    MATRIX_SIGN,    /* C_Sign of an account that confirms on the phone */
    MATRIX_STATUS,
    MATRIX_SIGN2, /* C_Sign of an account with a computed one-time password */
    MATRIX_CONFIRM,
    MATRIX_LOGIN, /* eContract */
    MATRIX_USERS,
    MATRIX_ADD,
    MATRIX_COLUMNS
};

enum {
    MATRIX_CELL_SIZE = 64,

    /* The two settings of a row's time limits: what does not wait for them must not meet them. */
    MATRIX_PATIENT_MS = 20 * 1000,
    MATRIX_HASTY_MS = 4 * 1000,
    MATRIX_SLACK_MS = 2 * 1000,
};

enum matrix_how {
    MATRIX_HASTY = 1,  /* the outcome is decided by a time limit */
    MATRIX_PAIR = 2,   /* two documents in one transaction */
    MATRIX_SECOND = 4, /* another document was signed before */
    MATRIX_ONCE = 8,   /* v2: a permission to sign is given once, and not for an id known already */
};

/*
 * A cell: what the caller is told; for a signature also how many transactions the service
 * accepted, and, after a failure, how many once the same document was asked for again and signed.
 * "(a)" is a cell without a meaning, with the reason among the notes.
 */
struct matrix_row {
    const char *name;
    const char *path;  /* of the control plane: "fault", or what else makes the trouble */
    const char *words; /* members of its JSON object, beside the column's endpoint or person */
    unsigned how;      /* enum matrix_how */
    const char *cells[MATRIX_COLUMNS];
};

struct matrix_note {
    const char *key;
    const char *text;
};

extern const struct matrix_row matrix_rows[];
extern const size_t matrix_row_count;
extern const struct matrix_note matrix_notes[];
extern const size_t matrix_note_count;

/* The emulator, the module and the tool, each cell in a home as on the first day. */
struct matrix_stage {
    struct world world;
    enum matrix_column column;
    unsigned how;                    /* of the row */
    struct matrix_econtract *office; /* in eContract's columns */
    CK_SESSION_HANDLE session;       /* in columns that sign */
    char said[8192];                 /* what the tool printed last, on both of its outputs */
    long log_seen;                   /* bytes of the log that were looked at */
    unsigned number;                 /* of the cell: each has a document of its own */
};

/* One column. act: what the caller was told, a static text. */
struct matrix_endpoint {
    const char *title;
    const char *endpoint; /* of the emulator's faults */
    const char *good;     /* what the caller is told when nothing is wrong */
    bool is_signing;
    const char *(*act)(struct matrix_stage *stage);
};

extern const struct matrix_endpoint matrix_endpoints[MATRIX_COLUMNS];

/* cmocka's group fixtures; *state is the stage. */
int matrix_stage_start(void **state);
int matrix_stage_stop(void **state);

/* Before a cell and after it. The end asserts that no secret was written anywhere. */
void matrix_stage_open(struct matrix_stage *stage, enum matrix_column column, unsigned how);
void matrix_stage_close(struct matrix_stage *stage);

/* Another document, before anything goes wrong; asserts. */
void matrix_sign_another(struct matrix_stage *stage);

/* The user_id of the certificate in that column. */
const char *matrix_person(enum matrix_column column);

/* Runs smartca with these words (ended by NULL): "ok", or its error code, in stage->said. */
const char *matrix_tool(struct matrix_stage *stage, const char *const *words);

/* eContract's side of the stage: matrix_econtract.c. Closing one that is not open does nothing. */
void matrix_econtract_open(struct matrix_stage *stage);
void matrix_econtract_close(struct matrix_stage *stage);
const char *matrix_econtract_login(struct matrix_stage *stage);
const char *matrix_econtract_users(struct matrix_stage *stage);
const char *matrix_econtract_add(struct matrix_stage *stage);

/* Asserts that no secret is in the log since the last call, in the state folder, or was printed. */
void matrix_assert_no_secret(struct matrix_stage *stage);

void matrix_print(FILE *out);

#endif
