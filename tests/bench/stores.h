/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in the stores that tests/bench/stores.c makes: certificates whose CKA_ID, CKA_LABEL and
 * subject are these texts with a number of five digits. Every one has its own, but some share a
 * subject, so that searches with several matches can be timed.
 */
#ifndef TESTS_BENCH_STORES_H
#define TESTS_BENCH_STORES_H

#define STORE_ID     "bench number "
#define STORE_LABEL  "bench label "
#define STORE_HOLDER "bench holder " /* in the common name */
enum { STORE_DIGITS = 5 };

/* Certificates from first on, count of them, have the subject of the first one. */
struct store_group {
    unsigned first;
    unsigned count;
};
static const struct store_group store_groups[] = {{1000, 10}, {1010, 100}, {1110, 1000}};

#endif
