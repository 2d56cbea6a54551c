/* SPDX-License-Identifier: Apache-2.0 */
/* A journal in a folder of its own, with a wall clock that is set by hand. */
#ifndef TESTS_UNIT_JOURNAL_STAGE_H
#define TESTS_UNIT_JOURNAL_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/base/call.h"
#include "remote/base/clock.h"
#include "remote/smartca/journal.h"

enum { NOW = 1780000000 };

struct stage {
    struct clock clock;
    int64_t now_s;
    char dir[64];
    char path[128];
    struct journal *journal;
    struct call call;
};

/* cmocka setup and teardown; *state is the stage. */
int stage_begin(void **state);
int stage_end(void **state);

/* A transaction of count documents whose digests are all seed, seed + 1 ... */
struct journal_transaction stage_draft(const char *id, uint8_t seed, size_t count);
enum sca_status stage_begin_one(struct stage *stage, struct journal_transaction *one,
                                bool *ret_joined);

/* Begins a transaction of one document and forgets it. */
enum sca_status stage_put(struct stage *stage, const char *id, uint8_t seed, bool *ret_joined);

/* Would a call with this digest join that transaction? */
bool stage_is_live(struct stage *stage, uint8_t seed, const char *id);

/* The lines in the file, without the line ends behind them that fill it up. */
size_t stage_read(const struct stage *stage, char *out, size_t size);

/* Their length; 0 if there is no file. */
size_t stage_size(const struct stage *stage);

/* All of the file, as stat tells. */
size_t stage_file_size(const struct stage *stage);

#endif
