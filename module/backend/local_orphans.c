/* SPDX-License-Identifier: Apache-2.0 */
/* Token files that a killed process made, and nobody can have used: it never came to their entry
 * in the catalogue. */
#include "module/backend/local.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/log.h"
#include "remote/catalogue/catalogue.h"
#include "remote/keystore/turn.h"

/* Whoever makes a token has the turn for one key derivation. */
enum { TURN_WAIT_MS = 30000, FIRST_GENERATION = 1 };

/* Those that the catalogue has, in order. */
struct listed {
    const char *state_dir;
    const char **names;
    size_t count;
};

static void listed_fini(struct listed *listed)
{
    free(listed->names);
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static bool list_local(const struct catalogue *catalogue, struct listed *listed)
{
    struct catalogue_entry entry;
    size_t count = catalogue_count(catalogue);

    listed->names = calloc(count + 1, sizeof(*listed->names));
    if (!listed->names)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (catalogue_get(catalogue, i, &entry) != SCA_OK)
            return false; /* it might be the name of any of them */
        if (strcmp(entry.url, CATALOGUE_LOCAL) == 0)
            listed->names[listed->count++] = entry.user_id;
    }
    qsort(listed->names, listed->count, sizeof(*listed->names), compare_names);
    /* One that knows of none may have been lost a moment ago: local_adopt makes it anew. */
    return listed->count > 0;
}

/* Only as it was made: what has been written to since, or has a user's PIN, somebody may miss. */
static enum sca_status remove_orphan(void *arg, const char *name)
{
    const struct listed *listed = arg;
    const struct keystore keystore = {.state_dir = listed->state_dir, .name = name};
    struct keystore_info info;
    const char *why = NULL;

    if (bsearch(&name, listed->names, listed->count, sizeof(name), compare_names) ||
        keystore_info(&keystore, &info, &why) != SCA_OK || info.has_user_pin ||
        info.generation != FIRST_GENERATION)
        return SCA_OK;
    if (keystore_remove(&keystore) == SCA_OK)
        log_line(LOG_LEVEL_WARNING,
                 "%s/tokens: token %s was never finished, and is removed: nobody had used it",
                 listed->state_dir, name);
    return SCA_OK;
}

static void remove_orphans(const char *state_dir)
{
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
    AUTO(listed_fini) struct listed listed = {.state_dir = state_dir};
    const char *why = NULL;

    if (catalogue_open(state_dir, &catalogue, &why) == SCA_OK && list_local(catalogue, &listed))
        (void)keystore_each_name(state_dir, remove_orphan, &listed); /* the next one goes on */
}

enum sca_status local_begin_making(const char *state_dir, struct call *call, int *ret_turn)
{
    AUTO(freep) char *folder = path_join(state_dir, "tokens");

    if (!folder)
        return SCA_NOMEM;
    if (dir_ensure_private(folder) != SCA_OK)
        return SCA_OK; /* keystore_create is about to say why */
    enum sca_status st = turn_take(folder, "making.lock", call, TURN_WAIT_MS, ret_turn);
    if (st == SCA_OK)
        remove_orphans(state_dir);
    return st;
}
