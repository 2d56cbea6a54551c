/* SPDX-License-Identifier: Apache-2.0 */
/* Sections, and whether something was plugged in: looked at when somebody asks, there is no thread
 * of ours. */
#include "module/backend/forward.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/clock.h"
#include "remote/base/log.h"

enum { POLL_MS = 1000, RETRY_MS = 5000 };

uint64_t forward_sum(uint64_t sum, const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ byte[i]) * UINT64_C(0x100000001b3);
    return sum;
}

enum sca_status forwards_init(struct forwards *forwards, const struct config *config)
{
    lock_init(&forwards->lock, LOCK_LEAF);
    forwards->sections = calloc(config->token_count + 1, sizeof(*forwards->sections));
    if (!forwards->sections)
        return SCA_NOMEM;
    forwards->count = config->token_count;
    for (size_t i = 0; i < forwards->count; i++)
        forwards->sections[i].config = &config->tokens[i];
    return SCA_OK;
}

void forwards_fini(struct forwards *forwards)
{
    forward_scan_fini(&forwards->last);
    lock_fini(&forwards->lock);
    free(forwards->sections);
    forwards->sections = NULL;
    forwards->count = 0;
}

static uint64_t now_ms(void)
{
    return clock_system.now_ms(&clock_system);
}

static void load_section(struct forward_section *section)
{
    const struct token_config *config = section->config;
    char why[INNER_WHY_SIZE] = "";

    struct inner *inner = NULL;
    enum sca_status st = inner_open(config->module, &inner, why);
    if (st == SCA_OK) {
        section->why[0] = 0;
        section->inner = inner;
        atomic_store(&inner->is_shared, config->releases);
        return;
    }
    if (!why[0])
        (void)strcpy(why, "there is not enough memory");
    if (strcmp(why, section->why) == 0)
        return; /* said already */
    memcpy(section->why, why, sizeof(why));
    log_line(LOG_LEVEL_WARNING, "%s:%u: [token %s] shows no slot: module %s: %s", config->file,
             config->line, config->name, config->module, why);
}

bool forwards_load(struct forwards *forwards)
{
    for (size_t i = 0; i < forwards->count; i++)
        if (!forwards->sections[i].inner)
            load_section(&forwards->sections[i]);
    atomic_store(&forwards->retried_ms, now_ms());
    atomic_store(&forwards->is_loaded, true);
    return forwards->count > 0;
}

/* What has just been asked, and released since, says nothing new. */
static bool all_rest(const struct forwards *forwards)
{
    for (size_t i = 0; i < forwards->count; i++) {
        struct inner *inner = forwards->sections[i].inner;
        if (inner && !inner_rests(inner))
            return false;
    }
    return true;
}

static bool wants_retry(const struct forwards *forwards)
{
    bool has_failed = atomic_load(&forwards->is_partial);

    for (size_t i = 0; i < forwards->count; i++)
        has_failed |= !forwards->sections[i].inner;
    return has_failed && now_ms() - atomic_load(&forwards->retried_ms) >= RETRY_MS;
}

static uint64_t last_sum(struct forwards *forwards)
{
    lock_take(&forwards->lock);
    uint64_t sum = forwards->last.sum;
    lock_drop(&forwards->lock);
    return sum;
}

bool forwards_have_changed(struct forwards *forwards)
{
    AUTO(forward_scan_fini) struct forward_scan scan = {.items = NULL};

    if (forwards->count == 0 || !atomic_load(&forwards->is_loaded))
        return false;
    if (wants_retry(forwards) || atomic_load(&forwards->has_news))
        return true;
    if (!all_rest(forwards) && forwards_scan(forwards, &scan) == SCA_OK &&
        scan.sum != last_sum(forwards))
        atomic_store(&forwards->has_news, true); /* it rests when it is asked for again at once */
    return atomic_load(&forwards->has_news);
}

unsigned forwards_poll_ms(const struct forwards *forwards)
{
    return forwards->count > 0 && atomic_load(&forwards->is_loaded) ? POLL_MS : 0;
}
