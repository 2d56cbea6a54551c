/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject MODULE GROUP...: the stories of these groups, for inject_test.sh, which says in the
 * environment where things are: SMARTCA_INJECT_RESTORE, SMARTCA_INJECT_REQUESTS (campaign.h).
 * SMARTCA_INJECT=all tries every k; SMARTCA_INJECT_STORY and SMARTCA_INJECT_WAY pick some by a part
 * of their names, SMARTCA_INJECT_RANGE=FROM-TO the ks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/inject/campaign.h"
#include "tests/inject/guest.h"

enum { K_MAX = 200000 };

static const struct {
    const char *name;
    const struct story *stories;
} groups[] = {
    {"slots", slot_stories},
    {"smartca", smartca_stories},
    {"local", local_stories},
    {"foreign", foreign_stories},
};

static unsigned run_group(const struct campaign *campaign, const struct story *stories)
{
    const char *only = getenv("SMARTCA_INJECT_STORY");
    unsigned wrong = 0;

    for (const struct story *story = stories; story->name; story++)
        if (!only || strstr(story->name, only))
            wrong += campaign_run(campaign, story);
    return wrong;
}

/* 0: each way to fail has its own. */
static unsigned step_of(const char *how)
{
    if (!how)
        return 0;
    return strcmp(how, "all") == 0 ? 1 : (unsigned)strtoul(how, NULL, 10);
}

/* All without SMARTCA_INJECT_RANGE. */
static void read_range(struct campaign *campaign)
{
    const char *range = getenv("SMARTCA_INJECT_RANGE");
    char *rest = NULL;

    campaign->end = K_MAX;
    if (!range)
        return;
    campaign->first = strtoul(range, &rest, 10);
    if (*rest == '-')
        campaign->end = strtoul(rest + 1, NULL, 10) + 1;
}

int main(int argc, char **argv)
{
    const char *how = getenv("SMARTCA_INJECT");
    struct campaign campaign = {.step = step_of(how),
                                .restore = getenv("SMARTCA_INJECT_RESTORE"),
                                .requests = getenv("SMARTCA_INJECT_REQUESTS")};
    unsigned wrong = 0;

    read_range(&campaign);
    if (argc < 3 || !campaign.restore || !campaign.requests || !guest_load_module(argv[1])) {
        (void)fputs("inject MODULE GROUP..., from inject_test.sh\n", stderr);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        for (size_t k = 0; k < ARRAY_LEN(groups); k++)
            if (strcmp(argv[i], groups[k].name) == 0)
                wrong += run_group(&campaign, groups[k].stories);
    return wrong == 0 ? 0 : 1;
}
