/* SPDX-License-Identifier: Apache-2.0 */
/* A state folder of its own for tests of the catalogue, and made-up certificates to put in it. */
#ifndef TESTS_UNIT_CATALOGUE_STAGE_H
#define TESTS_UNIT_CATALOGUE_STAGE_H

#include "remote/base/bytes.h"
#include "remote/catalogue/catalogue.h"

#define URL   "https://service.test/sca/sp769"
#define ALICE "012345678901"
#define BOB   "012345678902"

enum { NOW = 1780000000 };

struct catalogue_stage {
    char dir[64];
    char file[80]; /* dir/catalogue */
};

int catalogue_stage_begin(void **state);
int catalogue_stage_end(void **state);

/* Made once for all tests: leaf number i has the serial "si". */
int catalogue_stage_certificates(void **state);
extern struct certificate catalogue_stage_issuer;
extern struct certificate catalogue_stage_root;
extern struct certificate catalogue_stage_leaves[8];

/* A made-up certificate: some parts are found in its DER, some are not. */
struct certificate catalogue_stage_certificate(const char *serial);

/* What the service says of that leaf: active, with issuer and root. */
struct fetched_certificate catalogue_stage_fetched(size_t leaf);

/* Stores the given leaves, numbers as a text such as "021". */
void catalogue_stage_store(const struct catalogue_stage *stage, const char *user_id,
                           const char *numbers);
struct catalogue *catalogue_stage_open(const struct catalogue_stage *stage);

/* Asserts that opening it is refused with that status, and for that reason. */
void catalogue_stage_refused(const struct catalogue_stage *stage, enum sca_status status,
                             const char *reason);

/* Asserts "slot:user's last digit:serial ..." of every entry; "-" for a placeholder. */
void catalogue_stage_entries(const struct catalogue_stage *stage, const char *expected);
void catalogue_stage_same(const struct certificate *found, const struct certificate *expected);
struct buf catalogue_stage_read(const char *path);

#endif
