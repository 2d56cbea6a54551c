/* SPDX-License-Identifier: Apache-2.0 */
/* P18: what loading the modules costs a host that has nothing of what they need: this program is
 * not linked to libcrypto. */
#include <stdlib.h>

#include "tests/bench/footprint.h"

static void load(void *arg)
{
    (void)bench_load(arg);
}

int main(void)
{
    char *ours = getenv("BENCH_OURS");
    char *softhsm = getenv("BENCH_SOFTHSM");
    struct series time;
    struct series rss;
    struct series dirty;
    struct rounds rounds = {0};

    bench_need(ours && softhsm, "tests/bench/run starts it");
    series_init(&time, "P18", "<= 1.0", "dlopen time over SoftHSM2's");
    series_init(&rss, "P18", "<= 1.0", "dlopen RSS over SoftHSM2's");
    series_init(&dirty, "P18", "<= 1.0", "dlopen private dirty over SoftHSM2's");
    (void)footprint_of(NULL, load, ours); /* into the page cache */
    (void)footprint_of(NULL, load, softhsm);
    while (rounds_next(&rounds)) {
        struct footprint mine = footprint_of(NULL, load, ours);
        struct footprint other = footprint_of(NULL, load, softhsm);
        if (!rounds_keep(&rounds))
            continue;
        series_add(&time, mine.us / other.us);
        series_add(&rss, mine.rss_kb / other.rss_kb);
        series_add(&dirty, mine.dirty_kb / other.dirty_kb);
    }
    series_print(&time);
    series_print(&rss);
    series_print(&dirty);
    return 0;
}
