/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens without a catalogue that knows them. */
#include "module/backend/local.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/log.h"
#include "remote/catalogue/catalogue.h"

/* The tokens that the folder has. */
struct crowd {
    const char *state_dir;
    char **names;
    uint32_t *slot_ids;
    size_t count;
    size_t room;
};

static void crowd_fini(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        free(crowd->names[i]);
    free(crowd->names);
    free(crowd->slot_ids);
}

static bool make_room(struct crowd *crowd)
{
    if (crowd->count < crowd->room)
        return true;
    size_t room = crowd->room ? 2 * crowd->room : 16;
    char **names = realloc(crowd->names, room * sizeof(*names));
    if (!names)
        return false;
    crowd->names = names;
    uint32_t *slot_ids = realloc(crowd->slot_ids, room * sizeof(*slot_ids));
    if (!slot_ids)
        return false;
    crowd->slot_ids = slot_ids;
    crowd->room = room;
    return true;
}

static enum sca_status add(void *arg, const char *name)
{
    struct crowd *crowd = arg;
    const struct keystore keystore = {.state_dir = crowd->state_dir, .name = name};
    struct keystore_info info;
    const char *why = NULL;

    if (!make_room(crowd) || !(crowd->names[crowd->count] = strdup(name)))
        return SCA_NOMEM;
    /* A damaged one is shown as well, in a slot that is new: somebody has to learn of it. One of
     * which nothing is known without memory keeps its slot for when there is some. */
    enum sca_status st = keystore_info(&keystore, &info, &why);
    crowd->slot_ids[crowd->count++] = st == SCA_OK ? info.slot_id : UINT32_MAX;
    return st == SCA_NOMEM ? st : SCA_OK;
}

/*
 * A token in the making that lost its slot to another is removed by its maker, entry and all; the
 * maker may have looked for the entry before it was made here.
 */
static void forget_removed(const struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++) {
        const struct keystore keystore = {.state_dir = crowd->state_dir, .name = crowd->names[i]};
        struct keystore_info info;
        const char *why = NULL;
        if (keystore_info(&keystore, &info, &why) == SCA_NOT_FOUND)
            (void)catalogue_forget(crowd->state_dir, CATALOGUE_LOCAL, crowd->names[i]);
    }
}

enum sca_status local_adopt(const char *state_dir, bool *ret_has_adopted)
{
    AUTO(crowd_fini) struct crowd crowd = {.state_dir = state_dir};

    enum sca_status st = keystore_each_name(state_dir, add, &crowd);
    if (st == SCA_NOMEM || (st == SCA_OK && crowd.count == 0))
        return st;
    if (st == SCA_OK)
        st = catalogue_adopt_local(state_dir, (const char *const *)crowd.names, crowd.slot_ids,
                                   crowd.count);
    if (st == SCA_OK)
        forget_removed(&crowd);
    if (st == SCA_OK)
        log_line(LOG_LEVEL_WARNING,
                 "%s/catalogue was lost or damaged: its %zu local tokens have been entered again",
                 state_dir, crowd.count);
    else
        log_line(LOG_LEVEL_WARNING,
                 "%s/catalogue: the tokens of %s/tokens have no slots, because it cannot be made "
                 "anew: %s",
                 state_dir, state_dir, sca_status_name(st));
    *ret_has_adopted = st == SCA_OK;
    return st == SCA_NOMEM ? st : SCA_OK;
}
