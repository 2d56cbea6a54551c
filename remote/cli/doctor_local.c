/* SPDX-License-Identifier: Apache-2.0 */
/* What can be checked on this computer alone: configuration, state folder, clock. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "remote/base/cleanup.h"
#include "remote/base/file.h"
#include "remote/cli/doctor.h"
#include "remote/cli/store.h"
#include "remote/keystore/keystore.h"

/* Clocks of two computers that both ask a time server differ by less. */
enum { CLOCK_SLACK_S = 60, PLACE_SIZE = 1024 };

/* For keystore_each_name: the first name is enough. */
static enum sca_status stop_at_first(void *arg, const char *name)
{
    (void)arg;
    return *name ? SCA_GONE : SCA_OK;
}

/* A folder that cannot be read is none of which it is known that it is empty. */
static bool has_local_token(const char *state_dir)
{
    return keystore_each_name(state_dir, stop_at_first, NULL) != SCA_OK;
}

/* A problem of a whole file has no line. */
static void place_of(const struct config_problem *problem, char out[static PLACE_SIZE])
{
    if (problem->line > 0)
        (void)snprintf(out, PLACE_SIZE, "%s:%u", problem->file, problem->line);
    else
        (void)snprintf(out, PLACE_SIZE, "%s", problem->file);
}

/* Who may read or write a file is not corrected in it; the reason has the mode that it wants. */
static void cure_of(const struct config_problem *problem, char out[static PLACE_SIZE])
{
    static const char *const modes[] = {"chmod go-w", "chmod 600", "chmod 700"};

    (void)snprintf(out, PLACE_SIZE, "%s",
                   problem->line > 0 ? _("correct this line") : _("see to this file"));
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (strstr(problem->reason, modes[i]))
            (void)snprintf(out, PLACE_SIZE, "%s %s", modes[i], problem->file);
}

void doctor_check_configuration(struct doctor *doctor)
{
    static const char check[] = N_("configuration");
    const struct config *config = doctor->workspace->config;

    for (size_t i = 0; i < config->problem_count; i++) {
        const struct config_problem *problem = &config->problems[i];
        char place[PLACE_SIZE];
        char cure[PLACE_SIZE];
        place_of(problem, place);
        cure_of(problem, cure);
        doctor_note(doctor, FINDING_FAIL, check, cure, "%s: %s", place, problem->reason);
    }
    if (config->account_count + config->token_count == 0 && !has_local_token(config->state_dir))
        doctor_note(doctor, FINDING_FAIL, check,
                    _("smartca account add NAME --user-id ID, or smartca selfsigned create"),
                    _("no account in %s and conf.d beside it, and no self-signed certificate"),
                    config->main_file);
    else if (config->problem_count == 0)
        doctor_note(doctor, FINDING_OK, check, "",
                    ngettext("%s and conf.d beside it: %zu account",
                             "%s and conf.d beside it: %zu accounts", config->account_count),
                    config->main_file, config->account_count);
}

/* Says what is wrong with a folder, if anything is. */
static enum store_fault check_folder(struct doctor *doctor, const char *check, const char *folder,
                                     enum finding if_open)
{
    enum store_fault fault = store_look(folder);

    if (fault > STORE_ABSENT)
        doctor_note(doctor, fault == STORE_OPEN ? if_open : FINDING_FAIL, check,
                    store_fault_cure(fault), "%s %s", folder, store_fault_text(fault));
    return fault;
}

/* Of these the module takes none that others may look into. */
static void check_parts(struct doctor *doctor, const char *state_dir)
{
    static const char *const parts[] = {N_("tokens"), N_("vault")};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        AUTO(freep) char *folder = path_join(state_dir, parts[i]);
        doctor->rows.is_incomplete |= !folder;
        if (folder)
            (void)check_folder(doctor, parts[i], folder, FINDING_FAIL);
    }
}

void doctor_check_state(struct doctor *doctor)
{
    static const char check[] = N_("state");
    const char *folder = doctor->workspace->config->state_dir;
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;

    enum store_fault fault = check_folder(doctor, check, folder, FINDING_WARN);
    if (fault == STORE_ABSENT)
        doctor_note(doctor, FINDING_OK, check, "", _("%s: not there yet, made at first use"),
                    folder);
    if (fault != STORE_GOOD && fault != STORE_OPEN)
        return;
    if (doctor_open_catalogue(doctor, &catalogue) && fault == STORE_GOOD)
        doctor_note(doctor, FINDING_OK, check, "", "%s", folder);
    check_parts(doctor, folder);
}

static int64_t newest_answer(const struct catalogue *catalogue)
{
    int64_t newest = 0;
    size_t count = catalogue_count(catalogue);

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
    static const char check[] = N_("clock");
    AUTO(catalogue_closep) struct catalogue *catalogue = NULL;
    char text[OUTPUT_TIME_SIZE];

    if (!doctor_open_catalogue(doctor, &catalogue))
        return;
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
