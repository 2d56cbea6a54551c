/* SPDX-License-Identifier: Apache-2.0 */
/* What is plugged in: every slot of every section's module is asked what is in it. */
#include <stdlib.h>
#include <string.h>

#include "module/backend/forward.h"
#include "remote/base/cleanup.h"
#include "remote/base/clock.h"

/*
 * Slot ids of these tokens are made from what they are, so nothing has to be written down to have
 * the same ones in every run. The catalogue counts its own from 1.
 */
enum { ID_BASE = 0x200000, ID_MASK = 0x1fffff };

/* How long a token that cannot be read counts as being there. */
enum { DOUBT_MS = 3000 };

/* One section is looked at. */
struct look {
    struct forwards *forwards;
    struct forward_section *section;
    struct forward_scan *scan;
    bool has_failed;
};

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
    scan->sum = forward_sum(scan->sum, &seen->id, sizeof(seen->id));
    scan->sum = forward_sum(scan->sum, &seen->inner_slot, sizeof(seen->inner_slot));
    return SCA_OK;
}

static bool has_failed_for_long(struct forward_section *section)
{
    uint64_t now = clock_system.now_ms(&clock_system);
    uint64_t since = 0;

    if (atomic_compare_exchange_strong(&section->failing_ms, &since, now))
        return false;
    return now - since >= DOUBT_MS;
}

/*
 * Taking a token away ends its sessions, too much for a module that fails for a moment, as SoftHSM2
 * does while another process logs in to its files: what was there before still is. slot NULL: all
 * of the section's.
 */
static enum sca_status keep(struct look *look, CK_RV why, const CK_SLOT_ID *slot)
{
    const struct forward_scan *last = &look->forwards->last;
    enum sca_status st = SCA_OK;

    if (why == CKR_CRYPTOKI_NOT_INITIALIZED || forward_status(why) == SCA_GONE)
        return SCA_OK;
    look->has_failed = true;
    if (has_failed_for_long(look->section))
        return SCA_OK;
    lock_take(&look->forwards->lock);
    for (size_t i = 0; st == SCA_OK && i < last->count; i++) {
        const struct forward_seen *seen = &last->items[i];
        if (seen->section == look->section && (!slot || *slot == seen->inner_slot) &&
            !is_seen(look->scan, look->section->inner, seen->inner_slot))
            st = add_seen(look->scan, seen);
    }
    lock_drop(&look->forwards->lock);
    return st;
}

static enum sca_status scan_slot(struct look *look, CK_SLOT_ID slot)
{
    const char *wanted = look->section->config->slots;
    struct inner *inner = look->section->inner;
    struct forward_seen seen = {.section = look->section, .inner_slot = slot};
    CK_TOKEN_INFO info;

    if (is_seen(look->scan, inner, slot))
        return SCA_OK;
    memset(&info, 0, sizeof(info)); /* a module may leave parts of it as they are */
    CK_RV rv = inner->GetTokenInfo(slot, &info);
    if (rv != CKR_OK)
        return keep(look, rv, &slot);
    if (!(info.flags & CKF_TOKEN_INITIALIZED))
        return SCA_OK;
    read_identity(inner, slot, &info, &seen.identity);
    if (strcmp(wanted, "all") != 0 && strcmp(wanted, seen.identity.label) != 0)
        return SCA_OK;
    seen.id = id_of(&seen);
    seen.flags = info.flags;
    seen.pin_min = info.ulMinPinLen;
    seen.pin_max = info.ulMaxPinLen;
    return add_seen(look->scan, &seen);
}

static enum sca_status scan_section(struct look *look)
{
    struct inner *inner = look->section->inner;
    enum sca_status st = SCA_OK;
    CK_SLOT_ID slots[INNER_SLOTS_MAX];
    CK_ULONG count = 0;

    if (!inner || !inner_enter(inner))
        return SCA_OK;
    CK_RV rv = inner_slots(inner, slots, &count);
    if (rv != CKR_OK)
        st = keep(look, rv, NULL);
    for (CK_ULONG i = 0; rv == CKR_OK && st == SCA_OK && i < count; i++)
        st = scan_slot(look, slots[i]);
    inner_leave(inner);
    if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
        (void)inner_revive(inner); /* the next look shows its tokens again */
    if (!look->has_failed)
        atomic_store(&look->section->failing_ms, 0);
    return st;
}

enum sca_status forwards_scan(struct forwards *forwards, struct forward_scan *ret_scan)
{
    AUTO(forward_scan_fini) struct forward_scan scan = {.sum = FORWARD_SUM_START};
    enum sca_status st = SCA_OK;

    for (size_t i = 0; st == SCA_OK && atomic_load(&forwards->is_loaded) && i < forwards->count;
         i++) {
        struct look look = {.forwards = forwards, .section = &forwards->sections[i], .scan = &scan};
        st = scan_section(&look);
    }
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
    scan->count = 0;
}

void forwards_remember(struct forwards *forwards, struct forward_scan *scan, bool is_partial)
{
    lock_take(&forwards->lock);
    struct forward_scan before = forwards->last;
    forwards->last = *scan;
    lock_drop(&forwards->lock);
    *scan = before;
    atomic_store(&forwards->is_partial, is_partial);
    atomic_store(&forwards->has_news, false);
}
