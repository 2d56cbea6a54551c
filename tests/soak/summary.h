/* SPDX-License-Identifier: Apache-2.0 */
/* What a soak says of itself, and whether what its processes need has stayed the same. */
#ifndef TESTS_SOAK_SUMMARY_H
#define TESTS_SOAK_SUMMARY_H

#include "tests/soak/book.h"
#include "tests/soak/gauge.h"

/* gauges: one for each of WORKERS. On stderr. */
void summary_progress(const struct book *book, const struct gauge *gauges, uint64_t second);
void summary_print(const struct book *book, const struct gauge *gauges, uint64_t second);

/* Memory, descriptors and threads late in a run that was long enough against those early in it. */
void summary_judge_needs(struct book *book, const struct gauge *gauges, uint64_t run_ms);

#endif
