/* SPDX-License-Identifier: Apache-2.0 */
/* Sections, and what is plugged in: looked at when somebody asks, there is no thread of ours. */
#include "module/backend/forward.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/clock.h"
#include "remote/base/log.h"

/*
 * Slot ids of these tokens are made from what they are, so nothing has to be written down to have
 * the same ones in every run. The catalogue counts its own from 1.
 */
enum { ID_BASE = 0x200000, ID_MASK = 0x1fffff };

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

static void read_identity(const struct inner *inner, CK_SLOT_ID slot, const CK_TOKEN_INFO *info,
                          struct forward_identity *identity)
{
    CK_SLOT_INFO about;

    memset(&about, 0, sizeof(about));
    inner_text(info->serialNumber, sizeof(info->serialNumber), identity->serial);
    inner_text(info->label, sizeof(info->label), identity->label);
    inner_text(info->manufacturerID, sizeof(info->manufacturerID), identity->manufacturer);
    inner_text(info->model, sizeof(info->model), identity->model);
    if (inner->GetSlotInfo(slot, &about) != CKR_OK)
        memset(&about, 0, sizeof(about));
    inner_text(about.slotDescription, sizeof(about.slotDescription), identity->description);
}

static CK_SLOT_ID id_of(const struct forward_seen *seen)
{
    const char *const parts[] = {seen->section->config->name, seen->identity.serial,
                                 seen->identity.label};
    uint64_t sum = FORWARD_SUM_START;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        sum = forward_sum(sum, parts[i], strlen(parts[i]) + 1);
    return ID_BASE | ((sum ^ (sum >> 32)) & ID_MASK);
}

/* A token that two sections show is the first one's. */
static bool is_seen(const struct forward_scan *scan, const struct inner *inner, CK_SLOT_ID slot)
{
    for (size_t i = 0; i < scan->count; i++)
        if (scan->items[i].section->inner == inner && scan->items[i].inner_slot == slot)
            return true;
    return false;
}

static enum sca_status add_seen(struct forward_scan *scan, const struct forward_seen *seen)
{
    struct forward_seen *items =
        realloc(scan->items, (scan->count + 1) * sizeof(struct forward_seen));
    if (!items)
        return SCA_NOMEM;
    scan->items = items;
    scan->items[scan->count++] = *seen;
    return SCA_OK;
}

static enum sca_status scan_slot(struct forward_section *section, CK_SLOT_ID slot,
                                 struct forward_scan *scan)
{
    const char *wanted = section->config->slots;
    struct inner *inner = section->inner;
    struct forward_seen seen = {.section = section, .inner_slot = slot};
    CK_TOKEN_INFO info;

    memset(&info, 0, sizeof(info)); /* a module may leave parts of it as they are */
    if (is_seen(scan, inner, slot) || inner->GetTokenInfo(slot, &info) != CKR_OK ||
        !(info.flags & CKF_TOKEN_INITIALIZED))
        return SCA_OK;
    read_identity(inner, slot, &info, &seen.identity);
    if (strcmp(wanted, "all") != 0 && strcmp(wanted, seen.identity.label) != 0)
        return SCA_OK;
    seen.id = id_of(&seen);
    seen.flags = info.flags;
    seen.pin_min = info.ulMinPinLen;
    seen.pin_max = info.ulMaxPinLen;
    scan->sum = forward_sum(scan->sum, &seen.id, sizeof(seen.id));
    scan->sum = forward_sum(scan->sum, &seen.inner_slot, sizeof(seen.inner_slot));
    return add_seen(scan, &seen);
}

static enum sca_status scan_section(struct forward_section *section, struct forward_scan *scan)
{
    struct inner *inner = section->inner;
    enum sca_status st = SCA_OK;
    CK_SLOT_ID slots[INNER_SLOTS_MAX];
    CK_ULONG count = 0;

    if (!inner || !inner_enter(inner))
        return SCA_OK;
    CK_RV rv = inner_slots(inner, slots, &count);
    for (CK_ULONG i = 0; rv == CKR_OK && st == SCA_OK && i < count; i++)
        st = scan_slot(section, slots[i], scan);
    inner_leave(inner);
    if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
        (void)inner_revive(inner); /* the next look shows its tokens again */
    return st;
}

enum sca_status forwards_scan(struct forwards *forwards, struct forward_scan *ret_scan)
{
    AUTO(forward_scan_fini) struct forward_scan scan = {.sum = FORWARD_SUM_START};
    enum sca_status st = SCA_OK;

    for (size_t i = 0; st == SCA_OK && atomic_load(&forwards->is_loaded) && i < forwards->count;
         i++)
        st = scan_section(&forwards->sections[i], &scan);
    if (st != SCA_OK)
        return st;
    *ret_scan = scan;
    scan.items = NULL;
    return SCA_OK;
}

void forward_scan_fini(struct forward_scan *scan)
{
    free(scan->items);
    scan->items = NULL;
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
    for (size_t i = 0; i < forwards->count; i++)
        if (!forwards->sections[i].inner)
            return now_ms() - atomic_load(&forwards->retried_ms) >= RETRY_MS;
    return false;
}

bool forwards_have_changed(struct forwards *forwards)
{
    AUTO(forward_scan_fini) struct forward_scan scan = {.items = NULL};

    if (forwards->count == 0 || !atomic_load(&forwards->is_loaded))
        return false;
    if (wants_retry(forwards) || atomic_load(&forwards->has_news))
        return true;
    if (!all_rest(forwards) && forwards_scan(forwards, &scan) == SCA_OK &&
        scan.sum != atomic_load(&forwards->sum))
        atomic_store(&forwards->has_news, true); /* it rests when it is asked for again at once */
    return atomic_load(&forwards->has_news);
}

void forwards_remember(struct forwards *forwards, const struct forward_scan *scan)
{
    atomic_store(&forwards->sum, scan->sum);
    atomic_store(&forwards->has_news, false);
}

unsigned forwards_poll_ms(const struct forwards *forwards)
{
    return forwards->count > 0 && atomic_load(&forwards->is_loaded) ? POLL_MS : 0;
}
