/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/config/locate.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/base/wording.h"

#define FOLDER      "smartca-pkcs11"
#define MAIN_FILE   "smartca-pkcs11.conf"
#define SYSTEM_FILE "/etc/" FOLDER "/" MAIN_FILE
#define SYSTEM_DIR  "/var/lib/" FOLDER

enum { PLACES_MAX = 3, PASSWD_ROOM = 16384 };

static const char *absolute_env(const char *name)
{
    const char *value = secure_getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

/*
 * Home folder of the effective user from the user database; NULL if it has none. Root without HOME
 * is the system itself, at boot: its files are in /etc and /var/lib.
 */
static char *passwd_home(void)
{
    if (geteuid() == 0)
        return NULL;
    AUTO(freep) char *room = malloc(PASSWD_ROOM);
    struct passwd entry;
    struct passwd *found = NULL;

    if (!room || getpwuid_r(geteuid(), &entry, room, PASSWD_ROOM, &found) != 0 || !found)
        return NULL;
    return found->pw_dir && found->pw_dir[0] == '/' ? strdup(found->pw_dir) : NULL;
}

/* $variable/tail, or HOME/home_part/tail; NULL where there is neither. */
static char *user_path(const char *variable, const char *home_part, const char *tail)
{
    const char *base = absolute_env(variable);
    const char *home = absolute_env("HOME");
    char *path = NULL;

    if (base)
        return path_join(base, tail);
    AUTO(freep) char *database_home = home ? NULL : passwd_home();
    if (!home)
        home = database_home;
    if (!home || asprintf(&path, "%s/%s/%s", home, home_part, tail) < 0)
        return NULL;
    return path;
}

/* conf.d beside main_file. */
static char *conf_d_of(const char *main_file)
{
    char *path = NULL;
    int folder_len = (int)(strrchr(main_file, '/') - main_file);
    return asprintf(&path, "%.*s/conf.d", folder_len, main_file) < 0 ? NULL : path;
}

/* user_path must have one then, but for lack of memory. */
static bool has_home(const char *variable)
{
    return absolute_env(variable) || absolute_env("HOME");
}

/* Something that cannot be looked at counts as being there: it must not be passed over silently. */
static bool is_there(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static bool is_place(const char *main_file)
{
    AUTO(freep) char *conf_d = conf_d_of(main_file);
    return is_there(main_file) || (conf_d && is_there(conf_d));
}

/* Candidates in order; places own their texts, NULL without memory. */
static size_t list_places(struct problems *problems, char *places[static PLACES_MAX])
{
    size_t count = 0;

    if (!getauxval(AT_SECURE)) {
        const char *named = secure_getenv("SMARTCA_PKCS11_CONF");
        if (named && named[0] == '/')
            places[count++] = strdup(named);
        else if (named && named[0])
            problems_add(problems, "SMARTCA_PKCS11_CONF", 0,
                         "the variable is not used: it must be an absolute path");
        char *own = user_path("XDG_CONFIG_HOME", ".config", FOLDER "/" MAIN_FILE);
        if (own || has_home("XDG_CONFIG_HOME"))
            places[count++] = own;
    }
    places[count++] = strdup(SYSTEM_FILE);
    return count;
}

enum sca_status locate_main_file(struct problems *problems, char **ret_path)
{
    char *places[PLACES_MAX] = {0};
    size_t count = list_places(problems, places);
    size_t chosen = 0;

    while (chosen < count && places[chosen] && !is_place(places[chosen]))
        chosen++;
    if (chosen == count)
        chosen = 0;
    const char *named = absolute_env("SMARTCA_PKCS11_CONF");
    if (chosen > 0 && named)
        problems_add(problems, named, 0,
                     "not there, although SMARTCA_PKCS11_CONF names it; %s is used, correct or "
                     "unset the variable",
                     places[chosen] ? places[chosen] : wording("another file"));
    char *path = TAKE(places[chosen]);
    for (size_t i = 0; i < count; i++)
        free(places[i]);
    if (!path)
        return SCA_NOMEM;
    *ret_path = path;
    return SCA_OK;
}

static int is_conf(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* Not alphasort, whose order depends on the host's locale. */
static int by_bytes(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

void locate_free_paths(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
}

static void report_folder(struct problems *problems, const char *folder, int found, int error)
{
    if (found < 0 && (error == ENOMEM || error == EMFILE || error == ENFILE))
        problems->is_out_of_memory = true;
    else if (found < 0 && error != ENOENT && error != ENOTDIR)
        problems_add(problems, folder, 0,
                     "the folder cannot be read; check its owner and permissions");
    if (found > CONF_D_FILES_MAX)
        problems_add(problems, folder, 0,
                     "more than %d files; the rest is not read, put several accounts in one file",
                     CONF_D_FILES_MAX);
}

enum sca_status locate_conf_d(const char *main_file, struct problems *problems, char ***ret_paths,
                              size_t *ret_count)
{
    AUTO(freep) char *folder = conf_d_of(main_file);
    char **paths = calloc(CONF_D_FILES_MAX, sizeof(*paths));
    struct dirent **entries = NULL;
    size_t count = 0;
    bool is_complete = folder && paths;

    int found = is_complete ? scandir(folder, &entries, is_conf, by_bytes) : 0;
    if (is_complete)
        report_folder(problems, folder, found, errno);
    for (int i = 0; i < found; i++) {
        if (is_complete && i < CONF_D_FILES_MAX)
            is_complete = (paths[count++] = path_join(folder, entries[i]->d_name)) != NULL;
        free(entries[i]);
    }
    free(entries);
    if (!is_complete) {
        locate_free_paths(paths, count);
        return SCA_NOMEM;
    }
    *ret_paths = paths;
    *ret_count = count;
    return SCA_OK;
}

bool locate_has_home(void)
{
    AUTO(freep) char *database_home = absolute_env("HOME") ? NULL : passwd_home();
    return absolute_env("HOME") || database_home;
}

enum sca_status locate_state_dir(char **ret_path)
{
    char *path = user_path("XDG_STATE_HOME", ".local/state", FOLDER);

    if (!path && !has_home("XDG_STATE_HOME"))
        path = strdup(SYSTEM_DIR);
    if (!path)
        return SCA_NOMEM;
    *ret_path = path;
    return SCA_OK;
}
