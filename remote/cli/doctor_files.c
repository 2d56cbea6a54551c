/* SPDX-License-Identifier: Apache-2.0 */
/* Who may read the files of the configuration. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "remote/base/cleanup.h"
#include "remote/cli/doctor.h"
#include "remote/config/locate.h"
#include "remote/config/problems.h"

enum { CURE_SIZE = 1024 };

static bool has_account(const struct config *config, const char *path)
{
    for (size_t i = 0; i < config->account_count; i++)
        if (strcmp(config->accounts[i].file, path) == 0)
            return true;
    return false;
}

/* Secrets in them were refused as problems; an account still has its identity number in it. */
static bool check_file(struct doctor *doctor, const char *path)
{
    char cure[CURE_SIZE];
    struct stat info;

    if (!has_account(doctor->workspace->config, path) || stat(path, &info) != 0 ||
        !(info.st_mode & (S_IRWXG | S_IRWXO)))
        return true;
    (void)snprintf(cure, sizeof(cure), "chmod 600 %s", path);
    doctor_note(doctor, FINDING_WARN, N_("files"), cure,
                _("others may read %s: it has an identity number in it"), path);
    return false;
}

void doctor_check_files(struct doctor *doctor)
{
    const struct config *config = doctor->workspace->config;
    AUTO(problems_fini) struct problems problems = {0}; /* doctor_check_configuration has them */
    char **paths = NULL;
    size_t count = 0;

    enum sca_status st = locate_conf_d(config->main_file, &problems, &paths, &count);
    doctor->rows.is_incomplete |= st == SCA_NOMEM;
    if (st != SCA_OK)
        return;
    size_t looked_at = 0;
    bool is_good = true;
    for (size_t i = 0; i < count; i++) {
        is_good &= check_file(doctor, paths[i]);
        looked_at += has_account(config, paths[i]);
    }
    locate_free_paths(paths, count);
    if (is_good && looked_at > 0)
        doctor_note(doctor, FINDING_OK, N_("files"), "",
                    ngettext("nobody else may read the account in conf.d (%zu file)",
                             "nobody else may read the accounts in conf.d (%zu files)", looked_at),
                    looked_at);
}
