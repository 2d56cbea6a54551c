/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/store.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/output.h"
#include "remote/config/locate.h"

static const struct {
    const char *text;
    const char *cure;
} faults[STORE_FAULT_COUNT] = {
    [STORE_GOOD] = {"", ""},
    [STORE_ABSENT] = {"", ""},
    [STORE_UNMAKEABLE] = {N_("is not there, and the folder above it is not this user's to write"),
                          N_("make it for this user, or set state_dir in [module]")},
    [STORE_UNREACHABLE] = {N_("cannot be reached"), N_("let this user enter the folders above it")},
    [STORE_NO_FOLDER] = {N_("is no folder"),
                         N_("move it out of the way, or set state_dir in [module]")},
    [STORE_FOREIGN] = {N_("belongs to another user"),
                       N_("run chown on it, or set state_dir in [module]")},
    [STORE_CLOSED] = {N_("cannot be read and written by its own user"), N_("run chmod 700 on it")},
    [STORE_OPEN] = {N_("is open to other users"), N_("run chmod 700 on it")},
};

const char *store_fault_text(enum store_fault fault)
{
    return *faults[fault].text ? _(faults[fault].text) : "";
}

const char *store_fault_cure(enum store_fault fault)
{
    if (fault == STORE_UNMAKEABLE && !locate_has_home())
        return _(STORE_NO_HOME_CURE);
    return *faults[fault].cure ? _(faults[fault].cure) : "";
}

/* Folders are made with those above them: may this user write to the lowest that is there? */
static bool can_be_made(const char *folder)
{
    AUTO(freep) char *above = strdup(folder);
    char *slash = NULL;

    while (above && (slash = strrchr(above, '/')) && slash > above) {
        *slash = 0;
        if (access(above, F_OK) == 0 || errno != ENOENT)
            break;
    }
    return !above || access(slash > above ? above : "/", W_OK | X_OK) == 0;
}

enum store_fault store_look(const char *folder)
{
    struct stat info;

    if (stat(folder, &info) != 0 && errno == ENOENT)
        return can_be_made(folder) ? STORE_ABSENT : STORE_UNMAKEABLE;
    if (stat(folder, &info) != 0)
        return STORE_UNREACHABLE;
    if (!S_ISDIR(info.st_mode))
        return STORE_NO_FOLDER;
    if (info.st_uid != geteuid())
        return STORE_FOREIGN;
    if (access(folder, R_OK | W_OK | X_OK) != 0)
        return STORE_CLOSED;
    return info.st_mode & (S_IRWXG | S_IRWXO) ? STORE_OPEN : STORE_GOOD;
}

static bool tell(const char *folder, enum store_fault fault, struct trouble *trouble)
{
    return trouble_say(trouble, output_code(SCA_IO), store_fault_cure(fault), "%s %s", folder,
                       store_fault_text(fault));
}

bool store_is_writable(const char *state_dir, struct trouble *trouble)
{
    AUTO(freep) char *tokens = path_join(state_dir, "tokens");

    if (!tokens)
        return trouble_no_memory(trouble);
    enum store_fault fault = store_look(state_dir);
    /* The module takes a state folder that others may look into, but no folder of tokens. */
    if (fault > STORE_ABSENT && fault != STORE_OPEN)
        return tell(state_dir, fault, trouble);
    fault = store_look(tokens);
    return fault <= STORE_ABSENT || tell(tokens, fault, trouble);
}

bool store_is_readable(const char *state_dir, struct trouble *trouble)
{
    AUTO(freep) char *tokens = path_join(state_dir, "tokens");
    const char *const folders[] = {state_dir, tokens};

    if (!tokens)
        return trouble_no_memory(trouble);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        if (access(folders[i], R_OK | X_OK) == 0 || errno == ENOENT)
            continue;
        enum store_fault fault = store_look(folders[i]);
        return tell(folders[i], fault > STORE_ABSENT ? fault : STORE_UNREACHABLE, trouble);
    }
    return true;
}
