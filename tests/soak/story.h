/* SPDX-License-Identifier: Apache-2.0 */
/* One document, and the transactions that it was in. */
#ifndef TESTS_SOAK_STORY_H
#define TESTS_SOAK_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/soak/post.h"

enum { ENTRIES_MAX = 24, STORY_ROWS = 4096 };

enum entry_state { ENTRY_WAITING, ENTRY_SIGNED, ENTRY_REJECTED, ENTRY_EXPIRED, ENTRY_FAILED };

struct entry {
    char id[64];
    char tran_code[64];
    enum entry_state state;
    bool is_lost;        /* with the process that was killed while it took the signature */
    uint64_t created_ms; /* by the clock of the service, as all times of falsified answers */
};

struct story {
    struct story *next;
    char digest[2 * DIGEST_LEN + 1];
    enum { STORY_OPEN, STORY_SIGNED, STORY_GIVEN_UP } end;
    uint64_t ended_ms;
    unsigned kills; /* of processes that had asked for it, and took no signature with them yet */
    size_t entry_count;
    struct entry entries[ENTRIES_MAX];
};

/* rows: STORY_ROWS lists. make: the one that is there, or a new one; NULL without memory. */
struct story *story_make(struct story **rows, const char *digest);
struct story *story_find(struct story *const *rows, const char *digest);
struct entry *story_entry(struct story *story, const char *id);

enum entry_state entry_state_of(const char *name);
const char *entry_state_name(enum entry_state state);

/* Transactions whose signed answer was made false, by either of their ids. */
struct falsified;
bool falsified_add(struct falsified **list, const char *id, uint64_t at_ms);
bool falsified_before(const struct falsified *list, const struct entry *entry, uint64_t at_ms);
void falsified_free(struct falsified *list);

#endif
