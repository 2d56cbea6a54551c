/* SPDX-License-Identifier: Apache-2.0 */
/* smartca selfsigned create and reissue: everything is looked at before anything is changed. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "remote/base/cleanup.h"
#include "remote/cli/meter.h"
#include "remote/cli/office.h"
#include "remote/cli/output.h"
#include "remote/cli/task_list.h"
#include "remote/cli/workspace.h"
#include "remote/cli/x509_read.h"

enum { WORKERS_MAX = 8 };

/* A run, shared by its workers. */
struct run {
    struct office office;
    const struct office_verb *verb;
    struct task_list list;
    size_t next; /* guarded by office.lock, as is done */
    size_t done;
};

static enum cli_exit check_usage(const struct cli *cli)
{
    bool has_user = cli->form[FORM_USER];

    if (!has_user && !cli->csv)
        return output_usage(cli, _("--user or --csv is missing"));
    if (has_user && cli->csv)
        return output_usage(cli, _("--user and --csv exclude each other"));
    if (cli->csv && cli->form[FORM_NAME])
        return output_usage(cli, _("--name and --csv exclude each other"));
    if (cli->pins_out && (!cli->csv || cli->pin_file))
        return output_usage(cli, _("--pins-out goes with --csv, without --pin-file"));
    if (cli->destroys_old_key && !cli->wants_new_key)
        return output_usage(cli, _("--destroy-old-key goes with --new-key"));
    return CLI_OK;
}

/* Where a PIN would be made up, there has to be a file for it; where one has to be known, it is. */
static void check_pin(struct run *run, struct task *task)
{
    if (task->result != TASK_OPEN || !office_makes_pin(&run->office, task) ||
        (!run->verb->inherits && run->office.cli->pins_out))
        return;
    (void)trouble_say(&task->trouble, "invalid",
                      run->verb->inherits ? _("add a column pin, or give --pin-file")
                                          : _("give --pins-out FILE, a column pin or --pin-file"),
                      _("pin is missing"));
    (void)task_end(task, TASK_REFUSED);
}

static void look_at_all(struct run *run)
{
    for (size_t i = 0; i < run->list.count; i++) {
        struct task *task = &run->list.tasks[i];
        if (task->result == TASK_OPEN)
            run->verb->look(&run->office, task);
        check_pin(run, task);
    }
}

/*
 * Before the issuer's PIN is asked for, whose token takes a try as well: a wrong PIN of one user
 * is told at once. In a file it is told with the user's line.
 */
static bool try_pin(struct run *run, struct trouble *trouble)
{
    AUTO(token_close) struct token token = {0};
    const struct task *task = &run->list.tasks[0];

    if (run->office.cli->csv || task->order.is_self_issued || !task->has_slot ||
        !task->slot.has_pin)
        return true;
    return token_open(run->office.module, task->slot.id, false, &token, trouble) &&
           token_login(&token, CKU_USER, run->office.pin, trouble);
}

/* What the open tasks need of the administrator. */
static bool ask(struct run *run, struct trouble *trouble)
{
    bool needs_so = false;
    bool needs_pin = false;
    bool makes_pin = false;
    bool is_new = false;

    for (size_t i = 0; i < run->list.count; i++) {
        const struct task *task = &run->list.tasks[i];
        if (task->result != TASK_OPEN)
            continue;
        bool is_made = office_makes_pin(&run->office, task);
        bool lacks_pin = !task->has_slot || !task->slot.has_pin;
        if (!task->has_slot && !run->office.tokens.has_spare)
            return trouble_say(trouble, "exhausted",
                               _("initialise one with the program of its vendor"), "%s",
                               _("the module has no empty slot"));
        needs_so |= is_made || lacks_pin;
        needs_pin |= !is_made && !task->order.text[FORM_PIN];
        makes_pin |= is_made;
        is_new |= lacks_pin;
    }
    return (!needs_so || office_ask_so_pin(&run->office, trouble)) &&
           (!needs_pin || office_ask_pin(&run->office, is_new, trouble)) && try_pin(run, trouble) &&
           office_open_issuers(&run->office, run->list.tasks, run->list.count, trouble) &&
           (!makes_pin || pin_file_open(run->office.cli->pins_out, &run->office.pins_fd, trouble));
}

/* The next open task; NULL when there is none, or somebody wants it to end. */
static struct task *take_task(struct run *run)
{
    struct task *task = NULL;

    lock_take(&run->office.lock);
    while (!task && run->next < run->list.count && !meter_is_stopped()) {
        task = &run->list.tasks[run->next++];
        if (task->result != TASK_OPEN) {
            task = NULL;
            run->done++;
        }
    }
    lock_drop(&run->office.lock);
    return task;
}

static void *work(void *arg)
{
    struct run *run = arg;
    struct task *task = NULL;

    while ((task = take_task(run))) {
        run->verb->run(&run->office, task);
        lock_take(&run->office.lock);
        run->done++;
        if (run->office.cli->csv && !run->office.cli->is_json)
            meter_show(run->done, run->list.count);
        lock_drop(&run->office.lock);
    }
    return NULL;
}

/* Deriving keys from PINs takes most of the time. Only of our own module is it known that it
 * takes several tokens at once well. */
static size_t count_workers(const struct run *run)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t open = task_list_count(&run->list, TASK_OPEN);
    size_t count = processors > 1 ? (size_t)processors : 1;

    if (!run->office.tokens.is_own)
        return 1;
    count = count < WORKERS_MAX ? count : WORKERS_MAX;
    return count < open ? count : open;
}

static void work_on_all(struct run *run)
{
    pthread_t threads[WORKERS_MAX];
    size_t wanted = count_workers(run);
    size_t started = 0;

    meter_begin();
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, run) == 0)
        started++;
    (void)work(run);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < run->list.count; i++)
        if (run->list.tasks[i].result == TASK_OPEN)
            (void)trouble_say(&run->list.tasks[i].trouble, "cancelled", _("run it again"),
                              _("the run was ended before"));
    meter_end();
}

/* Who verifies has the one before, or none of the people's would be trusted for that long. */
static void tell_renewed(const struct office *office)
{
    for (size_t i = 0; i < office->issuer_count; i++) {
        const struct issuer *issuer = &office->issuers[i];
        char until[OUTPUT_TIME_SIZE];
        if (issuer->is_renewed)
            output_remark(office->cli,
                          _("the local issuer %s has a new certificate, of the same key, until %s: "
                            "give it to those who verify"),
                          issuer->name,
                          output_time(x509_time(X509_get0_notAfter(issuer->x509)), until));
    }
}

static enum cli_exit run_office(struct run *run, const struct form *base, const char *state_dir)
{
    const struct cli *cli = run->office.cli;
    AUTO(module_fini) struct module module = {0};
    struct trouble trouble;
    int64_t now = (int64_t)time(NULL);

    if (!task_list_load(cli, base, run->verb->inherits, now, &run->list, &trouble))
        return trouble_print(cli, &trouble);
    if (!cli->csv && run->list.tasks[0].result != TASK_OPEN)
        return task_list_print(cli, &run->list);
    enum cli_exit result = module_use(cli, &module);
    if (result != CLI_OK)
        return result;
    run->office.module = &module;
    bool is_ready = office_read_tokens(&run->office, state_dir, &trouble);
    if (is_ready) {
        look_at_all(run);
        is_ready = task_list_count(&run->list, TASK_OPEN) == 0 || ask(run, &trouble);
        tell_renewed(&run->office);
    }
    if (is_ready)
        work_on_all(run);
    /* Sessions end before the module does. */
    office_fini(&run->office);
    office_init(&run->office, cli, NULL);
    return is_ready ? task_list_print(cli, &run->list) : trouble_print(cli, &trouble);
}

enum cli_exit office_run(const struct cli *cli, const struct office_verb *verb)
{
    AUTO(workspace_fini) struct workspace workspace = {.log = {.sink = LOG_SINK_NONE, .fd = -1}};
    struct run run = {.verb = verb};
    char years[FORM_YEARS_SIZE];
    struct form base;
    struct form said;

    enum cli_exit result = check_usage(cli);
    if (result == CLI_OK)
        result = workspace_open(cli, &workspace);
    if (result != CLI_OK)
        return result;
    form_from_config(&workspace.config->selfsigned, years, &base);
    if (verb->inherits)
        base = (struct form){{[FORM_YEARS] = years}};
    for (size_t i = 0; i < FORM_FIELD_COUNT; i++)
        said.text[i] = cli->form[i];
    form_overlay(&base, &said);
    office_init(&run.office, cli, NULL);
    result = run_office(&run, &base, workspace.config->state_dir);
    task_list_fini(&run.list);
    office_fini(&run.office);
    return result;
}
