/* SPDX-License-Identifier: Apache-2.0 */
/* What can be checked on this computer alone: configuration, state folder, clock. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "remote/base/cleanup.h"
#include "remote/cli/doctor.h"
#include "remote/keystore/keystore.h"

/* Clocks of two computers that both ask a time server differ by less. */
enum { CLOCK_SLACK_S = 60 };

/* For keystore_each_name: the first name is enough. */
static enum sca_status stop_at_first(void *arg, const char *name)
{
    (void)arg;
    return *name ? SCA_GONE : SCA_OK;
}

static bool has_local_token(const char *state_dir)
{
    return keystore_each_name(state_dir, stop_at_first, NULL) == SCA_GONE;
}

void doctor_check_configuration(struct doctor *doctor)
{
    static const char check[] = "configuration";
    const struct config *config = doctor->workspace->config;

    for (size_t i = 0; i < config->problem_count; i++) {
        const struct config_problem *problem = &config->problems[i];
        doctor_note(doctor, FINDING_FAIL, check, _("correct this line"), "%s:%u: %s", problem->file,
                    problem->line, problem->reason);
    }
    if (config->account_count == 0 && !has_local_token(config->state_dir))
        doctor_note(doctor, FINDING_FAIL, check,
                    "smartca account add NAME --user-id ID, or smartca selfsigned create",
                    _("no account in %s and conf.d beside it, and no self-signed certificate"),
                    config->main_file);
    else if (config->problem_count == 0)
        doctor_note(doctor, FINDING_OK, check, "", _("%s and conf.d beside it: %zu accounts"),
                    config->main_file, config->account_count);
}

void doctor_check_state(struct doctor *doctor)
{
    static const char check[] = "state";
    const char *folder = doctor->workspace->config->state_dir;
    const char *why = NULL;
    struct stat info;

    if (stat(folder, &info) != 0) {
        bool is_new = errno == ENOENT;
        doctor_note(doctor, is_new ? FINDING_OK : FINDING_FAIL, check,
                    is_new ? "" : _("check the folders above it"), "%s: %s", folder,
                    is_new ? _("not there yet, made at first use") : _("cannot be reached"));
        return;
    }
    if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || access(folder, W_OK) != 0) {
        doctor_note(doctor, FINDING_FAIL, check,
                    _("make it a folder of this user, or set state_dir in [module]"),
                    _("%s is not a folder this user owns and may write"), folder);
        return;
    }
    AUTO(catalogue_closep) struct catalogue *catalogue = workspace_catalogue(folder, &why);
    if (!catalogue)
        doctor_note(doctor, FINDING_FAIL, check, "smartca account refresh", "%s/catalogue: %s",
                    folder, why);
    else if (info.st_mode & 077)
        doctor_note(doctor, FINDING_WARN, check, "chmod 700", _("others may look into %s"), folder);
    else
        doctor_note(doctor, FINDING_OK, check, "", "%s", folder);
}

static int64_t newest_answer(const struct catalogue *catalogue)
{
    int64_t newest = 0;
    size_t count = catalogue ? catalogue_count(catalogue) : 0;

    for (size_t i = 0; i < count; i++) {
        struct catalogue_entry entry;
        if (catalogue_get(catalogue, i, &entry) != SCA_OK)
            continue;
        if (entry.fetched_at > newest)
            newest = entry.fetched_at;
        if (entry.has_certificate && entry.leaf.not_before > newest)
            newest = entry.leaf.not_before;
    }
    return newest;
}

/*
 * Without asking a time server only a clock that is behind can be told: it must not be before the
 * last answer, nor before a certificate was issued. TLS with each account sees the rest.
 */
void doctor_check_clock(struct doctor *doctor)
{
    static const char check[] = "clock";
    const char *why = NULL;
    char text[OUTPUT_TIME_SIZE];
    AUTO(catalogue_closep)
    struct catalogue *catalogue = workspace_catalogue(doctor->workspace->config->state_dir, &why);
    int64_t newest = newest_answer(catalogue);
    int64_t now = (int64_t)time(NULL);

    (void)output_time(now, text);
    if (now + CLOCK_SLACK_S < newest)
        doctor_note(doctor, FINDING_FAIL, check, _("set the clock, or let a time server do it"),
                    _("it is %s here, before the newest thing the service has said"), text);
    else if (newest == 0)
        doctor_note(doctor, FINDING_OK, check, "", _("%s; nothing to compare it with yet"), text);
    else
        doctor_note(doctor, FINDING_OK, check, "", _("%s; not behind the service's answers"), text);
}
